"""Tiles of small zooms: what is in them, for whom, and how heavy they are."""

import re
from datetime import date

import pytest
import shapely
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers.actions import FeatureEdit, edit_features
from layers.models import Layer
from layers.overviews import following, making
from layers.overviews.following import behind, catch_up
from layers.rights import Action, operator_scope
from tests import doors, layermaking, people
from tests.layermaking import EAST, NORTH, WEST, area, grant, square
from tests.people import Caller
from tests.tiles.test_views import address
from tiles import overviews, views

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

FIRST = 7
CITY = "/tiles/{}/CityGrid/0/0/0.mvt"
WEST_BOX = (WEST - 1_000, NORTH - 1_000, WEST + 9_000, NORTH + 9_000)
STYLE = {"categories": {"field": "use", "values": {}}}


def rows(count=300):
    """Squares of 10 m and, every fifth, of 3 km, half of them in the west; what is east is a secret."""
    found = []
    for number in range(count):
        east, large = number % 2, number % 5 == 0
        x = (EAST if east else WEST) + 40 * (number // 20) * 3
        y = NORTH + 40 * (number % 20)
        use = "SECRET-east" if east else "wood"
        shape = square(x, y, 3_000.0 if large else 10.0)
        found.append({"use": use, "name": f"plot {number}", "geometry": shape})
    return found


def follow():
    """What the follower does, here and at once."""
    while waiting := behind():
        for one in waiting:
            catch_up(one, by_job=False)


def begin_at(layer, first=FIRST):
    """Let a layer be shown by overviews below a level of CityGrid."""
    levels = {"CityGrid": first, "WebMercatorQuad": first + 7, "CGCS2000Quad": first + 8}
    Layer.objects.filter(pk=layer.pk).update(first_levels=levels)


@pytest.fixture(scope="module")
def public(kept):
    people.offices()
    return Caller("public")


@pytest.fixture(scope="module")
def plots(public):
    layer = layermaking.make_layer("plots", rows(), public=True, label_field="name", style=STYLE)
    begin_at(layer)
    return layer


def shapes(caller, path):
    """Features of a small-zoom tile: those that stand for themselves by fid, and the merged ones."""
    answer = caller.get(path)
    assert answer.status_code == 200, answer.status_code
    listed = doors.tile(answer.content).get("plots", {"features": []})["features"]
    single = {one["id"]: one["properties"] for one in listed if "onemap_count" not in one["properties"]}
    return single, [one["properties"] for one in listed if "onemap_count" in one["properties"]]


def test_small_zooms_are_empty_until_the_overviews_are_made(plots, public):
    assert public.get(CITY.format("plots")).status_code == 204
    follow()
    single, merged = shapes(public, CITY.format("plots"))
    assert set(single) == set(range(1, 301, 5))
    assert sum(one["onemap_count"] for one in merged) == 240
    assert {one["use"] for one in merged} == {"wood", "SECRET-east"}
    assert behind() == []


def edit(layer, *edits):
    edit_features(operator_scope(layer, Action.EDIT), list(edits), author="tests", reason="survey")


def rows_of(layer):
    """The stored shapes with the block that each belongs to, and when the row was written."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT level, block, fid, class, number, round(weight::numeric, 6), ST_AsText(geom, 3), ctid::text"
            " FROM overview.shape WHERE layer = %s",
            [layer.pk],
        )
        return cursor.fetchall()


def content(layer):
    return sorted(repr(row[:-1]) for row in rows_of(layer))


def block_at(x, y):
    """The block that owns a point: 128 by 128 of them, rows counted downward."""
    side = 293_601.28 / 128
    return int((2_640_000 - y) // side) * 128 + int((x - 400_000) // side)


def test_an_edit_remakes_its_blocks_and_no_other(plots, public):
    follow()
    before, tag = set(rows_of(plots)), public.get(CITY.format("plots")).headers["ETag"]
    edit("plots", FeatureEdit("update", 1, 1, geometry=square(WEST + 20_000, NORTH, 2_500)))
    follow()
    gone = {row[1] for row in before - set(rows_of(plots))}
    was, now = (WEST + 1_500, NORTH + 1_500), (WEST + 21_250, NORTH + 1_250)
    assert gone == {block_at(*was), block_at(*now)}
    kept = {row for row in before if row[1] not in gone}
    assert kept and kept <= set(rows_of(plots)), "all other rows are the very same"
    answer = public.get(CITY.format("plots"), if_none_match=tag)
    assert answer.status_code == 200
    assert answer.headers["ETag"] != tag
    assert public.get(CITY.format("plots"), if_none_match=answer.headers["ETag"]).status_code == 304


def test_what_is_deleted_is_gone_before_the_follower_comes(plots, public):
    follow()
    edit("plots", FeatureEdit("delete", 11, 1))
    assert 11 not in shapes(public, CITY.format("plots"))[0]


def test_other_moments_are_not_answered(plots, public):
    follow()
    assert public.get(CITY.format("plots") + "?as-of=rev:1").status_code == 204
    assert (
        public.get(CITY.format("plots") + "?datetime=2020-01-01").status_code == 200
    )  # it has no valid time


def test_what_is_valid_today_is_shown_and_the_day_turns(public, monkeypatch):
    period = {"valid_time": True, "valid_from": "2024-01-01"}
    layer = layermaking.make_layer("leases", rows(20), public=True, style=STYLE, **period)
    begin_at(layer)
    with monkeypatch.context() as eve:
        for module in (making, following):
            eve.setattr(module, "today", lambda: date(2023, 12, 31))
        follow()
        assert content(layer) == [], "on the eve none of them is valid yet"
    (turned,) = [one for one in behind() if one.layer == layer.pk]
    assert not turned.whole
    follow()
    assert behind() == []
    answer = public.get(CITY.format("leases"))
    assert answer.status_code == 200
    drawn = {one.get("id") for one in doors.tile(answer.content)["leases"]["features"]}
    assert drawn >= {1, 6, 11, 16}
    for other in ("2020-01-01", "2024-01-01/.."):
        # Overviews show today alone.
        assert public.get(CITY.format("leases") + f"?datetime={other}").status_code == 204


@pytest.mark.parametrize("grid", ["CityGrid", "WebMercatorQuad", "CGCS2000Quad"])
def test_every_level_of_every_grid_shows_the_layer(plots, public, grid):
    follow()
    shift = {"CityGrid": 0, "WebMercatorQuad": 7, "CGCS2000Quad": 8}[grid]
    for z in range(1 if grid == "CGCS2000Quad" else 0, FIRST + shift + 1):
        x, y = address(grid, z, WEST + 100, NORTH + 100)
        answer = public.get(f"/tiles/plots/{grid}/{z}/{x}/{y}.mvt")
        assert (answer.status_code, bool(answer.content)) == (200, True), z
        assert ("Onemap-Overview" in answer.headers) == (z < FIRST + shift), z


def test_an_area_shows_its_features_and_only_what_was_merged_within_it(plots, public):
    follow()
    plots.grants.all().delete()
    grant(plots, "department:water", "view", area=area(*WEST_BOX))
    answer = people.program(people.offices()["water"]).get(CITY.format("plots"))
    assert b"SECRET" not in answer.content
    single, merged = shapes(people.program(people.offices()["water"]), CITY.format("plots"))
    assert set(single) == set(range(1, 301, 10)), "those of the west"
    assert sum(one["onemap_count"] for one in merged) == 120, "all merged ones of the west"
    assert {one["use"] for one in merged} == {"wood"}


def test_under_an_area_a_feature_is_drawn_in_no_version_but_the_present(plots, public):
    """Moved into the area, it must not be seen where it was."""
    follow()
    plots.grants.all().delete()
    grant(plots, "department:water", "view", area=area(*WEST_BOX))
    caller = people.program(people.offices()["water"])
    edit(
        "plots", FeatureEdit("insert", geometry=square(EAST + 30_000, NORTH, 3_000), properties={"use": "x"})
    )
    follow()
    fid = max(fid for _, _, fid, *_ in rows_of(plots) if fid)
    assert fid not in shapes(caller, CITY.format("plots"))[0]
    edit("plots", FeatureEdit("update", fid, 1, geometry=square(WEST, NORTH, 3_000)))
    assert fid not in shapes(caller, CITY.format("plots"))[0]
    follow()
    assert fid in shapes(caller, CITY.format("plots"))[0]


def test_a_hidden_class_field_hides_what_was_merged_by_it(plots, public):
    follow()
    plots.grants.all().delete()
    grant(plots, "department:water", "view", fields=["name"])
    grant(plots, "department:water", "view", fields=["use"], area=area(*WEST_BOX))
    caller = people.program(people.offices()["water"])
    single, merged = shapes(caller, CITY.format("plots"))
    assert (len(single), merged) == (60, [])
    assert b"SECRET" not in caller.get(CITY.format("plots")).content


def test_two_callers_in_turn_each_get_their_own(plots, public):
    follow()
    plots.grants.all().delete()
    grant(plots, "department:water", "view", area=area(*WEST_BOX))
    grant(plots, "department:transport", "view")
    path, offices = CITY.format("plots"), people.offices()
    callers = [people.program(offices["water"]), people.program(offices["transport"])]
    answers = [one.get(path) for one in callers]
    assert answers[0].content != answers[1].content
    for number in range(1000):
        which = number % 2
        again = callers[which].get(path)
        assert (again.content, again.headers["ETag"]) == (
            answers[which].content,
            answers[which].headers["ETag"],
        )
    crossed = callers[0].get(path, if_none_match=answers[1].headers["ETag"])
    assert crossed.status_code == 200


def test_no_tile_is_too_heavy(plots, public, monkeypatch):
    monkeypatch.setattr(overviews, "MOST_BYTES", 600)
    views._memory.clear()
    follow()
    answer = public.get(CITY.format("plots"))
    views._memory.clear()
    assert 0 < len(answer.content) <= 600
    missing = int(re.search(r"missing=(\d+)", answer.headers["Onemap-Overview"]).group(1))
    assert missing > 0
    assert min(shapes(public, CITY.format("plots"))[0]) == 1, "the largest come first"


def test_the_tile_set_says_what_its_levels_leave_out(plots, public):
    follow()
    told = public.json("/ogc/collections/plots/tiles/WebMercatorQuad")["layers"][0]["overviews"]
    assert told["rule"]["en"] and told["rule"]["zh"]
    assert (told["minTileMatrix"], told["maxTileMatrix"]) == ("0", str(FIRST + 6))
    assert told["unanswered"] == ["as-of", "changeset"]
    level = told["levels"]["11"]
    assert (level["features"], level["merged"], level["dropped"]) == (60, 240, 0)
    assert level["cell"] == pytest.approx(level["pixel"] / 2)


POINT = st.tuples(st.integers(0, 9_000), st.integers(0, 9_000), st.sampled_from([3.0, 12.0, 40.0, 700.0]))
KINDS = {
    "polygon": lambda x, y, side: square(WEST + x, NORTH + y, side),
    "line": lambda x, y, side: shapely.LineString(
        [(WEST + x, NORTH + y), (WEST + x + side, NORTH + y + side)]
    ),
    "point": lambda x, y, side: shapely.Point(WEST + x, NORTH + y),
}


EDIT = st.tuples(
    st.integers(0, 10_000), st.sampled_from(["insert", "update", "delete"]), POINT, st.sampled_from("abc")
)


def meant(known, drawn, shape):
    """Edits of features that exist, each once; a deletion that would leave few is an insertion."""
    found = {}
    for number, (at, op, place, use) in enumerate(drawn):
        fid = sorted(known)[at % len(known)]
        if op == "update":
            found[fid] = FeatureEdit("update", fid, known[fid], shape(*place), {"use": use})
        elif op == "delete" and len(known) > 20:
            found[fid] = FeatureEdit("delete", fid, known[fid])
        else:
            found[-number] = FeatureEdit("insert", None, None, shape(*place), {"use": use})
    return found.values()


@pytest.mark.parametrize("kind", list(KINDS))
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(rounds=st.lists(st.lists(EDIT, min_size=1, max_size=4), min_size=1, max_size=3))
def test_after_any_edits_the_overviews_are_as_if_made_anew(public, kind, rounds):
    name, shape = f"random_{kind}", KINDS[kind]
    layer = Layer.objects.filter(name=name).first()
    if layer is None:
        first = [{"use": "abc"[n % 3], "geometry": shape(n * 37, n * 11, 30.0)} for n in range(60)]
        layer = layermaking.make_layer(name, first, style=STYLE)
        begin_at(layer)
    follow()
    for edits in rounds:
        edit(name, *meant(dict(stored(name)), edits, shape))
        for one in behind():
            assert not one.whole
            catch_up(one, by_job=False)
    followed = content(layer)
    making.build(making.info_of(layer.pk))
    assert content(layer) == followed


def stored(name):
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT fid, version FROM data."{name}" ORDER BY fid')
        return cursor.fetchall()
