"""The self-check of layers: every fault is named once, stays until it is gone, and is seen by who keeps the layer."""

import json
from contextlib import contextmanager
from datetime import date, timedelta
from unittest.mock import patch

import pytest
from django.db import connection
from django.utils import timezone

from layers import catalogue
from layers.exchange.quality import running
from layers.exchange.quality.faults import faults_of
from layers.models import CodeList, CodeValue, Layer, QualityFinding, QualityRun
from process import context as contexts
from process import execution
from process.context import Cancelled
from process.jobs import request_cancel
from process.models import Job
from tests import layermaking, people
from tests.layermaking import NORTH, WEST, grant, square
from tests.people import body_of

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory", "callers", "uses")]

CODED = {"use": {"code_list": "quality-use@2020"}}


@pytest.fixture(scope="module")
def callers(kept):
    offices = people.offices()
    return {
        "lin": people.person("lin", offices["data"], ["datamanager"]),
        "wang": people.person("wang", offices["transport"]),
        "zhao": people.person("zhao", offices["water"]),
        "key": people.program(offices["planning"]),
    }


@pytest.fixture(scope="module")
def uses(kept) -> CodeList:
    listed = CodeList.objects.create(code="quality-use", edition="2020", title_zh="用途", title_en="Use")
    CodeValue.objects.create(code_list=listed, code="01", title_zh="耕地")
    CodeValue.objects.create(code_list=listed, code="02", title_zh="园地")
    return listed


def lots(name: str, *moved: float, **options) -> Layer:
    """Three lots in a row, each a hundred metres wide; `moved` shifts them to the east, metres."""
    shifts = [*moved, 0.0, 0.0, 0.0][:3]
    rows = [
        {"code": f"A{n}", "use": "01", "geometry": square(WEST + 100 * n + shifts[n], NORTH)}
        for n in range(3)
    ]
    return layermaking.make_layer(name, rows, key="code", **options)


@contextmanager
def begun(layer: Layer):
    job = running.enqueue(layer, "tests")
    # Inside a test's transaction the database's clock stands still, so the job must be due before it began.
    Job.objects.filter(pk=job.pk).update(not_before=timezone.now() - timedelta(days=1))
    context = execution.claim(job.pk)
    try:
        yield job, context
    finally:
        context.close()
        execution.release(context)


def check(layer: Layer) -> QualityRun:
    with begun(layer) as (job, context):
        assert running.run_check_quality(context) is None
    job.refresh_from_db()
    assert (job.state, job.result["layer"]) == ("done", layer.name)
    return QualityRun.objects.filter(layer=layer).first()


def standing(layer: Layer) -> list[QualityFinding]:
    return list(QualityFinding.objects.filter(layer=layer, closed_at=None).order_by("code", "pk"))


def now_of(layer: Layer, today: date | None = None) -> list:
    row = Layer.objects.get(pk=layer.pk)
    return list(faults_of(catalogue.current().layer(layer.name), row.changed_at, today=today))


def move(layer: Layer, rows) -> None:
    """Deliver the layer anew."""
    layermaking.make_layer(layer.name, rows, key="code", mode="replace")


def test_a_sound_layer_has_no_finding(kept):
    layer = lots("quality_sound", checks={"partition": {}, "unique": ["code"]})
    run = check(layer)
    assert (run.counts, run.checked, run.revision) == ({}, 3, 1)
    assert standing(layer) == []


def test_a_finding_is_kept_seen_again_and_closed(kept):
    layer = lots("quality_overlap", 5.0, checks={"partition": {}})
    assert check(layer).counts == {"overlap": 1}
    (first,) = standing(layer)
    assert (first.level, first.fids) == ("block", [1, 2])
    assert first.message
    assert first.message_zh
    assert first.place["type"] == "Polygon"

    check(layer)
    (again,) = standing(layer)
    assert (again.pk, again.found_at) == (first.pk, first.found_at)
    assert again.seen_at > first.seen_at

    rows = [{"code": f"A{n}", "use": "01", "geometry": square(WEST + 100 * n, NORTH)} for n in range(3)]
    move(layer, rows)
    assert check(layer).counts == {}
    again.refresh_from_db()
    assert again.closed_at is not None


def test_two_gaps_between_the_same_lots_are_two(kept):
    lower, upper = square(WEST, NORTH, 100.0), square(WEST, NORTH + 100, 100.0)
    hole = [square(WEST + x, NORTH + 98, 2.0) for x in (10, 70)]
    layer = layermaking.make_layer(
        "quality_gaps",
        [{"code": "low", "geometry": lower - hole[0] - hole[1]}, {"code": "high", "geometry": upper}],
        key="code",
        checks={"partition": {}},
    )
    check(layer)
    found = standing(layer)
    assert [one.code for one in found] == ["gap", "gap"]
    assert {tuple(one.fids) for one in found} == {(1, 2)}
    assert len({one.identity for one in found}) == 2


def test_codes_that_are_none_are_told_by_value(kept, uses):
    layer = lots("quality_codes", fields=CODED)
    assert check(layer).counts == {}
    CodeValue.objects.filter(code_list=uses, code="01").update(code="03")
    layermaking.forget_catalogue()
    (orphan,) = now_of(layer)
    assert (orphan.code, orphan.fids) == ("code-unknown", [1, 2, 3])
    assert orphan.facts == {"field": "use", "value": "01", "code_list": "quality-use@2020", "count": 3}
    assert orphan.place["type"] == "Point"


def test_an_edition_that_ended_is_a_warning(kept, uses):
    layer = lots("quality_edition", fields=CODED)
    CodeList.objects.filter(pk=uses.pk).update(valid_to=date(2026, 7, 1))
    assert now_of(layer, date(2026, 6, 30)) == []
    (ended,) = now_of(layer, date(2026, 7, 1))
    assert (ended.code, ended.level, ended.fids) == ("code-list-ended", "warn", ())


def test_a_promise_is_kept_to_the_day(kept):
    layer = lots("quality_rhythm", update_days=30)
    last = Layer.objects.get(pk=layer.pk).changed_at.date()
    assert now_of(layer, last + timedelta(days=29)) == []
    (stale,) = now_of(layer, last + timedelta(days=40))
    assert (stale.code, stale.facts["promised_days"]) == ("stale", 30)


def test_periods_that_ended_are_counted_as_a_note(kept):
    layer = lots("quality_periods", valid_time=True, valid_from="2024-01-01")
    assert now_of(layer) == []
    with connection.cursor() as cursor:
        cursor.execute("UPDATE data.quality_periods SET valid_to = '2025-06-01' WHERE fid = 2")
    (ended,) = now_of(layer, date(2025, 6, 1))
    assert (ended.code, ended.level, ended.fids, ended.facts["count"]) == ("period-ended", "note", [2], 1)
    assert now_of(layer, date(2025, 5, 31)) == []


def test_a_table_needs_the_features_it_speaks_of(kept, tmp_path):
    layer = lots("quality_parcels")
    path = tmp_path / "owners.csv"
    path.write_text("parcel,owner\nA0,甲\nA1,乙\nA2,丙\n", encoding="utf-8")
    options = layermaking.ImportOptions(
        layer="quality_owners",
        title="权属",
        department="data",
        actor="tests",
        joins="quality_parcels",
        join_field="parcel",
    )
    assert layermaking.import_file(path, options)["status"] == "done"
    table = Layer.objects.get(name="quality_owners")
    assert now_of(table) == []
    move(layer, [{"code": "A0", "use": "01", "geometry": square(WEST, NORTH)}])
    lost = now_of(table)
    assert [(one.code, one.fids) for one in lost] == [
        ("table-row-without-partner", [2]),
        ("table-row-without-partner", [3]),
    ]
    Layer.objects.filter(pk=layer.pk).update(deleted_at=timezone.now())
    layermaking.forget_catalogue()
    assert "join-lost" in {one.code for one in now_of(table)}


def test_what_is_set_aside_stays_so(kept, callers):
    layer = lots("quality_aside", 5.0, checks={"partition": {}})
    check(layer)
    (one,) = standing(layer)
    for name, status in (("wang", 404), ("key", 404), ("lin", 200)):
        told = callers[name].ask(
            "POST", f"/api/quality/{one.pk}/set-aside", json.dumps({"reason": "界线待定"})
        )
        assert told.status_code == status, body_of(told)
    assert check(layer).counts == {}
    one.refresh_from_db()
    assert (one.closed_at, one.reason, one.set_aside_by) == (None, "界线待定", "user:lin")
    listed = callers["lin"].json("/api/quality?layer=quality_aside")
    assert listed["findings"] == []
    aside = callers["lin"].json("/api/layers/quality_aside/quality?aside=true")
    assert aside["findings"][0]["set_aside"] == {"by": "user:lin", "reason": "界线待定"}
    # Gone for a while and found again: the reason still holds.
    QualityFinding.objects.filter(pk=one.pk).update(closed_at=timezone.now())
    assert check(layer).counts == {}
    (later,) = standing(layer)
    assert (later.pk != one.pk, later.reason) == (True, "界线待定")


def test_a_check_that_dies_or_is_cancelled_leaves_nothing(kept):
    layer = lots("quality_kill", 5.0, checks={"partition": {}})

    class Died(BaseException):
        pass

    for point in (1, 2):
        with begun(layer) as (job, context), patch.object(contexts, "die", side_effect=Died):
            with patch.object(contexts.settings, "ONEMAP_FAIL_AT", f"check_quality:{point}"):
                with pytest.raises(Died):
                    running.run_check_quality(context)
            assert standing(layer) == []
            assert not QualityRun.objects.filter(layer=layer).exists()
        Job.objects.filter(pk=job.pk).update(state="failed")
    with begun(layer) as (job, context):
        request_cancel(job.pk)
        with patch.object(context, "check_cancel", side_effect=Cancelled), pytest.raises(Cancelled):
            running.run_check_quality(context)
    assert standing(layer) == []


def test_layers_are_due_by_night_and_once_a_day(kept, monkeypatch):
    layer = lots("quality_due")
    QualityRun.objects.create(layer=layer, revision=0, at=timezone.now() - timedelta(hours=21))
    Layer.objects.exclude(pk=layer.pk).update(deleted_at=timezone.now())
    Layer.objects.filter(pk=layer.pk).update(created_at=timezone.now() - timedelta(days=9))
    Job.objects.filter(kind=running.KIND).delete()
    monkeypatch.setattr(running, "QUIET_HOURS", range(0))
    assert running.start_due() == 0
    monkeypatch.setattr(running, "QUIET_HOURS", range(24))
    assert running.start_due() == 1
    assert running.start_due() == 0
    Job.objects.filter(kind=running.KIND).update(state="failed")
    assert running.start_due() == 0  # one that failed is not tried again at once
    Job.objects.filter(kind=running.KIND).delete()
    QualityRun.objects.filter(layer=layer).update(revision=Layer.objects.get(pk=layer.pk).revision)
    assert running.start_due() == 0  # nothing could be different
    Layer.objects.filter(pk=layer.pk).update(update_days=30)
    assert running.start_due() == 1


def test_the_open_list_is_for_who_keeps_the_layers(kept, callers):
    mine = lots("quality_mine", 5.0, checks={"partition": {}}, department="transport")
    lots("quality_other", 5.0, checks={"partition": {}}, department="water")
    grant(mine, "department:transport", "view,query,publish")
    grant(mine, "department:water", "view,query")
    for name in ("quality_mine", "quality_other"):
        check(Layer.objects.get(name=name))
    all_of_it = callers["lin"].json("/api/quality")
    assert {(one["code"], one["open"]) for one in all_of_it["departments"]} >= {
        ("transport", 1),
        ("water", 1),
    }
    ours = callers["wang"].json("/api/quality")
    assert [(one["layer"], one["code"]) for one in ours["findings"]] == [("quality_mine", "overlap")]
    assert ours["total"] == 1
    assert callers["lin"].json("/api/quality?department=water&code=overlap")["total"] == 1
    assert ours["layers"] == {"quality_mine": 1}
    assert set(map(str, callers["zhao"].json("/api/quality").values())) == {"[]", "0", "{}"}
    assert callers["zhao"].get("/api/layers/quality_mine/quality").status_code == 403
    assert callers["zhao"].get("/api/layers/quality_other/quality").status_code == 404
    told = callers["wang"].json("/api/layers/quality_mine/quality")
    assert (told["total"], told["runs"][0]["counts"]) == (1, {"overlap": 1})
    started = callers["wang"].ask("POST", "/api/layers/quality_mine/quality/run")
    again = callers["wang"].ask("POST", "/api/layers/quality_mine/quality/run")
    assert json.loads(body_of(started)) == json.loads(body_of(again))
    number = json.loads(body_of(started))["job"]
    assert callers["wang"].json(f"/api/jobs/{number}")["kind"] == "check_quality"


def test_who_keeps_a_part_is_told_of_nothing_beyond_it(kept, callers):
    layer = lots("quality_part", 5.0, checks={"partition": {}})
    west = layermaking.area(WEST - 50, NORTH - 50, WEST + 50, NORTH + 50)
    grant(layer, "department:water", "view,publish", area=west)
    check(layer)
    told = callers["zhao"].json("/api/layers/quality_part/quality")
    assert (told["limited"], told["findings"], told["runs"], told["total"]) == (True, [], [], 0)
    assert callers["zhao"].json("/api/quality")["findings"] == []
