"""A delivered raster becomes a version, or is refused with its reason; nothing of it is half there."""

import os
import time
from unittest.mock import patch

import numpy as np
import pytest
import rasterio
from django.db import connection, transaction
from django.test import override_settings
from pyproj import Transformer
from rasterio.enums import ColorInterp
from rasterio.errors import NotGeoreferencedWarning
from rasterio.transform import Affine, from_origin

from layers.exchange import imports, rasters
from layers.exchange.options import ImportOptions
from layers.exchange.rasters import PreparedRaster, publish_raster, sweep_rasters
from layers.exchange.rasters.importing import KIND, run_raster_import
from layers.exchange.receiving import receive
from layers.models import Change, ChangeCell, Layer, Lineage, RasterVersion
from process import execution
from process.context import Cancelled
from process.jobs import enqueue
from tests.rastermaking import CELL, NORTH, WEST, ground, height, write

RNG = np.random.default_rng(7)


@pytest.fixture
def name(land):
    return land.name_of_layer("ground")


def files():
    return sorted(path.name for path in rasters.folder().iterdir())


def version_of(name):
    return RasterVersion.objects.get(layer__name=name, rev_to=None)


def stored(name):
    """Cells and profile of the stored file."""
    with rasterio.open(rasters.folder() / version_of(name).file) as file:
        return file.read(), file.profile, file.overviews(1)


def refusal(report):
    assert report["status"] == "failed", report
    return report["code"]


def test_a_raster_in_the_storage_crs_keeps_every_cell(land, name, tmp_path):
    path = ground(tmp_path / "g.tif", 1_300, 700, nodata=-9999.0)
    report = land.bring(path, name, title="地面高程")
    assert report["status"] == "done", report
    counted = [report[word] for word in ("read", "inserted", "updated", "unchanged", "rejected", "written")]
    assert counted == [1, 1, 0, 0, 0, 1]
    cells, profile, overviews = stored(name)
    with rasterio.open(path) as given:
        assert np.array_equal(cells, given.read())
    assert (profile["blockxsize"], profile["compress"], overviews) == (512, "deflate", [2, 4])
    version, layer = version_of(name), land.state(name)
    assert (version.rev_from, version.columns, version.rows, version.cell) == (1, 1_300, 700, 10.0)
    assert version.size == (rasters.folder() / version.file).stat().st_size
    assert layer.extent == version.extent == [WEST, NORTH - 7_000, WEST + 13_000, NORTH]
    told = version.statistics[0]
    assert told["cells"] == 910_000
    assert told["minimum"] == pytest.approx(float(cells.min()))
    assert told["mean"] == pytest.approx(float(cells.mean(dtype=float)))
    change = Change.objects.get(layer=layer)
    assert (change.kind, change.revision, change.inserted) == ("import", 1, 1)
    assert ChangeCell.objects.filter(change=change).count() > 50
    assert Lineage.objects.get(layer=layer).report["raster"]["columns"] == 1_300


def test_a_raster_in_degrees_lies_where_it_should(land, name, tmp_path):
    west, north, cell = 113.95, 22.62, 1e-4
    lon, lat = np.meshgrid(west + (np.arange(700) + 0.5) * cell, north - (np.arange(620) + 0.5) * cell)
    cells = height(*Transformer.from_crs(4490, 4547, always_xy=True).transform(lon, lat)).astype("float32")
    cells[:40, :40] = np.nan
    path = write(tmp_path / "g.tif", cells, west=west, north=north, cell=cell, crs=4490)
    report = land.bring(path, name)
    assert [one["code"] for one in report["findings"]] == ["resampled"]
    found, profile, _ = stored(name)
    t, some = profile["transform"], found[0] != profile["nodata"]
    rows, columns = np.nonzero(some)
    truth = height(t.c + (columns + 0.5) * t.a, t.f + (rows + 0.5) * t.e)
    off = np.abs(found[0][some] - truth)
    assert np.percentile(off, 99) < 0.02  # a fortieth of what one cell differs from the next
    assert off.max() < 0.4
    assert 0.9 < some.mean() < 0.999
    assert np.isfinite(found).all()


def test_a_zone_number_is_taken_off_without_touching_a_cell(land, name, tmp_path):
    report = land.bring(ground(tmp_path / "g.tif", west=WEST + 38e6, crs=4526), name)
    assert report["raster"]["extent"] == pytest.approx([WEST, NORTH - 900, WEST + 1_200, NORTH])
    assert report["findings"] == []


def test_a_missing_crs_is_asked_with_a_guess(land, name, tmp_path):
    path = ground(tmp_path / "g.tif", crs=None)
    report = land.bring(path, name)
    assert (report["status"], report["read"], report["inserted"]) == ("held", 0, 0)
    held = report["held"][0]
    assert (held["code"], held["pass"]) == ("crs-missing", "--source-crs EPSG:4547")
    assert not Layer.objects.filter(name=name).exists()
    assert land.bring(path, name, source_crs="EPSG:4547")["status"] == "done"


def test_a_look_at_the_header_asks_what_preparing_would_ask(land, name, tmp_path):
    options = ImportOptions(layer=name, title=name, department="data")
    before = files()
    held = rasters.inspect_raster(ground(tmp_path / "g.tif", crs=None), options).held
    assert [one.code for one in held] == ["crs-missing"]
    assert rasters.inspect_raster(ground(tmp_path / "h.tif"), options).held == []
    assert files() == before


def test_contradiction_and_another_place_are_asked(land, name, tmp_path):
    report = land.bring(ground(tmp_path / "g.tif", west=WEST + 38e6), name)
    assert report["held"][0]["pass"] == "--source-crs EPSG:4526"
    far = ground(tmp_path / "far.tif", west=405_000.0)
    assert land.bring(far, name)["held"][0]["code"] == "outside-city"
    report = land.bring(far, name, accept=("outside-city",))
    assert [one["code"] for one in report["findings"]] == ["outside-city"]


def test_replacing_makes_a_version_and_the_same_file_none(land, name, tmp_path):
    first, second = ground(tmp_path / "a.tif"), ground(tmp_path / "b.tif", 80, 60)
    land.bring(first, name)
    report = land.bring(second, name, mode="replace")
    assert (report["updated"], report["revision"]) == (1, 2)
    again = land.bring(second, name, mode="replace")
    assert (again["unchanged"], again["updated"], again["revision"]) == (1, 0, 2)
    assert [one["code"] for one in again["findings"]] == ["same-file"]
    layer = land.state(name)
    spans = RasterVersion.objects.filter(layer=layer).order_by("rev_from").values_list("rev_from", "rev_to")
    assert list(spans) == [(1, 2), (2, None)]
    assert list(
        Change.objects.filter(layer=layer).order_by("revision").values_list("revision", "updated")
    ) == [
        (1, 0),
        (2, 1),
    ]
    at = list(Change.objects.filter(layer=layer).order_by("revision").values_list("at", flat=True))
    assert at == sorted(set(at))


def test_a_dry_run_and_wrong_options_leave_nothing(land, name, tmp_path):
    path, before = ground(tmp_path / "g.tif"), files()
    report = land.bring(path, name, dry_run=True)
    assert (report["inserted"], report["written"], report["would_write"]) == (1, 0, 1)
    assert refusal(land.bring(path, name, mode="upsert", key="x")) == "bad-option"
    assert refusal(land.bring(path, land.lots(1), mode="replace")) == "bad-option"
    assert files() == before
    assert not Layer.objects.filter(name=name).exists()


def picture(bands=3, side=64):
    return RNG.integers(0, 256, (bands, side, side), dtype=np.uint8)


def test_a_picture_moved_to_the_grid_has_one_value_for_none(land, name, tmp_path):
    """All 256 values occur, so black gives way by one step, and the report says so."""
    cells = np.tile(np.arange(256, dtype=np.uint8).reshape(1, 16, 16), (3, 8, 8))
    path = write(tmp_path / "p.tif", cells, west=114.0, north=22.6, cell=1e-5, crs=4490)
    report = land.bring(path, name)
    assert {one["code"] for one in report["findings"]} == {"resampled", "nodata-spared"}
    found, profile, _ = stored(name)
    assert (report["raster"]["bands"], profile["nodata"]) == (3, 0)
    assert 0 < (found == 0).mean() < 0.2


def test_alpha_masks_and_palettes(land, name, tmp_path):
    cells = picture(4)
    cells[:3][cells[:3] == 255] = 1
    cells[3] = np.where(np.arange(64) < 32, 0, 255)
    path = write(tmp_path / "alpha.tif", cells, photometric="RGB", alpha="YES")
    with rasterio.open(path) as file:
        assert file.colorinterp[3] == ColorInterp.alpha
    assert land.bring(path, name)["raster"]["bands"] == 3
    found, profile, _ = stored(name)
    assert (found[:, :, :32] == profile["nodata"]).all()
    assert np.array_equal(found[:, :, 32:], cells[:3, :, 32:])

    codes = land.name_of_layer("codes")
    path = write(tmp_path / "codes.tif", picture(1)[0] % 5, west=114.0, north=22.6, cell=1e-4, crs=4490)
    with rasterio.open(path, "r+") as file:
        file.write_colormap(1, {code: (code * 40, 0, 0, 255) for code in range(5)})
    land.bring(path, codes)
    found, profile, _ = stored(codes)
    assert set(np.unique(found)) <= {0, 1, 2, 3, 4, profile["nodata"]}


def test_what_lies_beside_the_file_is_not_read(land, name, tmp_path):
    path = ground(tmp_path / "g.tif", crs=None)
    ground(tmp_path / "g.tif.ovr", 60, 45)
    ground(tmp_path / "g.tif.msk", dtype="uint8")
    aux = "<PAMDataset><SRS>EPSG:4547</SRS><Metadata><MDI key='x'>y</MDI></Metadata></PAMDataset>"
    (tmp_path / "g.tif.aux.xml").write_text(aux)
    (tmp_path / "g.prj").write_text(rasterio.crs.CRS.from_epsg(4547).to_wkt())
    (tmp_path / "g.tfw").write_text("1\n0\n0\n-1\n0\n0\n")
    assert land.bring(path, name)["held"][0]["code"] == "crs-missing"


def sparse(path):
    profile = {
        "crs": 4547,
        "transform": from_origin(WEST, NORTH, 0.1, 0.1),
        "tiled": True,
        "compress": "deflate",
    }
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=200_000,
        height=200_000,
        count=1,
        dtype="uint8",
        SPARSE_OK=True,
        **profile,
    ):
        return path


def turned(path):
    return ground(path, transform=Affine(9.0, 3.0, WEST, 3.0, -9.0, NORTH))


def nowhere(path):
    with pytest.warns(NotGeoreferencedWarning):
        return ground(path, crs=None, transform=Affine.identity())


def many_bands(path):
    return write(path, np.zeros((300, 2, 2), dtype=np.uint8))


def complex_values(path):
    return write(path, np.zeros((4, 4), dtype=np.complex64))


def tiny_cells(path):
    return ground(path, transform=from_origin(WEST, NORTH, 1e-4, 1e-4))


def cut(path):
    ground(path, 600, 600)
    path.write_bytes(path.read_bytes()[:200_000])
    return path


def wrong_offsets(path):
    """Every strip is said to lie beyond the end of the file."""
    ground(path, compress="deflate")
    data = bytearray(path.read_bytes())
    start = int.from_bytes(data[4:8], "little")
    for entry in range(start + 2, start + 2 + 12 * int.from_bytes(data[start : start + 2], "little"), 12):
        if int.from_bytes(data[entry : entry + 2], "little") == 273:
            place = int.from_bytes(data[entry + 8 : entry + 12], "little")
            count = int.from_bytes(data[entry + 4 : entry + 8], "little")
            data[place : place + 4 * count] = (2**31).to_bytes(4, "little") * count
    path.write_bytes(data)
    return path


def bytes_of(start):
    def make(path):
        path.write_bytes(start + b"\x00" * 200)
        return path

    return make


BROKEN = {
    "sparse": (sparse, "raster-too-large"),
    "bands": (many_bands, "raster-too-large"),
    "turned": (turned, "raster-unfit"),
    "nowhere": (nowhere, "raster-unfit"),
    "complex": (complex_values, "raster-unfit"),
    "cells": (tiny_cells, "raster-unfit"),
    "cut": (cut, "raster-unreadable"),
    "offsets": (wrong_offsets, "raster-unreadable"),
    "garbage": (bytes_of(b"II*\x00"), "raster-unreadable"),
    "pdf": (bytes_of(b"%PDF-1.7\n"), "not-a-geotiff"),
    "jp2": (bytes_of(b"\x00\x00\x00\x0cjP  \r\n\x87\n"), "not-a-geotiff"),
    "vrt": (bytes_of(b"<VRTDataset rasterXSize='1' rasterYSize='1'>"), "not-a-geotiff"),
    "empty": (bytes_of(b""), "not-a-geotiff"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_raster_is_refused_by_name_and_leaves_nothing(land, name, tmp_path, fault):
    make, code = BROKEN[fault]
    path, before = make(tmp_path / "g.tif"), files()
    began = time.monotonic()
    assert refusal(land.bring(path, name)) == code
    assert time.monotonic() - began < 10
    assert files() == before
    assert not Layer.objects.filter(name=name).exists()
    assert str(tmp_path) not in str(land.bring(path, name))


class Killed(BaseException):
    """What a kill looks like from inside one process."""


@pytest.mark.parametrize("point", [1, 2, 3, 4])
def test_killed_at_any_step_nothing_or_everything_is_there(land, name, tmp_path, point):
    options = ImportOptions(layer=name, title=name, department="data", actor="user:lin")
    arguments = imports._arguments(receive(ground(tmp_path / "g.tif")), options)
    context = execution.claim(enqueue(KIND, arguments, created_by="user:lin").pk)
    with (
        override_settings(ONEMAP_FAIL_AT=f"{KIND}:{point}"),
        patch("process.context.die", side_effect=Killed),
        pytest.raises(Killed),
    ):
        run_raster_import(context)
    published = point == 4
    assert Layer.objects.filter(name=name).exists() is published
    assert RasterVersion.objects.filter(layer__name=name).exists() is published
    if not published:
        run_raster_import(context)
    context.close()
    execution.release(context)
    assert version_of(name).rev_from == 1
    assert land.state(name).revision == 1


def test_a_cancelled_import_ends_its_process_and_leaves_nothing(land, name, tmp_path):
    path = ground(tmp_path / "g.tif", 3_000, 3_000)
    alone = override_settings(ONEMAP_VAR=tmp_path / "var")
    with alone, patch("process.context.JobContext.check_cancel", side_effect=Cancelled):
        report = land.bring(path, name)
        assert report["reason"] == "the job was cancelled"
        assert files() == []


def test_what_a_delivery_keeps_is_published_later_or_swept(land, name, tmp_path):
    options = ImportOptions(layer=name, title=name, department="data", actor="user:lin", public=True)
    received = receive(ground(tmp_path / "g.tif"))
    job = enqueue(KIND, imports._arguments(received, options), created_by="user:lin")
    context = execution.claim(job.pk)
    origin = {"path": str(received.path), "name": received.name, "sha256": received.sha256}
    prepared = rasters.prepare_raster(context, options, origin)
    kept = PreparedRaster.from_json(options, prepared.to_json())
    assert not Layer.objects.filter(name=name).exists()
    with pytest.raises(RuntimeError), transaction.atomic(), connection.cursor() as cursor:
        publish_raster(cursor, kept, None)
        raise RuntimeError
    assert not Layer.objects.filter(name=name).exists()
    with transaction.atomic(), connection.cursor() as cursor:
        assert publish_raster(cursor, kept, None) == 1
    context.finish({})
    context.close()
    execution.release(context)
    old = rasters.folder() / "nobody.tif"
    old.write_bytes(b"x")
    for path in (old, rasters.folder() / kept.file):
        os.utime(path, (time.time() - 100_000,) * 2)
    fresh = rasters.folder() / "fresh.tif"
    fresh.write_bytes(b"x")
    assert sweep_rasters() == 1
    assert fresh.exists()
    assert (rasters.folder() / kept.file).exists()
    fresh.unlink()
    (rasters.folder() / kept.file).unlink()
    with pytest.raises(rasters.RasterLost), transaction.atomic(), connection.cursor() as cursor:
        publish_raster(cursor, kept, land.state(name))


def test_the_web_process_never_loads_the_raster_library(land):
    told = land.shell("import sys, config.wsgi, config.urls, config.api; print('rasterio' in sys.modules)")
    assert told.split()[-1] == "False"


def test_a_cell_is_as_wide_as_said(land, name, tmp_path):
    report = land.bring(ground(tmp_path / "g.tif"), name)
    assert report["raster"]["cell"] == CELL
