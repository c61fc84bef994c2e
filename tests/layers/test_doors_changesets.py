"""A changeset on layers of many rights, seen by every kind of caller through every door that shows it."""

import json

import pytest

from layers.changesets import drafting
from layers.changesets.drafting import DraftEdit
from layers.changesets.reviewing import take_step
from layers.models import Changeset
from tests import doors
from tests.layermaking import square
from tests.matrix import ASKING, SEES, assert_silent, corner_of
from tests.people import body_of

pytest_plugins = ["tests.layermaking", "tests.matrix"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

TOUCHED = ("own_ground", "area_ground")
NEVER = 99_999_999
PATHS = (
    "/api/changesets/{n}",
    "/api/changesets/{n}/diff",
    "/api/changesets/{n}/diff?layer=own_ground",
    "/api/changesets/{n}/conflicts",
    "/ogc/collections/{layer}/items?changeset={n}",
    "/ogc/collections/{layer}/items?changeset={n}&f=html",
    "/ogc/collections/{layer}/items?changeset={n}&amount=40",
    "/ogc/collections/{layer}/items/1?changeset={n}",
    "/ogc/collections/{layer}/items/4?changeset={n}",
    "/tiles/{layer}/CityGrid/0/0/0.mvt?changeset={n}",
    "/tiles/{layer}/WebMercatorQuad/0/0/0.mvt?changeset={n}",
    "/api/identify?x=511923.4567&y=2501200&crs=EPSG:4547&tolerance=1000&layers={layer}&changeset={n}",
)
STEPS = (
    "submit",
    "withdraw",
    "return",
    "approve",
    "publish",
    "abandon",
    "revert",
    "merge",
    "resolve",
    "edits",
)


@pytest.fixture(scope="module")
def submitted(world, callers) -> Changeset:
    """The administrator's changes in west and east of two layers, handed to review; others changed the same."""
    root = callers["admin"].principal
    made = drafting.create(root, "两层", "review me")
    for index, name in ((1, "own_ground"), (3, "area_ground")):
        told = {f"remark_{name}": f"SECRET-{name}-4-changed", "name": f"CANARY-{name}-east-changed"}
        x, y = corner_of(index, 4)
        edits = [
            DraftEdit("update", 4, 1, square(x + 1, y), told),
            DraftEdit("update", 1, 1, None, {"name": f"CANARY-{name}-west-1 changed"}),
            DraftEdit("delete", 5, 1),
        ]
        drafting.put(made.pk, root, name, edits)
    return take_step(made.pk, root, "submit")


def reviews(asking: str) -> bool:
    return all("publish" in SEES[name].get(asking, ("", ""))[1] for name in TOUCHED)


@pytest.mark.parametrize("asking", ASKING)
def test_nobody_reads_through_a_changeset_what_is_hidden_from_them(submitted, callers, asking):
    for name in SEES:
        for path in PATHS:
            answer = callers[asking].get(path.format(n=submitted.pk, layer=name))
            assert_silent(answer, asking)
            if not reviews(asking):
                never = callers[asking].get(path.format(n=NEVER, layer=name))
                assert doors.without_identity(answer) == doors.without_identity(never), path
                assert answer.status_code in {403, 404}


@pytest.mark.parametrize("asking", ASKING)
def test_nobody_steps_where_they_see_nothing(submitted, callers, asking):
    if reviews(asking):
        return
    for step in STEPS:
        body = {"edits": {"layer": "own_ground", "edits": [{"op": "delete", "fid": 4, "version": 1}]}}.get(
            step, {}
        )
        if step == "resolve":
            body = {"choices": [{"layer": "own_ground", "fid": 4, "part": "name", "take": "ours"}]}
        answers = [
            callers[asking].ask("POST", f"/api/changesets/{n}/{step}", json.dumps(body))
            for n in (submitted.pk, NEVER)
        ]
        assert {one.status_code for one in answers} == {404}
        assert doors.without_identity(answers[0]) == doors.without_identity(answers[1])
    assert submitted.pk not in {
        one["id"] for one in json.loads(body_of(callers[asking].get("/api/changesets")))["changesets"]
    }


def test_the_reviewer_of_one_area_sees_the_changes_there(submitted, callers):
    listed = callers["editor"].json(f"/api/changesets/{submitted.pk}/diff")
    assert [(one["layer"], one["fid"]) for one in listed["changes"]] == [
        ("own_ground", 1),
        ("own_ground", 4),
        ("own_ground", 5),
        ("area_ground", 1),
    ]
    counts = {one["layer"]: (one["updated"], one["deleted"]) for one in listed["ledger"]}
    assert counts == {"own_ground": (2, 1), "area_ground": (1, 0)}
