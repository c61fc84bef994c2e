"""Attempts to learn through a changeset what one's rights do not show."""

import json

import pytest

from tests import layermaking, people
from tests.changesetting import begin, direct, plots_named, publish, put, ring, send, step, told, update
from tests.layermaking import NORTH, WEST, area, grant
from tests.people import body_of

pytest_plugins = ["tests.layermaking", "tests.changesetting"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]


@pytest.fixture
def lan(offices):
    """A colleague of Ming's without a role: what she sees is what her department was given."""
    return people.person("lan", offices["planning"])


@pytest.fixture
def secret():
    """A layer that Ming edits, and of which his department knows nothing."""
    layer = layermaking.make_layer("covert_ground", layermaking.ground("covert_ground"))
    grant(layer, "user:ming", "view,query,edit")
    grant(layer, "role:reviewer", "view,query,edit,publish")
    return layer


@pytest.mark.parametrize("way", ["merge", "revert", "resolve", "diff", "conflicts", "list"])
def test_a_colleague_learns_of_no_layer_they_do_not_see(ming, gao, lan, secret, way):
    number = begin(ming, shared=True)
    put(ming, number, secret, update(1, name="new"))
    if way == "revert":
        publish(ming, gao, number)
    answer = {
        "merge": lambda: lan.ask("POST", f"/api/changesets/{number}/merge", "{}"),
        "revert": lambda: lan.ask("POST", f"/api/changesets/{number}/revert", json.dumps({"reason": "x"})),
        "resolve": lambda: lan.ask("POST", f"/api/changesets/{number}/resolve", json.dumps({"choices": []})),
        "diff": lambda: lan.get(f"/api/changesets/{number}/diff"),
        "conflicts": lambda: lan.get(f"/api/changesets/{number}/conflicts"),
        "list": lambda: lan.get("/api/changesets"),
    }[way]()
    assert answer.status_code < 500
    assert b"covert_ground" not in body_of(answer)


def test_a_layer_that_may_not_be_queried_is_no_question_to_the_list(ming, lan, secret):
    """Who only sees that a layer exists is not told which changesets touch it."""
    grant(secret, "user:lan", "view")
    number = begin(ming, shared=True)
    put(ming, number, secret, update(1, name="new"))
    answer = lan.get("/api/changesets?layer=covert_ground")
    assert (answer.status_code, json.loads(body_of(answer))["code"]) == (403, "not-granted"), number


def in_conflict(ming, gao, layer, fid, **here):
    """A changeset that contradicts the one map in the field `secret_remark` (and others) of a feature."""
    number = begin(ming, shared=True)
    put(ming, number, layer, update(fid, **here))
    direct(gao, layer, update(fid, **{name: f"{value}, otherwise" for name, value in here.items()}))
    return number


def test_a_choice_left_open_does_not_name_a_hidden_field(ming, gao, lan, clean_memory):
    layer = plots_named("probed_fields")
    grant(layer, "user:lan", "view,query,edit", fields=["name"])
    number = in_conflict(ming, gao, layer, 1, name="n", secret_remark="CANARY")
    choice = {"layer": layer.name, "fid": 1, "version": 2, "part": "name", "take": "ours"}
    answer = lan.ask("POST", f"/api/changesets/{number}/resolve", json.dumps({"choices": [choice]}))
    assert (answer.status_code, json.loads(body_of(answer))["code"]) == (422, "bad-choice")
    assert b"secret_remark" not in body_of(answer)


def test_a_refused_publication_names_no_hidden_field_and_no_feature_elsewhere(
    ming, gao, offices, clean_memory
):
    layer = plots_named("probed_publication")
    box = area(WEST - 1_000, NORTH - 1_000, WEST + 9_000, NORTH + 9_000)
    narrow = people.person("narrow", offices["data"])
    grant(layer, "user:narrow", "view,query,edit,publish", fields=["name"], area=box)
    number = begin(ming)
    put(ming, number, layer, update(4, secret_remark="CANARY"), update(5, secret_remark="CANARY"))
    counter = step(ming, number, "submit")["counter"]
    step(gao, number, "approve", counter=counter)
    direct(gao, layer, update(4, secret_remark="x"), update(5, secret_remark="y"))
    answer = narrow.ask("POST", f"/api/changesets/{number}/publish", json.dumps({"counter": counter}))
    found = body_of(answer).decode()
    assert answer.status_code == 409
    assert "secret_remark" not in found
    assert '"fid"' not in found


def test_a_conflict_does_not_show_where_a_feature_came_from(ming, gao, offices, clean_memory):
    """It was moved into the area by both sides; what it was before lies outside."""
    layer = plots_named("probed_moves")
    box = area(WEST - 1_000, NORTH - 1_000, WEST + 9_000, NORTH + 9_000)
    local = people.person("local", offices["planning"])
    grant(layer, "user:local", "view,query", area=box)
    number = begin(ming, shared=True)
    put(ming, number, layer, {**update(4), "geometry": ring(WEST + 2_000, NORTH + 2_000)})
    direct(gao, layer, {**update(4), "geometry": ring(WEST + 4_000, NORTH + 4_000)})
    listed = told(local, number, "/conflicts")["conflicts"]
    assert [one["fid"] for one in listed] == [4]
    for part in listed[0]["parts"]:
        assert part["base"] is None


def test_merging_counts_what_the_caller_sees(ming, gao, lan, clean_memory):
    layer = plots_named("probed_counts")
    grant(
        layer,
        "user:lan",
        "view,query,edit",
        area=area(WEST - 1_000, NORTH - 1_000, WEST + 9_000, NORTH + 9_000),
    )
    number = in_conflict(ming, gao, layer, 4, name="n")
    done = send(lan, "POST", f"/api/changesets/{number}/merge", {})
    assert (done["merged"], done["conflicts"]) == (0, 0)


def test_a_third_value_only_where_the_field_is_held(ming, gao, lan, clean_memory):
    layer = plots_named("probed_values")
    grant(layer, "user:lan", "view,query,edit", fields=["name"])
    west = area(WEST - 1_000, NORTH - 1_000, WEST + 9_000, NORTH + 9_000)
    grant(layer, "user:lan", "view,query,edit", fields=["secret_remark"], area=west)
    number = in_conflict(ming, gao, layer, 4, secret_remark="CANARY")
    choice = {
        "layer": layer.name,
        "fid": 4,
        "version": 2,
        "part": "secret_remark",
        "take": "other",
        "value": "mine",
    }
    answer = lan.ask("POST", f"/api/changesets/{number}/resolve", json.dumps({"choices": [choice]}))
    assert (answer.status_code, json.loads(body_of(answer))["code"]) == (422, "bad-choice")
