"""Editing through the action and through the JSON API: what is allowed, what is refused, what is left behind."""

import math
from datetime import date, timedelta

import numpy as np
import pytest
import shapely
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers.actions import (
    BadEdit,
    EditConflict,
    FeatureEdit,
    FeatureMissing,
    OutsideArea,
    TooManyEdits,
    VersionRequired,
    edit_features,
    give,
)
from layers.actions.grants import grantee
from layers.models import Change, ChangeFeature, CodeList, CodeValue, Field
from layers.moments import Moment
from layers.rights import Action, scope
from layers.rules.periods import Period, overlapping
from process.models import AuditRecord
from tests.layers.conftest import EAST, NORTH, at, square

START, TURN = date(2024, 1, 1), date(2025, 1, 1)


def insert(shape, **properties):
    return FeatureEdit("insert", geometry=shape, properties=properties)


def update(fid, version, shape=None, period=None, since=None, **properties):
    return FeatureEdit("update", fid, version, shape, properties, period, since)


def delete(fid, version, period=None, since=None):
    return FeatureEdit("delete", fid, version, period=period, since=since)


def test_inserts_updates_and_deletes_are_one_change(land):
    name = land.lots(3)
    written = land.edit(
        name,
        insert(square(100), code="N1", floors=7),
        update(2, 1, square(21), floors=22),
        delete(3, 1),
        update(1, 1, code="甲一"),
        reason="五月测绘",
    )
    assert (written.revision, written.fids, written.versions) == (2, (4, 2, 3, 1), (1, 2, 2, 2))
    assert land.rows(name, "version", "rev_from", "code", "floors") == [
        (1, 2, 2, "甲一", 1),
        (2, 2, 2, "A2", 22),
        (4, 1, 2, "N1", 7),
    ]
    change = Change.objects.get(layer__name=name, revision=2)
    assert (change.inserted, change.updated, change.deleted) == (1, 2, 1)
    assert (change.author, change.reason, change.kind) == ("user:lin", "五月测绘", "edit")
    touched = dict(ChangeFeature.objects.filter(change=change).values_list("fid", "op"))
    assert touched == {1: "update", 2: "update", 3: "delete", 4: "insert"}
    box = ChangeFeature.objects.get(change=change, fid=2).bbox
    assert box == [EAST + 21, NORTH, EAST + 50, NORTH + 10]
    assert AuditRecord.objects.filter(action="layer.edit", object_name=name).count() == 1
    land.sound(name)


def test_the_past_of_a_feature_stays_whole(land):
    name = land.lots(1)
    for version in range(1, 5):
        land.update(name, 1, version, floors=100 + version)
    shown = [land.rows(name, "version", "floors", moment=Moment(revision)) for revision in range(6)]
    assert shown[0] == []
    assert shown[1:] == [[(1, 1, 1)], *([(1, n, 99 + n)] for n in range(2, 6))]
    land.sound(name)


def test_an_old_version_is_told_the_current_one_and_nothing_is_saved(land):
    name = land.lots(2)
    land.update(name, 1, 1, floors=5)
    with pytest.raises(EditConflict) as refusal:
        land.edit(name, insert(square(90), code="B", floors=1), update(1, 1, floors=6))
    assert (refusal.value.facts["current"], refusal.value.facts["version"]) == (2, 1)
    assert land.state(name).revision == 2
    assert len(land.rows(name)) == 2


@pytest.mark.parametrize(
    ("edit", "refusal"),
    [
        (FeatureEdit("update", 1, None, properties={"floors": 2}), VersionRequired),
        (FeatureEdit("delete", 1, None), VersionRequired),
        (update(99, 1, floors=2), FeatureMissing),
        (delete(99, 1), FeatureMissing),
        (insert(None, code="B"), BadEdit),
        (update(1, 1, storeys=2), BadEdit),
        (update(1, 1, floors="2"), BadEdit),
        (update(1, 1, floors=2.5), BadEdit),
        (update(1, 1, code=7), BadEdit),
        (update(1, 1, code="a\x00b"), BadEdit),
        (update(1, 1, since=TURN), BadEdit),
        (update(1, 1, period=TURN), BadEdit),
    ],
)
def test_what_cannot_be_stored_is_refused_by_name(land, edit, refusal):
    name = land.lots(1)
    with pytest.raises(refusal):
        land.edit(name, edit)
    assert land.state(name).revision == 1


def test_one_change_names_a_feature_once_and_holds_1_to_2000_edits(land):
    name = land.lots(1)
    with pytest.raises(BadEdit, match="twice"):
        land.edit(name, update(1, 1, floors=2), update(1, 1, floors=3))
    for edits in ([], [insert(square(), code="B", floors=1)] * 2001):
        with pytest.raises(TooManyEdits):
            land.edit(name, *edits)
    assert land.edit(name, *[insert(square(), code="B", floors=1)] * 2000).revision == 2


def broken(number):
    """A square one of whose eastings is no place."""
    points = shapely.get_coordinates(square())
    points[1, 0] = number
    with np.errstate(invalid="ignore"):
        return shapely.polygons(points)


SHAPES = {
    "bow-tie": shapely.Polygon([(EAST, NORTH), (EAST + 9, NORTH + 9), (EAST + 9, NORTH), (EAST, NORTH + 9)]),
    "empty": shapely.Polygon(),
    "a point": at(),
    "a line": shapely.LineString([(EAST, NORTH), (EAST + 9, NORTH)]),
    "a collection": shapely.GeometryCollection([square()]),
    "not a number": broken(math.nan),
    "infinite": broken(math.inf),
    "huge": shapely.box(EAST, NORTH, 1e300, 2e300),
    "ten degrees off": shapely.box(9_500_000, NORTH, 9_500_010, NORTH + 10),
    "with heights": shapely.force_3d(square(), 12.0),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_geometries_that_break_a_layer_are_refused(land, shape):
    name = land.lots(1)
    for edit in (insert(shape, code="B", floors=1), update(1, 1, shape)):
        with pytest.raises(BadEdit, match="geometry"):
            land.edit(name, edit)
    assert land.state(name).revision == 1


@pytest.mark.parametrize(
    "text", ["POINT(NaN 1)", "POINT(1e300 1)", "POLYGON EMPTY", "POLYGON Z((0 0 1,1 0 1,0 1 1,0 0 1))"]
)
def test_the_table_itself_refuses_them_too(land, text):
    name = land.lots(1)
    with pytest.raises(Exception, match="check constraint|has Z dimension|Geometry"):
        land.query(f"UPDATE data.{name} SET geom = ST_GeomFromText(%s, 4547)", text)


@pytest.fixture
def strict(land):
    """A layer whose fields declare constraints."""
    name = land.lots(1)
    uses = CodeList.objects.create(code=name, edition="2023", title_zh="用途", title_en="uses")
    for code in ("A1", "R2"):
        CodeValue.objects.create(code_list=uses, code=code, title_zh=code)
    Field.objects.filter(layer__name=name, name="code").update(required=True, code_list=uses, max_length=4)
    Field.objects.filter(layer__name=name, name="floors").update(minimum=1, maximum=120)
    return name


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"floors": 0}, "below-minimum"),
        ({"floors": 121}, "above-maximum"),
        ({"code": "X9"}, "not-in-code-list"),
        ({"code": None}, "required"),
        ({"code": ""}, "required"),
    ],
)
def test_declared_constraints_are_obeyed(land, strict, values, word):
    with pytest.raises(BadEdit, match=word):
        land.edit(strict, update(1, 1, **values))
    with pytest.raises(BadEdit, match=word):
        land.edit(strict, insert(square(), **{"code": "A1", "floors": 3, **values}))
    assert land.edit(strict, update(1, 1, code="R2", floors=120)).versions == (2,)


def area_around(x, y, side):
    """A grant's area, longitude and latitude, around a place of the storage CRS."""
    shape = GEOSGeometry(square(x, y, side).wkt, srid=4547)
    shape.transform(4490)
    return MultiPolygon(shape, srid=4490)


def test_wang_edits_only_within_her_area(land, people):
    name = land.lots(4)  # at 20, 40, 60, 80 metres east
    give(
        grantee("user:wang"),
        ["view", "query", "edit"],
        by="user:lin",
        layer=land.state(name),
        area=area_around(15, -5, 40),
    )
    hers = scope(people.wang, name, Action.EDIT)

    def edit(*edits):
        from_wang = {"author": people.wang.name, "reason": "道路"}
        return edit_features(hers, edits, **from_wang)

    assert edit(update(1, 1, floors=9)).versions == (2,)
    for hidden in (update(4, 1, floors=9), delete(4, 1), update(4, 1, square(20))):
        with pytest.raises(FeatureMissing):
            edit(hidden)
    for outward in (update(2, 1, square(300)), insert(square(300), code="B", floors=1)):
        with pytest.raises(OutsideArea):
            edit(outward)
    assert edit(insert(square(30), code="B", floors=1), delete(2, 1)).revision == 3
    land.sound(name)


def test_wang_edits_only_her_fields(land, people):
    name = land.lots(1)
    give(
        grantee("department:transport"),
        ["view", "query", "edit"],
        by="user:lin",
        layer=land.state(name),
        fields=["floors"],
    )
    hers = scope(people.wang, name, Action.EDIT)
    assert edit_features(hers, [update(1, 1, floors=9)], author=people.wang.name, reason="").versions == (2,)
    with pytest.raises(BadEdit, match="no field code"):
        edit_features(hers, [update(1, 2, code="B")], author=people.wang.name, reason="")
    assert land.rows(name, "code", "floors") == [(1, "A1", 9)]


def test_wang_edits_a_field_only_where_it_is_hers(land, people):
    name = land.lots(4)  # at 20, 40, 60, 80 metres east
    limits = {"fields": ["floors"]}, {"area": area_around(15, -5, 40)}
    for limit in limits:
        give(grantee("user:wang"), ["view", "query", "edit"], by="user:lin", layer=land.state(name), **limit)
    hers = scope(people.wang, name, Action.EDIT)

    def edit(*edits):
        return edit_features(hers, edits, author=people.wang.name, reason="道路")

    assert edit(update(1, 1, code="B1"), update(4, 1, floors=9)).versions == (2, 2)
    for beyond in (
        update(4, 2, code="B4"),
        update(2, 1, square(300), code="B2"),
        insert(square(300), code="B5", floors=1),
    ):
        with pytest.raises(BadEdit, match="no field code"):
            edit(beyond)
    assert [row[1:] for row in land.rows(name, "code", "floors")] == [
        ("B1", 1), ("A2", 2), ("A3", 3), ("A4", 9)
    ]  # fmt: skip


@pytest.fixture
def parcels(land):
    """Two parcels valid from 2024 on."""
    return land.lots(2, key="code", valid_time=True, valid_from=START.isoformat())


def everything(land, name):
    return land.rows(name, "valid_from", "valid_to", "floors", "version", moment=Moment())


def test_a_correction_keeps_the_period(land, parcels):
    assert land.edit(parcels, update(1, 1, floors=11)).versions == (2,)
    assert everything(land, parcels)[0] == (1, START, None, 11, 2)
    assert land.rows(parcels, "floors", moment=Moment(1, START, START))[0] == (1, 1)
    land.sound(parcels)


def test_a_succession_ends_the_old_period(land, parcels):
    assert land.edit(parcels, update(1, 1, floors=11, since=TURN)).versions == (2,)
    assert everything(land, parcels)[:2] == [(1, START, TURN, 1, 2), (1, TURN, None, 11, 2)]
    assert land.edit(parcels, update(1, 2, floors=12, since=TURN)).versions == (3,)
    assert everything(land, parcels)[1] == (1, TURN, None, 12, 3)
    assert land.edit(parcels, update(1, 2, floors=3, period=START)).versions == (3,)
    assert everything(land, parcels)[0] == (1, START, TURN, 3, 3)
    land.sound(parcels)


@pytest.mark.parametrize("how", ["edit", "delivery"])
def test_who_read_the_period_before_a_succession_is_told(land, parcels, how):
    if how == "edit":
        land.edit(parcels, update(1, 1, floors=11, since=TURN))
    else:
        rows = [(square(20), {"code": "A1", "floors": 11}), (square(40), {"code": "A2", "floors": 2})]
        land.deliver(parcels, rows, mode="replace", key="code", valid_from=TURN.isoformat())
    assert everything(land, parcels)[1][:4] == (1, TURN, None, 11)
    with pytest.raises(EditConflict):
        land.edit(parcels, update(1, 1, floors=5))  # read when the period of 2024 was today's
    with pytest.raises(EditConflict):
        land.edit(parcels, delete(1, 1))
    assert everything(land, parcels)[1] == (1, TURN, None, 11, 2)


def test_an_end_and_a_delete(land, parcels):
    land.edit(parcels, delete(1, 1, since=TURN))
    assert everything(land, parcels)[0] == (1, START, TURN, 1, 2)
    with pytest.raises(FeatureMissing):
        land.edit(parcels, update(1, 2, floors=5))  # not valid today
    with pytest.raises(BadEdit, match="ends on"):
        land.edit(parcels, delete(1, 2, period=START, since=date(2026, 1, 1)))
    land.edit(parcels, delete(1, 2, period=START))
    assert [row[0] for row in everything(land, parcels)] == [2]
    assert land.state(parcels).feature_count == 1
    land.sound(parcels)


def test_all_periods_of_a_feature_deleted_at_once(land, parcels):
    land.edit(parcels, update(1, 1, floors=11, since=TURN))
    land.edit(parcels, delete(1, 2, period=START), delete(1, 2, period=TURN))
    assert [row[0] for row in everything(land, parcels)] == [2]
    land.sound(parcels)


@pytest.mark.parametrize("since", [START - timedelta(1), TURN, TURN + timedelta(1)])
def test_a_succession_lies_within_the_period_it_ends(land, parcels, since):
    land.edit(parcels, delete(1, 1, since=TURN))
    with pytest.raises(BadEdit, match="does not lie within"):
        land.edit(parcels, update(1, 2, floors=5, period=START, since=since))


days = st.integers(0, 700).map(lambda n: START + timedelta(n))
steps = st.lists(st.tuples(st.sampled_from(["correct", "succeed", "end", "delete"]), days, days), max_size=6)


@given(steps)
@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_periods_never_overlap_whatever_is_asked(land, done):
    name = land.name_of_layer("periods")
    land.deliver(name, [(square(), {"n": 1})], valid_time=True, valid_from=START.isoformat())
    for op, day, turn in done:
        periods = {
            row[1]: row[4]
            for row in land.rows(name, "valid_from", "valid_to", "n", "version", moment=Moment())
        }
        start = max((one for one in periods if one <= day), default=None)
        since = turn if op in {"succeed", "end"} else None
        edit = FeatureEdit(
            "delete" if op in {"end", "delete"} else "update",
            1,
            periods.get(start),
            None,
            {},
            start or day,
            since,
        )
        try:
            land.edit(name, edit)
        except (BadEdit, FeatureMissing, VersionRequired):
            continue
    found = [
        Period(start, end) for _, start, end in land.rows(name, "valid_from", "valid_to", moment=Moment())
    ]
    assert overlapping(found) is None
    land.sound(name)
