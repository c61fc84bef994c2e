"""Tiles of small zooms: what is in them, for whom, and how heavy they are."""

import re

import pytest

from layers.models import Layer, Overview
from layers.overviews.following import behind, catch_up
from tests import doors, layermaking, people
from tests.layermaking import EAST, NORTH, WEST, area, grant, square
from tests.people import Caller

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

FIRST = 7
CITY = "/tiles/{}/CityGrid/0/0/0.mvt"
WEST_BOX = (WEST - 1_000, NORTH - 1_000, WEST + 9_000, NORTH + 9_000)
STYLE = {"categories": {"field": "use", "values": {}}}


def rows(count=300):
    """Squares of 10 m and, every tenth, of 3 km, half of them in the west; what is east is a secret."""
    found = []
    for number in range(count):
        east, large = number % 2, number % 10 == 0
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
    assert set(single) == set(range(1, 301, 10))
    assert sum(one["onemap_count"] for one in merged) == 270
    assert {one["use"] for one in merged} == {"wood", "SECRET-east"}
    assert behind() == []
