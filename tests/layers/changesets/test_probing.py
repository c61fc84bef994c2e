"""Attempts to learn through a changeset what one's rights do not show."""

import json

import pytest

from tests import doors, layermaking, people
from tests.changesetting import (
    begin,
    delete,
    direct,
    insert,
    plots_named,
    publish,
    put,
    ring,
    send,
    step,
    told,
    update,
)
from tests.layermaking import EAST, NORTH, WEST, area, grant
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


@pytest.fixture
def local(offices):
    """Who sees and edits the west alone."""
    return people.person("local", offices["data"])


def in_the_west(layer, actions="view,query,edit,publish"):
    grant(layer, "user:local", actions, area=area(WEST - 1_000, NORTH - 1_000, WEST + 9_000, NORTH + 9_000))
    return layer


def test_the_kin_of_a_feature_is_told_where_it_is_seen(ming, gao, local, clean_memory):
    """Split off, and merged across the border of an area: only what lies on the reader's side has a number."""
    layer = in_the_west(plots_named("probed_kin"))
    number = begin(ming)
    west, east = ring(WEST + 5_000, NORTH), ring(EAST + 5_000, NORTH)
    put(
        ming,
        number,
        layer,
        {**insert(west, name="a"), "split_from": 4},
        {**insert(west, name="b"), "split_from": 1},
        {**delete(2), "merged_into": 5},
        {**delete(3), "merged_into": -1},
        {**insert(east, name="c"), "split_from": 4},
    )
    step(ming, number, "submit")

    def kin(caller):
        listed = told(caller, number, "/diff?limit=1&after=")["changes"]
        assert listed[0]["fid"] == 2
        every = told(caller, number, "/diff")["changes"]
        assert every[0] == listed[0]
        return [(one["fid"], one["split_from"], one["merged_into"]) for one in every]

    whole = [(2, None, 5), (3, None, 7), (7, 4, None), (8, 1, None), (9, 4, None)]
    assert kin(gao) == kin(ming) == whole
    assert kin(local) == [(2, None, None), (3, None, 7), (7, None, None), (8, 1, None)]


def test_a_feature_that_left_the_area_has_no_version_there(ming, gao, clean_memory):
    """The draft lies within the area, the one map's feature no longer does: no number, no guess, no choice."""
    layer = plots_named("probed_versions")
    number = begin(ming, shared=True)
    put(ming, number, layer, {**update(1, name="n"), "geometry": ring(WEST + 2_000, NORTH)})
    direct(gao, layer, {**update(1, name="CANARY"), "geometry": ring(EAST + 2_000, NORTH)})
    colleague = people.person("colleague", people.offices()["planning"])
    grant(layer, "user:colleague", "view,query,edit", area=area(WEST, NORTH - 9, WEST + 9_000, NORTH + 9_000))
    (named,) = told(colleague, number, "/conflicts")["conflicts"]
    assert (named["hidden"], named["current_version"]) == (True, None)
    assert told(ming, number, "/conflicts")["conflicts"][0]["current_version"] == 2
    answers = set()
    for version in (None, 1, 2, 3):
        choices = [
            {"layer": layer.name, "fid": 1, "version": version, "part": part, "take": take}
            for part, take in (("geometry", "ours"), ("name", "theirs"))
        ]
        answer = colleague.ask("POST", f"/api/changesets/{number}/resolve", json.dumps({"choices": choices}))
        assert answer.status_code == 422
        answers.add(doors.without_identity(answer)[2])
    assert len(answers) == 1


def test_a_refused_publication_counts_what_the_publisher_sees(ming, gao, local, clean_memory):
    layer = in_the_west(plots_named("probed_refusals"))
    number = begin(ming)
    put(ming, number, layer, *(update(fid, name="ours") for fid in (1, 4, 5)))
    counter = step(ming, number, "submit")["counter"]
    step(gao, number, "approve", counter=counter)
    direct(gao, layer, update(4, name="theirs"), update(5, name="theirs"))
    refused = step(local, number, "publish", status=409, counter=counter)
    assert (refused["code"], refused["facts"]) == ("changeset-conflicts-beyond", {})
    direct(gao, layer, update(1, name="theirs"))
    facts = step(local, number, "publish", status=409, counter=counter)["facts"]
    assert (facts["count"], facts["features"]) == (1, [{"layer": layer.name, "fid": 1}])
    assert step(gao, number, "publish", status=409, counter=counter)["facts"]["count"] == 3
