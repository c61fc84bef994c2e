"""Exports as jobs: who may ask, what is written, who may fetch it, and for how long."""

import json
import os
import zipfile
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import ServiceKey
from layers.exchange import export_jobs
from process.context import Cancelled
from process.jobs import request_cancel
from process.models import AuditRecord, Job
from spatial.errors import OnemapError
from tests import exporting, layermaking, people
from tests.layermaking import NORTH, WEST, area, grant, ground, make_layer
from tests.people import body_of

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

ASK = "/api/layers/parcels_asked/exports"


@pytest.fixture(scope="module")
def parcels(kept):
    people.offices()
    return make_layer("parcels_asked", ground("parcels_asked"), secrecy="public")


@pytest.fixture
def water(parcels):
    parcels.grants.all().delete()
    Job.objects.filter(kind=export_jobs.KIND).delete()
    grant(parcels, "department:water", "view,query,download")
    grant(parcels, "public", "view,download")
    return people.program(people.offices()["water"])


def ask(caller, **body):
    answer = caller.ask("POST", ASK, json.dumps({"format": "gpkg", **body}))
    return answer.status_code, json.loads(body_of(answer))


def asked(caller, **body):
    status, told = ask(caller, **body)
    assert status == 202, told
    exporting.run(told["job"])
    return told["job"]


def look(caller, job, rest=""):
    answer = caller.get(f"/api/exports/{job}{rest}")
    return answer.status_code, answer


def test_an_export_is_asked_for_written_and_fetched(water):
    status, told = ask(water, format=".shp.zip", encoding="utf-8", crs="EPSG:4490")
    assert (status, list(told)) == (202, ["job"])
    _, before = look(water, told["job"])
    assert (json.loads(before.content)["state"], json.loads(before.content)["file"]) == ("queued", None)
    assert look(water, told["job"], "/file")[0] == 404
    exporting.run(told["job"])
    facts = json.loads(look(water, told["job"])[1].content)
    assert (facts["state"], facts["features"], facts["name"]) == ("done", 6, "parcels_asked.shp.zip")
    status, answer = look(water, told["job"], "/file")
    body = body_of(answer)
    assert (status, len(body), answer.headers["Cache-Control"]) == (200, facts["size"], "private, no-store")
    assert "names.csv" in zipfile.ZipFile(BytesIO(body)).namelist()
    deeds = AuditRecord.objects.filter(object_name="parcels_asked").values_list("action", "actor")
    assert {("layer.export", "key:water/program"), ("layer.download", "key:water/program")} <= set(deeds)


def test_only_who_asked_sees_it(water):
    job = asked(water)
    grant(layermaking.Layer.objects.get(name="parcels_asked"), "department:transport", "view,query,download")
    other = people.program(people.offices()["transport"])
    admin = people.person("export_root", people.offices()["city"], is_superuser=True)
    for caller in (other, admin, people.Caller("public")):
        for rest in ("", "/file"):
            status, answer = look(caller, job, rest)
            assert (status, json.loads(answer.content)["code"]) == (404, "job-not-found")


def test_a_right_taken_back_or_narrowed_closes_the_file(water, parcels):
    job = asked(water)
    given = parcels.grants.get(department__code="water")
    given.fields = ["name"]
    given.save()
    parcels.grants.filter(to="public").delete()
    layermaking.forget_catalogue()
    assert look(water, job, "/file")[0] == 404
    given.delete()
    layermaking.forget_catalogue()
    status, answer = look(water, job, "/file")
    assert (status, json.loads(answer.content)["code"]) == (404, "export-gone")


def test_rights_are_read_again_when_the_job_runs(water, parcels):
    _, told = ask(water)
    parcels.grants.all().delete()
    layermaking.forget_catalogue()
    with pytest.raises(OnemapError):
        exporting.run(told["job"])
    grant(
        parcels,
        "department:water",
        "view,query,download",
        fields=["name"],
        area=area(WEST - 1_000, NORTH - 1_000, WEST + 9_000, NORTH + 9_000),
    )
    _, told = ask(water, format="csv")
    exporting.run(told["job"])
    text = body_of(look(water, told["job"], "/file")[1]).decode("utf-8-sig")
    assert "CANARY-parcels_asked-west-1" in text and "east" not in text and "SECRET" not in text
    ServiceKey.objects.filter(department__code="water").update(revoked_at=timezone.now())
    told = {
        "job": Job.objects.create(
            kind=export_jobs.KIND, arguments=Job.objects.get(pk=told["job"]).arguments, created_by="x"
        ).pk
    }
    with pytest.raises(export_jobs.AskerGone):
        exporting.run(told["job"])


def test_an_area_is_a_polygon_or_a_division(water):
    ring = [
        list(layermaking.LON_LAT.transform(WEST + dx, NORTH + dy))
        for dx, dy in ((0, 0), (5000, 0), (5000, 5000), (0, 5000), (0, 0))
    ]
    job = asked(water, format="csv", area={"type": "Polygon", "coordinates": [ring]}, cut=True)
    assert json.loads(look(water, job)[1].content)["features"] == 3
    for wrong, code in (
        ({"division": "999999"}, "unknown-division"),
        ({"type": "Point", "coordinates": [114, 22.5]}, "bad-area"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}, "bad-area"),
        ({"type": "Polygon", "coordinates": "x"}, "bad-area"),
        ({}, "bad-area"),
    ):
        status, told = ask(water, area=wrong)
        assert (status, told["code"]) == (422, code), wrong


@pytest.mark.parametrize(
    ("body", "code"),
    [({"format": "exe"}, "unknown-format"), ({"crs": "EPSG:1"}, "unknown-crs"), ({"encoding": "x"}, "unknown-encoding"),
     ({"format": "shp.zip", "encoding": "gb18030"}, "unknown-encoding")],
)  # fmt: skip
def test_what_cannot_be_written_is_refused_at_once(water, body, code):
    status, told = ask(water, **body)
    assert (status, told["code"]) == (400, code)
    assert not Job.objects.filter(kind=export_jobs.KIND).exists()


def test_three_at_a_time_and_never_for_nobody(water):
    for _ in range(3):
        assert ask(water)[0] == 202
    status, told = ask(water)
    assert (status, told["code"]) == (429, "too-many-exports")
    public = people.Caller("public").ask("POST", ASK, json.dumps({"format": "gpkg"}))
    assert public.status_code in {401, 403}
    assert Job.objects.filter(kind=export_jobs.KIND).count() == 3


def test_a_cancelled_export_leaves_nothing(water, monkeypatch):
    _, told = ask(water)
    stopped = Cancelled()

    def check(self):
        raise stopped

    monkeypatch.setattr("process.context.JobContext.check_cancel", check)
    with pytest.raises(Cancelled):
        exporting.run(told["job"])
    assert not (Path(settings.ONEMAP_VAR) / "exports" / f"job_{told['job']}").exists()
    _, waiting = ask(water)
    assert request_cancel(waiting["job"]).state == "cancelled"


def test_a_file_is_kept_a_day(water):
    job = asked(water)
    folder = Path(settings.ONEMAP_VAR) / "exports"
    stray = folder / ".export-left"
    stray.mkdir()
    long_ago = (timezone.now() - timedelta(hours=30)).timestamp()
    os.utime(stray, (long_ago, long_ago))
    assert export_jobs.sweep_exports() == 1
    assert look(water, job, "/file")[0] == 200
    Job.objects.filter(pk=job).update(finished_at=timezone.now() - timedelta(hours=25))
    assert look(water, job, "/file")[0] == 404
    assert export_jobs.sweep_exports() == 1
    assert not (folder / f"job_{job}").exists()
