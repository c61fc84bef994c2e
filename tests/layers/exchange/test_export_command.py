"""`export_layer`: every suffix, an area to clip to, and a job that does it."""

import json
import subprocess
from datetime import timedelta

import geopandas as gpd
import pyogrio
import pytest
import shapely
from django.core.management import CommandError, call_command
from django.utils import timezone

from layers.exchange import export_jobs
from layers.models import Layer
from process.execution import run_next
from process.models import AuditRecord, Job
from spatial.crs import transformation
from tests import people
from tests.conftest import ROOT
from tests.layermaking import NORTH, WEST, ground, make_layer, square
from tests.layers.conftest import at

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]


@pytest.fixture(scope="module")
def city(kept) -> Layer:
    people.offices()
    parted = {"code": "440304", "name": "福田区", "geometry": square(WEST, NORTH, 473.4567)}
    make_layer("division_district", [parted])
    return make_layer("parcels_told", ground("parcels_told"))


def here(job, on_progress):
    """Do a job in this process, inside the test's transaction."""
    Job.objects.filter(pk=job.pk).update(not_before=timezone.now() - timedelta(days=1))
    assert run_next(job.pk) == job.pk
    job.refresh_from_db()
    return job


@pytest.fixture(autouse=True)
def at_once(monkeypatch, settings, tmp_path_factory):
    """The job is done in this process."""
    settings.ONEMAP_VAR = tmp_path_factory.mktemp("var")
    monkeypatch.setattr(export_jobs, "run_or_wait", here)


def run(capsys, *words):
    try:
        call_command("export_layer", *map(str, words), "--json")
        code = 0
    except CommandError as error:
        code = error.returncode
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.mark.parametrize("more", [(), ("--cut",)])
def test_a_division_clips(city, capsys, tmp_path, more):
    path = tmp_path / "parcels.gpkg"
    code, told = run(capsys, "parcels_told", path, "--area", "division:440304", *more)
    assert (code, told["features"]) == (0, 1)
    shape = pyogrio.read_dataframe(path, layer="parcels_told").geometry[0]
    whole, district = ground("parcels_told")[0]["geometry"], square(WEST, NORTH, 473.4567)
    wanted = whole.intersection(district).area if more else whole.area
    assert shape.area == pytest.approx(wanted, abs=0.1)
    assert whole.intersection(district).area < whole.area - 1_000


@pytest.mark.parametrize("kind", ["text", "file", "feature"])
def test_a_drawn_area_clips(city, capsys, tmp_path, kind):
    district = square(WEST, NORTH, 473.4567)
    drawn = shapely.transform(district, transformation(4547, 4490, {}).apply)
    area = shapely.to_geojson(drawn)
    if kind == "feature":
        area = json.dumps({"type": "Feature", "properties": {}, "geometry": json.loads(area)})
    if kind == "file":
        (tmp_path / "area.geojson").write_text(area)
        area = tmp_path / "area.geojson"
    code, told = run(capsys, "parcels_told", tmp_path / "parcels.gpkg", "--area", area, "--cut")
    assert (code, told["features"]) == (0, 1)
    shape = pyogrio.read_dataframe(tmp_path / "parcels.gpkg", layer="parcels_told").geometry[0]
    wanted = ground("parcels_told")[0]["geometry"].intersection(district).area
    assert shape.area == pytest.approx(wanted, abs=0.1)


def test_it_is_a_job_whose_file_is_handed_over(city, capsys, settings, tmp_path):
    (tmp_path / "told.csv").write_text("what was there before")
    code, told = run(capsys, "parcels_told", tmp_path / "told.csv", "--encoding", "gbk", "--crs", "EPSG:4490")
    assert (code, told["status"], told["features"], told["crs"]) == (0, "done", 6, "EPSG:4490")
    assert "CANARY-parcels_told" in (tmp_path / "told.csv").read_text(encoding="gbk")
    job = Job.objects.get(pk=told["job"])
    assert (job.kind, job.state, job.created_by[:4]) == ("export_layer", "done", "cli:")
    record = AuditRecord.objects.filter(action="layer.export", object_name="parcels_told").latest("id")
    assert (record.actor, record.facts["features"]) == (job.created_by, 6)
    assert list((settings.ONEMAP_VAR / "exports").iterdir()) == []
    assert [one.name for one in tmp_path.iterdir()] == ["told.csv"]
    for caller in (
        people.Caller("public"),
        people.person("told_root", people.offices()["city"], is_superuser=True),
    ):
        assert caller.get(f"/api/exports/{job.pk}").status_code == 404


def test_what_the_job_refuses_is_the_commands_answer(city, capsys, monkeypatch, tmp_path):
    def full(*words, **named):
        raise export_jobs.AskerGone()

    monkeypatch.setattr(export_jobs, "export", full)
    code, told = run(capsys, "parcels_told", tmp_path / "x.gpkg")
    assert (code, told["status"], told["code"]) == (1, "failed", "asker-gone")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_told_before_anything_is_written(city, capsys, tmp_path):
    before = Job.objects.count()
    code, told = run(capsys, "parcels_told", tmp_path / "no" / "x.gpkg")
    assert (code, told["code"]) == (1, "nowhere-to-write")
    assert Job.objects.count() == before


def test_it_does_its_job_itself_where_no_worker_is(fresh_site, tmp_path):
    wells = gpd.GeoDataFrame({"n": range(12)}, geometry=[at(n) for n in range(12)], crs=4547)
    wells.to_file(tmp_path / "twelve.gpkg", layer="twelve")
    code, told = fresh_site.manage(
        "import_layer", str(tmp_path / "twelve.gpkg"), "--layer", "twelve", "--department", "data"
    )
    assert code == 0, told
    path = tmp_path / "twelve.xlsx"
    done = subprocess.run(
        [*fresh_site.command("export_layer", "twelve", str(path)), "--json"],
        env=fresh_site.env, cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    told = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, told["features"], told["path"]) == (0, 12, str(path))
    assert "%" in done.stderr
    assert path.stat().st_size > 100


@pytest.mark.parametrize("suffix", [".xlsx", ".dxf", ".parquet", ".fgb", ".csv", ".shp.zip", ".geojson"])
def test_every_suffix(city, capsys, tmp_path, suffix):
    code, told = run(capsys, "parcels_told", tmp_path / f"parcels{suffix}")
    assert (code, told["features"]) == (0, 6)
    assert (tmp_path / f"parcels{suffix}").stat().st_size > 100


@pytest.mark.parametrize(
    "words", [("--cut",), ("--area", "box"), ("--area", "division:000000"), ("--area", "{}")]
)
def test_a_wrong_area_is_refused(city, capsys, tmp_path, words):
    code, told = run(capsys, "parcels_told", tmp_path / "x.gpkg", *words)
    assert (code, told["status"]) == (1, "failed")
    assert list(tmp_path.iterdir()) == []
