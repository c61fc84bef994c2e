"""What a delivery would change, and the corrections of the one map in its way: nothing is overwritten silently."""

from types import SimpleNamespace

import pytest
import shapely
from django.conf import settings
from django.db import connection, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of
from hypothesis import strategies as st

from layers.actions import FeatureEdit
from layers.actions.past import restore_feature
from layers.exchange import pipeline, publishing
from layers.exchange.differences import NothingCompared, difference, drop_plan, hold_for_plan, keep_plan
from layers.exchange.options import ImportOptions
from layers.exchange.receiving import receive
from layers.models import ChangeCell, ChangeFeature, Correction, Layer, Lineage
from layers.moments import Moment
from spatial.crs import transformation
from tests.layers.conftest import square

TILE_LEVEL = 11  # of the city's grid: tiles of 143 m


def lot(number, floors=None, **values):
    return square(20 * number), {"code": f"A{number}", "floors": floors or number, **values}


def counts(report):
    assert report["status"] == "done", report
    return tuple(report[name] for name in ("inserted", "updated", "unchanged", "removed", "conflicts"))


def held(report):
    assert report["status"] == "held", report
    return [one["code"] for one in report["held"]]


def named(report, code):
    return [one["value"] for one in report["findings"] if one["code"] == code]


def context():
    return SimpleNamespace(
        job_id=0, progress=lambda *_: None, check_cancel=lambda: None, fail_point=lambda _: None
    )


@pytest.fixture
def compared(land):
    """Stage rows beside a layer and keep the comparison: the staged rows, the layer, the counts."""
    kept = []

    def compare(name, rows, **options):
        received = receive(land.package(rows))
        chosen = ImportOptions(layer=name, title=name, department="data", **{"mode": "replace", **options})
        origin = {"path": str(received.path), "name": received.name, "sha256": received.sha256}
        prepared = pipeline.prepare(context(), chosen, origin, f"compared_{len(kept)}")
        assert prepared.rows is not None, prepared.found.held
        with transaction.atomic(), connection.cursor() as cursor:
            kept.append(prepared.rows)
            return prepared.rows, prepared.layer, keep_plan(cursor, prepared.rows, prepared.layer)

    yield compare
    for rows in kept:
        drop_plan(rows)
        pipeline.drop_staged(rows.table)


def test_a_manager_sees_what_a_delivery_would_change_before_it_does(land, compared):
    name = land.lots(4, key="code")
    moved = square(40.5)
    rows, layer, planned = compared(
        name, [lot(1), (moved, {"code": "A2", "floors": 2}), lot(3, 33, 用途="住宅"), lot(7, 用途="商业")]
    )
    assert (planned.insert, planned.update, planned.same, planned.gone, planned.conflict) == (1, 2, 1, 1, 0)
    page = difference(rows, layer)
    assert page["counts"] == {"insert": 1, "update": 2, "same": 1, "remove": 1, "conflict": 0}
    shifted, storeys, removed, added = page["rows"]
    assert (shifted["op"], shifted["key"], shifted["row"], shifted["fid"]) == ("update", "A2", 2, 2)
    assert shifted["changes"] == {}
    assert shifted["place"] != shifted["before"] is not None
    assert (shifted["area_before"], shifted["area_after"]) == (100.0, 100.0)
    assert storeys["changes"] == {"floors": [3, 33], "用途": [None, "住宅"]}
    assert storeys["before"] is None
    assert (removed["op"], removed["key"], removed["row"]) == ("remove", "A4", None)
    assert removed["changes"] == {"code": ["A4", None], "floors": [4, None]}
    assert (added["op"], added["fid"], added["area_after"]) == ("insert", None, 100.0)
    assert added["changes"] == {"code": [None, "A7"], "floors": [None, 7], "用途": [None, "商业"]}
    assert land.state(name).revision == 1


def test_places_are_longitude_and_latitude(land, compared):
    rows, layer, _ = compared(land.lots(1, key="code"), [lot(1, 9)])
    place = shapely.geometry.shape(difference(rows, layer)["rows"][0]["place"])
    degrees = transformation(settings.ONEMAP_SRID, 4490, settings.ONEMAP_CRS_PARAMETERS).apply
    assert place.hausdorff_distance(shapely.transform(lot(1)[0], degrees)) < 2e-8


def test_every_change_comes_once_page_by_page(land, compared):
    name = land.lots(9, key="code")
    rows, layer, _ = compared(
        name, [*(lot(n, 50 + n) for n in range(1, 6)), *(lot(n) for n in range(20, 27))]
    )
    seen, after = [], 0
    while after is not None:
        page = difference(rows, layer, after=after, limit=3)
        seen += [(one["op"], one["key"]) for one in page["rows"]]
        after = page["next"]
    updated, removed, added = range(1, 6), range(6, 10), range(20, 27)
    assert seen == [
        *(("update", f"A{n}") for n in updated),
        *(("remove", f"A{n}") for n in removed),
        *(("insert", f"A{n}") for n in added),
    ]
    only = difference(rows, layer, op="remove", limit=2)
    assert [one["key"] for one in only["rows"]] == ["A6", "A7"]
    more = difference(rows, layer, op="remove", after=only["next"])
    assert ([one["key"] for one in more["rows"]], more["next"]) == (["A8", "A9"], None)


def test_all_rows_of_a_new_layer_are_insertions(land, compared):
    rows, layer, planned = compared(land.name_of_layer("fresh"), [lot(1), lot(2), lot(3)], key="code")
    assert layer is None
    assert planned.insert == 3
    first = difference(rows, layer, op="insert", limit=2)
    assert [one["key"] for one in first["rows"]] == ["A1", "A2"]
    assert first["rows"][0]["changes"] == {"code": [None, "A1"], "floors": [None, 1]}
    last = difference(rows, layer, op="insert", after=first["next"], limit=2)
    assert ([one["key"] for one in last["rows"]], last["next"]) == (["A3"], None)
    assert difference(rows, layer, op="remove")["rows"] == []


def test_a_comparison_that_was_dropped_is_named(land, compared):
    rows, layer, _ = compared(land.lots(1, key="code"), [lot(1)])
    drop_plan(rows)
    with pytest.raises(NothingCompared):
        difference(rows, layer)


@pytest.fixture
def corrected(land):
    """A delivered layer of which Lin corrected lot 2 to 22 floors and Wang deleted lot 4 and drew lot 9."""
    name = land.lots(5, key="code")
    land.update(name, 2, 1, floors=22)
    land.edit(name, FeatureEdit("delete", 4, 1), author="user:wang")
    shape, values = lot(9)
    land.edit(name, FeatureEdit("insert", geometry=shape, properties=values), author="user:wang")
    return name


OLD = [lot(n) for n in range(1, 6)]


def test_corrections_that_a_delivery_does_not_know_stop_it(land, corrected):
    report = land.deliver(corrected, OLD, mode="replace")
    assert held(report) == ["corrections-conflict"]
    assert report["held"][0]["count"] == 3
    assert report["held"][0]["pass"] == "--conflicts keep|take"
    assert (report["read"], report["inserted"]) == (0, 0)
    assert land.state(corrected).revision == 4
    assert Lineage.objects.filter(layer__name=corrected).count() == 1


def test_three_versions_stand_beside_each_other(land, corrected, compared):
    rows, layer, planned = compared(corrected, [*OLD[:1], lot(2, 25), *OLD[2:]])
    assert (planned.update, planned.gone, planned.insert, planned.conflict) == (1, 1, 1, 3)
    found = {one["key"]: one for one in difference(rows, layer, op="conflict")["rows"]}
    assert {key: (one["op"], one["conflict"]) for key, one in found.items()} == {
        "A2": ("update", "both"),
        "A4": ("insert", "correction"),
        "A9": ("remove", "correction"),
    }
    assert found["A2"]["versions"] == {"floors": [2, 22, 25]}
    assert found["A4"]["versions"]["floors"] == [4, None, 4]
    assert found["A9"]["versions"]["code"] == [None, "A9", None]
    assert found["A2"]["base_place"]["type"] == found["A4"]["base_place"]["type"] == "Polygon"
    assert found["A4"]["fid"] == 4


def test_corrections_are_kept_and_the_rest_of_the_delivery_arrives(land, corrected):
    report = land.deliver(corrected, [*OLD[:4], lot(5, 55), lot(6)], mode="replace", conflicts="keep")
    assert counts(report) == (1, 1, 4, 0, 3)
    assert named(report, "correction-kept") == ["A2", "A4", "A9"]
    assert land.rows(corrected, "version", "code", "floors") == [
        (1, 1, "A1", 1),
        (2, 2, "A2", 22),
        (3, 1, "A3", 3),
        (5, 2, "A5", 55),
        (6, 1, "A9", 9),
        (7, 1, "A6", 6),
    ]
    land.sound(corrected)


def test_what_was_kept_once_is_asked_about_again_next_year(land, corrected):
    land.deliver(corrected, OLD, mode="replace", conflicts="keep")
    assert Correction.objects.filter(layer__name=corrected).count() == 3
    assert held(land.deliver(corrected, OLD, mode="replace")) == ["corrections-conflict"]
    known = [lot(1), lot(2, 22), lot(3), lot(5), lot(9)]
    assert counts(land.deliver(corrected, known, mode="replace")) == (0, 0, 5, 0, 0)
    assert not Correction.objects.filter(layer__name=corrected).exists()
    assert counts(land.deliver(corrected, [lot(1), lot(2, 23), lot(3)], mode="replace")) == (0, 1, 2, 2, 0)


def test_a_delivery_may_be_taken_over_corrections_and_says_which(land, corrected):
    report = land.deliver(corrected, OLD, mode="replace", conflicts="take")
    assert counts(report) == (1, 1, 3, 1, 3)
    assert len(named(report, "correction-overwritten")) == 3
    assert [row[1:] for row in land.rows(corrected, "code", "floors")] == [
        (f"A{n}", n) for n in (1, 2, 3, 5, 4)
    ]
    assert land.rows(corrected, "floors", moment=Moment(4))[1] == (2, 22)
    land.sound(corrected)


def test_a_delivery_that_knows_the_correction_is_no_conflict(land, corrected):
    assert counts(land.deliver(corrected, [lot(1), lot(2, 22), lot(3), lot(5), lot(9)], mode="replace")) == (
        0, 0, 5, 0, 0,
    )  # fmt: skip


def test_a_correction_taken_back_is_no_conflict(land):
    name = land.lots(3, key="code")
    land.update(name, 2, 1, floors=22)
    restore_feature(land.scope(name), 2, 1, author="user:lin", reason="a slip")
    assert counts(land.deliver(name, [lot(1), lot(2, 7), lot(3)], mode="replace")) == (0, 1, 2, 0, 0)


def test_an_upsert_leaves_alone_what_it_does_not_name_and_remembers_it(land, corrected):
    assert counts(land.deliver(corrected, [lot(1, 11)], mode="upsert")) == (0, 1, 0, 0, 0)
    assert held(land.deliver(corrected, OLD, mode="upsert")) == ["corrections-conflict"]
    assert counts(land.deliver(corrected, [lot(7)], mode="append")) == (1, 0, 0, 0, 0)
    report = land.deliver(corrected, OLD, mode="replace")
    assert report["held"][0]["count"] == 3


def test_without_a_key_the_old_version_is_not_brought_back_silently(land):
    name = land.lots(3)
    land.update(name, 2, 1, floors=22)
    land.edit(name, FeatureEdit("delete", 3, 1))
    rows = [lot(1), lot(2), lot(3), lot(8)]
    assert land.deliver(name, rows, mode="replace")["held"][0]["count"] == 2
    assert counts(land.deliver(name, rows, mode="replace", conflicts="keep")) == (1, 0, 3, 0, 2)
    assert [row[1:] for row in land.rows(name, "code", "floors")] == [("A1", 1), ("A2", 22), ("A8", 8)]
    land.sound(name)


def test_a_corrected_key_is_not_a_removal_and_an_insertion(land):
    name = land.lots(3, key="code")
    land.update(name, 2, 1, code="B2")
    rows = [lot(n) for n in (1, 2, 3)]
    assert land.deliver(name, rows, mode="replace")["held"][0]["count"] == 1
    assert counts(land.deliver(name, rows, mode="replace", conflicts="keep")) == (0, 0, 3, 0, 1)
    assert [row[1] for row in land.rows(name, "code")] == ["A1", "B2", "A3"]


def test_a_correction_in_a_layer_with_valid_time_is_a_conflict_too(land):
    name = land.name_of_layer("status")
    land.deliver(name, [lot(1), lot(2)], key="code", valid_time=True, valid_from="2024-01-01")
    land.update(name, 2, 1, floors=22)
    again = {"mode": "replace", "valid_from": "2025-01-01"}
    assert held(land.deliver(name, [lot(1), lot(2)], **again)) == ["corrections-conflict"]
    assert counts(land.deliver(name, [lot(1), lot(2)], conflicts="keep", **again)) == (0, 0, 2, 0, 1)
    assert counts(land.deliver(name, [lot(1), lot(2)], conflicts="take", **again)) == (0, 1, 1, 0, 1)
    land.sound(name)


def test_a_dry_run_foretells_the_conflicts(land, corrected):
    report = land.deliver(corrected, OLD, mode="replace", dry_run=True)
    assert counts(report) == (1, 1, 3, 1, 3)
    assert [one["code"] for one in report["would_hold"]] == ["corrections-conflict"]
    assert land.state(corrected).revision == 4


@pytest.mark.parametrize(("changed", "stops"), [(2, False), (3, True)])
def test_more_changes_than_expected_wait_for_a_person(land, changed, stops):
    name = land.lots(10, key="code")
    rows = [lot(n, 90 if n <= changed else n) for n in range(1, 11)]
    report = land.deliver(name, rows, mode="replace", most_changed=0.2)
    if not stops:
        assert counts(report) == (0, changed, 10 - changed, 0, 0)
        return
    assert held(report) == ["count-jumped"]
    assert (report["held"][0]["share"], report["held"][0]["updated"]) == (0.3, 3)
    report = land.deliver(name, rows, mode="replace", most_changed=0.2, accept=("count-jumped",))
    assert counts(report) == (0, 3, 7, 0, 0)


def test_half_a_file_does_not_empty_a_layer(land, compared):
    rows, layer, planned = compared(land.lots(10, key="code"), [lot(1)], most_changed=0.5)
    assert [one.code for one in hold_for_plan(planned, rows.options, layer)] == ["count-jumped"]


def test_a_file_delivered_again_in_degrees_changes_nothing(land):
    name = land.name_of_layer("degrees")
    to_degrees = transformation(settings.ONEMAP_SRID, 4490, settings.ONEMAP_CRS_PARAMETERS).apply
    frame = [(shapely.transform(shape, to_degrees), values) for shape, values in OLD]
    path = land.package_in(frame, 4490)
    assert land.bring(path, name, key="code")["inserted"] == 5
    assert counts(land.bring(path, name, mode="replace")) == (0, 0, 5, 0, 0)


def other_way(shape):
    """The same square, begun at its third corner and run the other way round, as a multiple form."""
    ring = list(shape.exterior.coords)[:-1]
    turned = [*ring[2:], *ring[:2]][::-1]
    return shapely.MultiPolygon([shapely.Polygon(turned)])


@pytest.mark.parametrize("key", ["code", None])
def test_another_order_of_corners_changes_nothing(land, key):
    name = land.lots(4, key=key)
    before = land.rows(name, "version", "rev_from", "geom")
    turned = [(other_way(shape), values) for shape, values in (lot(n) for n in range(1, 5))]
    assert counts(land.deliver(name, turned, mode="replace")) == (0, 0, 4, 0, 0)
    assert land.rows(name, "version", "rev_from", "geom") == before


def test_a_corner_moved_by_a_tenth_of_a_millimetre_is_a_change(land):
    name = land.lots(2, key="code")
    shape, values = lot(1)
    ring = list(shape.exterior.coords)
    moved = shapely.Polygon([(ring[0][0] + 1e-4, ring[0][1]), *ring[1:4], (ring[0][0] + 1e-4, ring[0][1])])
    assert counts(land.deliver(name, [(moved, values), lot(2)], mode="replace")) == (0, 1, 1, 0, 0)


def test_the_direction_of_a_line_means_something(land):
    name = land.name_of_layer("pipes")
    line = shapely.LineString(list(square().exterior.coords)[:3])
    land.deliver(name, [(line, {"code": "P1"})], key="code")
    assert counts(land.deliver(name, [(line.reverse(), {"code": "P1"})], mode="replace")) == (0, 1, 0, 0, 0)


def cells_of(shapes, level=TILE_LEVEL):
    """The cells of the city's grid that boxes of shapes touch, counted out here."""
    side = settings.ONEMAP_GRID_SIZE / 2**level
    x, y = settings.ONEMAP_GRID_ORIGIN
    found = set()
    for shape in shapes:
        west, south, east, north = shape.bounds
        for column in range(int((west - x) // side), int((east - x) // side) + 1):
            for row in range(int((y - north) // side), int((y - south) // side) + 1):
                found.add((column, row))
    return found


def test_next_year_only_what_changed_changes(land):
    name = land.name_of_layer("survey")
    field = {
        n: (square(300 * (n % 40), 300 * (n // 40)), {"code": f"A{n}", "floors": n % 7}) for n in range(400)
    }
    land.deliver(name, list(field.values()), key="code")
    before = {row[0]: row for row in land.rows(name, "version", "rev_from", "geom")}
    changed = {7: (field[7][0], {"code": "A7", "floors": 70}), 133: (square(3900.5, 905), field[133][1])}
    removed, added = 250, (square(12_300, 40), {"code": "A900", "floors": 1})
    rows = [changed.get(n, one) for n, one in field.items() if n != removed] + [added]
    assert counts(land.deliver(name, rows, mode="replace")) == (1, 2, 397, 1, 0)
    after = {row[0]: row for row in land.rows(name, "version", "rev_from", "geom")}
    touched = {fid for fid in before.keys() | after.keys() if before.get(fid) != after.get(fid)}
    assert touched == {8, 134, 251, 401}
    assert land.query(f"SELECT fid FROM history.{name} ORDER BY fid") == [(8,), (134,), (251,)]
    named = ChangeFeature.objects.filter(change__layer__name=name, change__revision=2)
    assert {one.fid: one.op for one in named} == {8: "update", 134: "update", 251: "delete", 401: "insert"}
    boxes = {one.fid: tuple(one.bbox) for one in named}
    moved = shapely.union_all([field[133][0], changed[133][0]])
    assert boxes == {
        8: field[7][0].bounds,
        134: moved.bounds,
        251: field[250][0].bounds,
        401: added[0].bounds,
    }
    # A tile of the city's grid is touched exactly if a feature that changed lies in it.
    shapes = [field[7][0], moved, field[250][0], added[0]]
    assert cells_of(shapely.box(*box) for box in boxes.values()) == cells_of(shapes)
    assert len(cells_of(shapes)) < len(cells_of(shape for shape, _ in field.values())) / 10
    assert Layer.objects.get(name=name).feature_count == 400


def test_a_load_too_large_to_name_its_features_says_the_cells_of_those_that_changed(land, monkeypatch):
    monkeypatch.setattr(publishing, "MOST_NAMED", 2)
    name = land.name_of_layer("large")
    field = {
        n: (square(1200 * (n % 10), 1200 * (n // 10)), {"code": f"A{n}", "floors": 1}) for n in range(60)
    }
    land.deliver(name, list(field.values()), key="code")
    changed = {7: square(8450), 33: field[33][0]}
    rows = [
        (changed.get(n, shape), {**values, "floors": 2 if n in changed else 1})
        for n, (shape, values) in field.items()
    ]
    rows.append((square(100, 9000), {"code": "A90", "floors": 1}))
    assert counts(land.deliver(name, rows, mode="replace")) == (1, 2, 58, 0, 0)
    cells = ChangeCell.objects.filter(change__layer__name=name, change__revision=2).values_list(
        "column", "row"
    )
    touched = cells_of([field[7][0], changed[7], field[33][0], square(100, 9000)], publishing.CELL_LEVEL)
    assert set(cells) == touched
    assert not ChangeFeature.objects.filter(change__layer__name=name).exists()


edits = st.lists(st.tuples(st.integers(1, 5), st.sampled_from(["floors", "shape", "delete"])), max_size=3)
delivered = st.dictionaries(st.integers(1, 7), st.integers(1, 3), min_size=1, max_size=6)


@given(edits=edits, delivered=delivered, keyed=st.booleans(), again=st.booleans())
@settings_of(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_what_is_kept_is_never_overwritten(land, edits, delivered, keyed, again):
    name = land.lots(5, key="code" if keyed else None)
    corrected = {}
    for fid, what in edits:
        if corrected.get(fid) == "delete":
            continue
        version = dict(land.rows(name, "version"))[fid]
        if what == "delete":
            land.edit(name, FeatureEdit("delete", fid, version))
        elif what == "shape":
            land.edit(name, FeatureEdit("update", fid, version, geometry=square(20 * fid + 1 + version)))
        else:
            land.update(name, fid, version, floors=40 + version)
        corrected[fid] = what
    before = {row[0]: row for row in land.rows(name, "version", "rev_from", "code", "floors", "geom")}
    rows = [lot(number, floors) for number, floors in sorted(delivered.items())]
    for _ in range(1 + again):
        report = land.deliver(name, rows, mode="replace", conflicts="keep")
        inserted, updated, unchanged, _, conflicts = counts(report)
        assert inserted + updated + unchanged == len(rows)
        after = {row[0]: row for row in land.rows(name, "version", "rev_from", "code", "floors", "geom")}
        assert {fid: after.get(fid) for fid in corrected} == {fid: before.get(fid) for fid in corrected}
        assert conflicts <= len(corrected)
    assert not again or (inserted, updated, report["removed"]) == (0, 0, 0)
    land.sound(name)
