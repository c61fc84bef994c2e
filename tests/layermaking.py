"""Real layers, made quickly: a small GeoPackage goes through every step of the import, in this process.

A test module that names this file in `pytest_plugins` has the fixtures `kept` and `clean_memory`.
"""

import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
import shapely
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.core.cache import cache
from django.db import transaction
from django.test import override_settings
from django.utils import timezone
from pyproj import Transformer

from layers import catalogue
from layers.actions import give
from layers.actions.grants import Grantee, grantee
from layers.exchange import imports, rasters
from layers.exchange.options import ImportOptions, judge
from layers.exchange.rasters.importing import KIND as RASTER
from layers.exchange.rasters.importing import run_raster_import
from layers.exchange.receiving import receive
from layers.models import Layer, Theme
from process import execution
from process.jobs import enqueue
from process.models import Job

STORAGE = 4547
WEST, EAST, NORTH = 490_000.0, 510_000.0, 2_500_000.0
LON_LAT = Transformer.from_crs(STORAGE, 4490, always_xy=True)


def square(x: float, y: float, side: float = 100.0) -> shapely.Polygon:
    """A square by its lower left corner, metres."""
    return shapely.box(x, y, x + side, y + side)


def frame_of(rows, crs: int = STORAGE) -> gpd.GeoDataFrame:
    """A frame out of dictionaries with a `geometry` each."""
    return gpd.GeoDataFrame(list(rows), geometry="geometry", crs=crs)


def import_file(path: Path, options: ImportOptions) -> dict:
    """Import a file as the worker would, but here; the job's result."""
    judge(options)
    raster = path.suffix.lower() in rasters.SUFFIXES
    kind, run = (RASTER, run_raster_import) if raster else (imports.KIND, imports.run_import)
    job = enqueue(kind, imports._arguments(receive(path), options), created_by=options.actor)
    # Inside a test's transaction the database's clock stands still, so the job must be due before it began.
    Job.objects.filter(pk=job.pk).update(not_before=timezone.now() - timedelta(days=1))
    context = execution.claim(job.pk)
    assert context is not None
    try:
        run(context)
    finally:
        context.close()
        execution.release(context)
    job.refresh_from_db()
    assert job.state in {"done", "held"}, (job.state, job.reason)
    return job.result


def make_layer(name: str, content, **options) -> Layer:
    """A layer out of a frame or of rows (dictionaries with a `geometry` in the storage CRS).

    Further options are those of `ImportOptions`; the owner is department `data` unless said otherwise.
    """
    frame = content if isinstance(content, gpd.GeoDataFrame) else frame_of(content)
    told = {"title": f"图层 {name}", "department": "data", "actor": "tests", **options}
    Theme.objects.get_or_create(
        code=told.get("theme", "base"), defaults={"title_zh": "基础", "title_en": "Base"}
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.gpkg"
        pyogrio.write_dataframe(frame, path, layer=name, driver="GPKG", use_arrow=True)
        result = import_file(path, ImportOptions(layer=name, **told))
    assert result["status"] == "done", result
    return Layer.objects.get(name=name)


def grant(layer: Layer | None, to: str, actions: str, **limits):
    """Give a right: `to` as the command takes it ('public', 'department:CODE', …)."""
    who = Grantee() if to == "public" else grantee(to)
    return give(who, actions.split(","), by="tests", layer=layer, **limits)


def area(x0: float, y0: float, x1: float, y1: float) -> MultiPolygon:
    """A box given in the storage CRS, as an area of a grant (longitude and latitude, sides bent)."""
    box = shapely.segmentize(shapely.box(x0, y0, x1, y1), max(x1 - x0, y1 - y0) / 16)
    ring = [LON_LAT.transform(x, y) for x, y in box.exterior.coords]
    return MultiPolygon(Polygon(ring), srid=4490)


def ground(name: str, count: int = 6) -> list[dict]:
    """Rows of which the first half lies in the west, the other in the east; every value says whose it is."""
    rows = []
    for number in range(1, count + 1):
        side = "west" if number <= count // 2 else "east"
        x = (WEST if side == "west" else EAST) + 123.4567 + 300 * number
        rows.append(
            {
                "name": f"CANARY-{name}-{side}-{number}",
                "secret_remark": f"SECRET-{name}-{number}",
                "amount": number * 10,
                "ratio": number / 4,
                "day": date(2026, 1, number),
                "seen": datetime(2026, 1, number, 12, tzinfo=UTC),
                "open": number % 2 == 0,
                "geometry": square(x, NORTH + 300 * number),
            }
        )
    return rows


def forget_catalogue() -> None:
    """A transaction taken back takes the catalogue's version back too: what is in memory is then another's."""
    catalogue._current = None


@pytest.fixture(scope="module")
def kept(django_db_setup, django_db_blocker, tmp_path_factory):
    """A transaction around all tests of a module, taken back at its end: what is made in it costs once."""
    folder = tmp_path_factory.getbasetemp() / "var"
    with django_db_blocker.unblock(), override_settings(ONEMAP_VAR=folder), transaction.atomic():
        forget_catalogue()
        yield
        transaction.set_rollback(True)
    forget_catalogue()


@pytest.fixture
def clean_memory(kept):
    """What is remembered between requests belongs to one test."""
    cache.clear()
    forget_catalogue()
    yield
    forget_catalogue()
