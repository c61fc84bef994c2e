"""OGC API Features: the two times, and the changes since a revision."""

import json
from datetime import date, timedelta

import pytest
from django.db import connection
from django.http import QueryDict

from layers import queries
from layers.actions import FeatureEdit
from layers.models import Change
from layers.ogc.features_api.items import page_statement
from layers.ogc.features_api.parameters import parse_items, single
from layers.rights import Action, operator_scope
from tests import doors, layermaking, people
from tests.layermaking import NORTH, WEST, area, grant, square
from tests.surveying import (
    COUNT,
    ITEMS,
    assert_refused,
    edited,
    walk,
)

pytest_plugins = ["tests.layermaking", "tests.surveying"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]


def test_as_of_a_revision_and_of_a_time(survey, public):
    edited("survey", FeatureEdit("update", 5, 1, properties={"amount": -5}))
    edited("survey", FeatureEdit("delete", 6, 1))
    first = Change.objects.get(layer=survey, revision=1).at
    times = {change.revision: change.at for change in Change.objects.filter(layer=survey)}
    assert first == times[1]
    for revision, amount, count in ((1, 50, 25), (2, -5, 25), (3, -5, 24)):
        moments = (f"rev:{revision}", times[revision].isoformat().replace("+", "%2B"))
        for text in moments:
            document = public.json(f"{ITEMS}?limit=100&as-of={text}")
            found = {feature["id"]: feature["properties"]["amount"] for feature in document["features"]}
            assert (found[5], len(found), document["numberMatched"]) == (amount, count, count)
    earlier = (times[1] - timedelta(seconds=1)).isoformat().replace("+", "%2B")
    assert public.json(f"{ITEMS}?as-of={earlier}")["numberMatched"] == 0
    assert public.get(f"{ITEMS}/6").status_code == 404
    assert public.get(f"{ITEMS}/6?as-of=rev:2").status_code == 200


def test_valid_time_alone_and_with_record_time(dated, public):
    path = "/ogc/collections/dated/items"
    edited("dated", FeatureEdit("update", 1, 1, properties={"name": "later"}, since=date(2024, 1, 1)))
    edited("dated", FeatureEdit("update", 2, 1, properties={"name": "corrected"}))
    edited("dated", FeatureEdit("delete", 3, 1, since=date(2025, 1, 1)))

    def names(query):
        return [feature["properties"]["name"] for feature in public.json(f"{path}?{query}")["features"]]

    assert names("") == ["later", "corrected"]
    assert names("datetime=2023-12-31") == ["p1", "corrected", "p3"]
    assert names("datetime=2024-01-01") == ["later", "corrected", "p3"]
    assert names("datetime=2025-01-01") == ["later", "corrected"]
    assert names("datetime=2019-12-31") == []
    assert names("datetime=../..") == ["p1", "later", "corrected", "p3"]
    assert names("datetime=2023-01-01/2024-06-01") == ["p1", "later", "corrected", "p3"]
    assert names("datetime=2024-06-01&as-of=rev:1") == ["p1", "p2", "p3"]
    assert names("datetime=2024-06-01&as-of=rev:2") == ["later", "p2", "p3"]
    assert names("as-of=rev:3") == ["later", "corrected", "p3"]
    both = walk(public, f"{path}?datetime=../..&limit=1")
    assert [feature["properties"]["name"] for feature in both] == ["p1", "later", "corrected", "p3"]
    assert both[0]["time"] == {"interval": ["2020-01-01", "2024-01-01"]}
    assert both[1]["time"] == {"interval": ["2024-01-01", ".."]}


def changes(caller, layer, query=""):
    return caller.json(f"/ogc/collections/{layer}/changes{query}")


def ops(document) -> dict[int, str]:
    return {one["fid"]: one["op"] for one in document["features"]}


def test_changes_make_a_copy_like_the_layer(survey, public):
    first = changes(public, "survey")
    copy = {one["fid"]: one["feature"] for one in first["features"]}
    assert (first["revision"], set(ops(first).values()), len(copy)) == (1, {"insert"}, COUNT)
    edited("survey", FeatureEdit("update", 5, 1, properties={"amount": -5}), FeatureEdit("delete", 6, 1))
    new = edited("survey", FeatureEdit("insert", geometry=square(WEST, NORTH), properties={"name": "new"}))
    edited("survey", FeatureEdit("update", new, 1, properties={"name": "newer"}), FeatureEdit("delete", 7, 1))
    later = changes(public, "survey", "?since=1")
    assert ops(later) == {5: "update", 6: "delete", 7: "delete", new: "insert"}
    assert later["revision"] == 4
    for one in later["features"]:
        copy.pop(one["fid"], None)
        if one["op"] != "delete":
            copy[one["fid"]] = one["feature"]
    assert sorted(copy.values(), key=lambda one: one["id"]) == public.json(f"{ITEMS}?limit=1000")["features"]
    assert changes(public, "survey", "?since=4")["features"] == []


def test_a_feature_that_came_and_went_is_no_change(survey, public):
    came = edited("survey", FeatureEdit("insert", geometry=square(WEST, NORTH), properties={}))
    edited("survey", FeatureEdit("delete", came, 1))
    assert changes(public, "survey", "?since=1")["features"] == []


def test_changes_come_in_pages_that_hold_still(survey, public):
    found, document = {}, changes(public, "survey", "?limit=10")
    while True:
        found |= ops(document)
        assert document["revision"] == 1
        if document["next"] is None:
            break
        edited(
            "survey", FeatureEdit("update", 20, 1 + len(found) // 10 - 1, properties={"amount": len(found)})
        )
        document = public.json(document["next"].removeprefix("http://testserver"))
    assert found == dict.fromkeys(range(1, 26), "insert")


def test_since_a_revision_yet_to_come_is_nothing(survey, public):
    document = changes(public, "survey", "?since=999999999999")
    assert (document["features"], document["revision"], document["next"]) == ([], 1, None)


@pytest.mark.parametrize(
    "query", ["since=-1", "since=", "since=1.5", "since=１", "since=x", "limit=0", "crs=EPSG:1", "name=x"]
)
def test_changes_of_no_revision_are_refused(survey, public, query):
    assert_refused(public, f"/ogc/collections/survey/changes?{query}", 400)


def test_a_move_out_of_the_callers_area_is_a_delete_and_a_move_in_an_insert(survey, public):
    offices = people.offices()
    layer = layermaking.make_layer("moving", layermaking.ground("moving"))
    west = area(WEST - 1000, NORTH - 1000, WEST + 5000, NORTH + 5000)
    grant(layer, "department:water", "view,query", area=west)
    caller = people.program(offices["water"])
    assert set(ops(changes(caller, "moving"))) == {1, 2, 3}
    far, near = square(WEST + 15_000, NORTH), square(WEST + 50, NORTH + 50)
    edited("moving", FeatureEdit("update", 1, 1, geometry=far))
    edited("moving", FeatureEdit("update", 4, 1, geometry=near))
    edited("moving", FeatureEdit("update", 5, 1, properties={"amount": 5_555}))
    edited("moving", FeatureEdit("delete", 6, 1))
    document = changes(caller, "moving", "?since=1")
    assert ops(document) == {1: "delete", 4: "insert"}
    assert next(one for one in document["features"] if one["fid"] == 1)["feature"] is None
    text = json.dumps(document)
    assert not [mark for mark in doors.place_marks(far.bounds) if mark in text]
    assert "5555" not in text
    # And the past of a feature shows only while it was inside.
    history = caller.json("/api/layers/moving/features/4/history")
    assert [one["version"] for one in history["versions"]] == [2]
    assert [one["version"] for one in caller.json("/api/layers/moving/features/1/history")["versions"]] == [1]


def test_changes_of_a_layer_with_valid_time_carry_its_periods(dated, public):
    edited("dated", FeatureEdit("update", 1, 1, properties={"name": "later"}, since=date(2024, 1, 1)))
    document = changes(public, "dated", "?since=1")
    assert ops(document) == {1: "update"}
    assert [one["time"]["interval"] for one in document["features"][0]["periods"]] == [
        ["2020-01-01", "2024-01-01"],
        ["2024-01-01", ".."],
    ]


def test_the_relation_is_the_same_text_for_any_value(survey, public):
    """Values are bound, never written: the statement of two questions differs in nothing but what is bound."""
    scope = operator_scope("survey", Action.QUERY)
    texts = set()
    for value in ("a", "'; DROP TABLE x; --", '"', "%s", "%(as_of)s", "\\", "朝阳", "$1", "{}"):
        query = QueryDict(mutable=True)
        query.update({"name": value, "bbox": "113,22,115,23", "datetime": "2026-01-01"})
        statement = page_statement(scope, parse_items(scope, single(query)))
        texts.add(statement.text.as_string(connection.connection))
        assert value in statement.params.values()
        assert len(queries.rows(statement)) == (5 if value == "朝阳" else 0)
    assert len(texts) == 1
