"""What is special about periods, tables and large changesets: put in, shown, merged, published, taken back."""

from datetime import date, timedelta

import pytest
import shapely
from django.db import IntegrityError, connection, transaction

from layers import catalogue
from layers.actions import BadEdit
from layers.changesets import drafting, publishing, reverting, settling
from layers.changesets.content import MOST_FEATURES
from layers.changesets.drafting import DraftEdit
from layers.changesets.errors import HasConflicts
from layers.changesets.publishing import publish
from layers.changesets.reviewing import take_step
from layers.models import Change, Changeset, ChangesetFeature
from layers.moments import Moment
from tests.changesetting import begin, direct, features, put, shown, step, told, update
from tests.layermaking import NORTH, WEST, area, grant, ground, make_layer, square
from tests.people import person

pytest_plugins = ["tests.layermaking", "tests.changesetting"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

START, TURN = date(2020, 1, 1), date(2025, 1, 1)


@pytest.fixture
def zones(ming, gao, clean_memory):
    """Two zones, valid since 2020."""
    rows = [{"name": f"区{n}", "floors": n, "geometry": square(WEST + 300 * n, NORTH)} for n in (1, 2)]
    layer = make_layer(f"zones_{Change.objects.count()}", rows, valid_time=True, valid_from=START.isoformat())
    grant(layer, "role:planner", "view,query,edit")
    grant(layer, "role:reviewer", "view,query,edit,publish")
    return layer


def since(fid, version, day, **properties):
    return {
        "op": "update",
        "fid": fid,
        "version": version,
        "since": day.isoformat(),
        "properties": properties,
    }


def finish(owner, reviewer, number):
    counter = take_step(number, owner.principal, "submit").counter
    take_step(number, reviewer.principal, "approve", counter=counter)
    return publish(number, reviewer.principal, reason="", counter=counter)


def test_a_succession_in_a_changeset_has_two_periods(ming, gao, zones):
    number = begin(ming)
    put(ming, number, zones, since(1, 1, TURN, floors=9))
    before, after = "2024-12-31", TURN.isoformat()
    assert shown(ming, zones, changeset=number, datetime=before)[1]["floors"] == 1
    assert shown(ming, zones, changeset=number, datetime=after)[1]["floors"] == 9
    assert shown(ming, zones, datetime=after)[1]["floors"] == 1
    listed = told(ming, number, "/diff")["changes"]
    assert [(one["fid"], one["period"], one["op"]) for one in listed] == [
        (1, START.isoformat(), "update"),
        (1, TURN.isoformat(), "insert"),
    ]
    assert listed[0]["after"]["valid_to"] == TURN.isoformat() and listed[0]["before"]["valid_to"] is None
    finish(ming, gao, number)
    assert shown(ming, zones, datetime=before)[1]["floors"] == 1
    assert shown(ming, zones, datetime=after)[1]["floors"] == 9
    change = Change.objects.get(layer=zones, revision=2)
    assert (change.inserted, change.updated, change.deleted) == (0, 1, 0)
    back = reverting.revert(number, ming.principal, reason="")
    finish(ming, gao, back.pk)
    assert shown(ming, zones, datetime=after)[1]["floors"] == 1


def test_two_successions_of_one_zone_are_named_and_decided(ming, gao, zones):
    number = begin(ming)
    put(ming, number, zones, since(1, 1, TURN, floors=9))
    direct(gao, zones, since(1, 1, TURN + timedelta(days=90), floors=8))
    counter = step(ming, number, "submit")["counter"]
    step(gao, number, "approve", counter=counter)
    with pytest.raises(HasConflicts):
        publish(number, gao.principal, reason="", counter=counter)
    step(gao, number, "return", reason="重叠")
    listed = settling.conflicts(Changeset.objects.get(pk=number), ming.principal)
    kinds = {(met.draft.period, one.kind) for _, met in listed for one in met.merged.conflicts}
    assert kinds == {(START, "period"), (TURN, "overlap")}
    decisions = [
        settling.Decision(zones.name, (1, START), 2, "period", "theirs"),
        settling.Decision(zones.name, (1, TURN), None, "feature", "theirs"),
    ]
    settling.resolve(number, ming.principal, decisions)
    assert ChangesetFeature.objects.filter(changeset=number).count() == 0


def test_the_geometry_s_own_check_is_the_last_gate(ming, plots):
    """PostGIS stores NaN; a row that did not come through the judges is refused by the table (threats.md V4)."""
    number = begin(ming)
    put(ming, number, plots, {"op": "update", "fid": 1, "version": 1, "properties": {"amount": 1}})
    for text in ("POLYGON((0 0, 1 1, 1 0, 0 1, 0 0))", "POINT(NaN NaN)", "POINT(1e300 1)", "POLYGON EMPTY"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE layers_changesetfeature SET geom = ST_GeomFromText(%s, 4547) WHERE changeset_id = %s",
                [text, number],
            )


def test_a_changeset_larger_than_one_change(ming, gao, plots):
    """More than one call, and more than one direct change, may hold; all of it is one revision."""
    number = begin(ming)
    for part in range(2):
        row = NORTH - 900 - 5 * part
        edits = [DraftEdit("insert", geometry=square(WEST + 5 * n, row, 4)) for n in range(1500)]
        drafting.put(number, ming.principal, plots.name, edits)
    finish(ming, gao, number)
    change = Change.objects.get(layer=plots, revision=2)
    assert (change.inserted, change.updated, change.deleted) == (3000, 0, 0)
    plots.refresh_from_db()
    assert (plots.feature_count, plots.revision) == (3006, 2)
    assert publishing.KIND == change.kind and MOST_FEATURES == 20_000


def test_the_one_map_is_left_alone_by_a_draft(ming, plots):
    before = features(ming, plots)
    number = begin(ming)
    put(ming, number, plots, {"op": "delete", "fid": 1, "version": 1})
    assert features(ming, plots) == before
    today = Moment.today()
    assert today.changeset is None
    plots.refresh_from_db()
    assert plots.revision == 1
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ST_AsBinary(geom) FROM layers_changesetfeature WHERE changeset_id = %s", [number]
        )
        assert shapely.from_wkb(bytes(cursor.fetchone()[0])).area == pytest.approx(10_000)
    assert catalogue.current().layer(plots.name).id == plots.pk


def test_the_version_of_a_new_period_stands_above_the_old_ones(ming, gao, zones):
    """Who read the old period and edits "today" afterwards is told, instead of writing over the new one."""
    number = begin(ming)
    put(ming, number, zones, since(1, 1, TURN, floors=9))
    finish(ming, gao, number)
    assert features(ming, zones, datetime=TURN.isoformat())[1]["version"] == 2
    with pytest.raises(AssertionError, match="edit-conflict"):
        direct(ming, zones, update(1, 1, floors=5))


def test_who_publishes_needs_the_field_where_the_feature_lies(ming, offices):
    """A field that the reviewer holds in the west alone is not published in the east."""
    bo = person("bo", offices["data"], ["acceptor"])
    layer = make_layer(f"fields_{Change.objects.count()}", ground("fields"))
    grant(layer, "role:planner", "view,query,edit")
    grant(layer, "role:acceptor", "view,query,edit,publish", fields=["name"])
    west = area(WEST - 1_000, NORTH - 1_000, WEST + 5_000, NORTH + 5_000)
    grant(layer, "role:acceptor", "view,query,edit,publish", fields=["amount"], area=west)
    for fid, published in ((1, True), (6, False)):
        number = begin(ming)
        put(ming, number, layer, {"op": "update", "fid": fid, "version": 1, "properties": {"amount": 77}})
        if published:
            finish(ming, bo, number)
        else:
            with pytest.raises(BadEdit):
                finish(ming, bo, number)
        assert (shown(ming, layer)[fid]["amount"] == 77) is published
