"""What a delivery leaves when it cannot begin, what is told of files that came before, how a lost one goes on."""

import pyproj
import pytest
from django.conf import settings
from django.db import connection

from layers.exchange import receiving
from layers.exchange.deliveries import flow
from layers.exchange.deliveries.flow import WrongState
from layers.exchange.receiving import receive
from layers.exchange.sweeping import sweep_staging
from layers.models import Delivery
from process.models import Job
from spatial.errors import OnemapError
from tests import people
from tests.delivering import ANSWERS, document, land, send, work, write

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]


@pytest.fixture(autouse=True)
def offices():
    return people.offices()


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path / "2025", land())


def incoming() -> set[str]:
    return {path.name for path in flow.incoming().glob("*")}


def test_a_delivery_that_cannot_begin_leaves_no_files(folder):
    before = incoming()
    with pytest.raises(ValueError, match="NUL"):
        flow.start_delivery(folder, document(), name="\0", department="data", actor="user:lin")
    assert (incoming(), Delivery.objects.count(), Job.objects.count()) == (before, 0, 0)


def test_what_cannot_be_read_to_its_end_leaves_no_files(folder, monkeypatch):
    before, whole = incoming(), receiving._copy

    def cut(source, target, digest):
        whole(source, target, digest)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(receiving, "_copy", cut)
    with pytest.raises(OSError, match="Input/output"):
        receive(folder)
    assert incoming() == before


def same(delivery: Delivery) -> list[tuple[str | None, str]]:
    found = delivery.findings.filter(code="same-file").order_by("id")
    return [(one.part.source if one.part else None, one.message) for one in found]


def test_the_same_files_delivered_twice_are_told(folder):
    first = send(folder, **ANSWERS)
    assert same(first) == []
    flow.refuse(first.pk, by="user:lin", reason="x")
    second = send(folder, **ANSWERS)
    assert same(second) == [(None, f"the same files were sent as delivery {first.pk}")]
    assert second.verdict["passed"]
    flow.accept(second.pk, by="user:lin")
    assert work(second).state == "accepted"
    third = send(folder, **ANSWERS)
    assert {part for part, _ in same(third)} == {None, "XZQ", "DLTB", "RK", "DEM"}
    assert {message for part, message in same(third) if part} == {"the same file made revision 1"}


def lose(delivery: Delivery, state: str) -> None:
    """As if the process of its job had died too often."""
    job = flow.jobs.enqueue(flow.CHECK, {"delivery": delivery.pk}, created_by="user:lin")
    Job.objects.filter(pk=job.pk).update(state="failed", reason="the process that did the job was lost")
    Delivery.objects.filter(pk=delivery.pk).update(state=state, job=job.pk)


@pytest.mark.parametrize("state", ["checking", "accepting"])
def test_one_whose_job_was_lost_has_failed_and_is_taken_up_again(
    folder, state, django_capture_on_commit_callbacks
):
    delivery = send(folder, **ANSWERS)
    lose(delivery, state)
    with pytest.raises(WrongState):
        flow.accept(delivery.pk, by="user:lin")
    sweep_staging()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason.endswith("the process that did the job was lost")) == (
        "failed",
        True,
    )
    flow.answer(delivery.pk, {}, by="user:lin")
    assert (work(delivery).state, delivery.verdict["passed"]) == ("checked", True)
    lose(delivery, state)
    with django_capture_on_commit_callbacks(execute=True):
        flow.withdraw(delivery.pk, by="user:lin")
    assert not flow.folder_of(delivery).exists()


@pytest.mark.parametrize("state", ["checking", "accepting"])
def test_one_that_was_read_just_before_its_job_ended_is_not_lost(folder, state):
    """A page that asks in that moment would say that the check failed, and ask no more."""
    delivery = send(folder, **ANSWERS)
    as_read = Delivery.objects.get(pk=delivery.pk)
    as_read.state = state

    assert Job.objects.get(pk=as_read.job).ended
    assert not flow.lost(as_read)
    lose(delivery, state)
    assert flow.lost(Delivery.objects.get(pk=delivery.pk))


def test_a_raster_that_moved_on_is_looked_at_again(folder):
    told = document()
    told["parts"] = told["parts"][-1:]
    path = folder / "DEM.tif"
    first, second = (send(path, told) for _ in range(2))
    for delivery in (first, second):
        assert delivery.state == "checked"
        flow.accept(delivery.pk, by="user:lin")
        work(delivery)
    assert (first.state, second.state) == ("accepted", "checked")
    assert {part for part, _ in same(second)} == {None, "DEM"}
    flow.accept(second.pk, by="user:lin")
    assert work(second).state == "accepted"


def test_the_package_of_one_that_was_not_accepted_is_swept(folder, monkeypatch):
    monkeypatch.setattr("layers.exchange.sweeping.SCRATCH_S", -60.0)
    kept, dropped = (send(folder, document(prefix), **ANSWERS) for prefix in ("ka", "dr"))
    flow.accept(kept.pk, by="user:lin")
    assert work(kept).state == "accepted"
    packages = settings.ONEMAP_VAR / "packages"
    half, other = packages / f"{dropped.token}.zip", packages / f".{'a' * 16}.part"
    for path in (half, other, packages / "handmade.zip"):
        path.write_bytes(b"x")
    sweep_staging()
    assert (packages / f"{kept.token}.zip").exists() and (packages / "handmade.zip").exists()
    assert not half.exists() and not other.exists()


def test_a_delivery_sent_back_keeps_no_table_after_the_sweep(folder):
    back, kept = (send(folder, document(prefix), **ANSWERS) for prefix in ("ba", "ke"))
    flow.refuse(back.pk, by="user:lin", reason="x")
    sweep_staging()
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'staging'")
        tokens = {name.split("_")[1] for (name,) in cursor.fetchall()}
    assert tokens == {kept.token}


def test_what_is_asked_comes_with_rows_to_look_at(folder):
    delivery = send(folder)
    assert {one["code"] for one in delivery.questions} == {"crs-missing"}
    shown = {part.source: part.samples for part in delivery.parts.all()}
    (land_rows,) = shown["DLTB"]
    assert land_rows["encoding"] == "gb18030"
    assert (len(land_rows["rows"]), land_rows["rows"][0]["DLMC"]) == (5, "公园绿地")
    assert shown["RK"][0]["rows"][0] == {"BSM": "440304000000000000", "RKS": "100"}
    assert shown["DEM"] == []


def test_what_a_file_says_of_itself_can_be_overruled(folder):
    (folder / "DLTB.prj").write_text(pyproj.CRS.from_epsg(4526).to_wkt("WKT1_ESRI"))
    (folder / "DLTB.cpg").write_text("GBK")
    delivery = send(folder, **ANSWERS)

    def told() -> tuple[str, str, str]:
        part = delivery.parts.get(source="DLTB")
        return part.facts["encoding"], part.facts["source_crs"], part.samples[0]["rows"][0]["DLMC"]

    assert (delivery.state, told()) == ("checked", ("gb18030", "EPSG:4526", "公园绿地"))
    flow.answer(delivery.pk, {"read_as": {"DLTB": {"encoding": "big5"}}}, by="user:lin")
    work(delivery)
    encoding, _, word = told()
    assert encoding == "big5hkscs" and word != "公园绿地"
    both = {"encoding": "gb18030", "source_crs": "EPSG:4547"}
    flow.answer(delivery.pk, {"read_as": {"DLTB": both}}, by="user:lin")
    work(delivery)
    (asked,) = delivery.questions
    assert (delivery.state, asked["code"], asked["declared"]) == ("waiting", "crs-contradicted", "EPSG:4547")
    flow.answer(delivery.pk, {"read_as": {"DLTB": {**both, "source_crs": "EPSG:4526"}}}, by="user:lin")
    work(delivery)
    assert (delivery.state, told()) == ("checked", ("gb18030", "EPSG:4526", "公园绿地"))
    assert len(delivery.parts.get(source="DLTB").facts["bounds"]) == 4


@pytest.mark.parametrize("told", [{"encodng": "gbk"}, {"source_crs": "EPSG:1"}, {"source_crs": "+proj=x"}])
def test_a_reading_that_does_not_exist_is_refused(folder, told):
    delivery = send(folder)
    with pytest.raises(OnemapError):
        flow.answer(delivery.pk, {"read_as": {"DLTB": told}}, by="user:lin")
    delivery.refresh_from_db()
    assert (delivery.state, delivery.answers.get("read_as")) == ("waiting", None)
