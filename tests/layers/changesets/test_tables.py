"""Rows of a table without geometry in a changeset: they lie where the features lie that they join."""

import pytest

from layers.models import Change, Layer
from tests import people
from tests.changesetting import begin, delete, direct, insert, publish, put, send, shown, step, told, update
from tests.layermaking import EAST, NORTH, WEST, area, grant, import_file, make_layer, square
from tests.layermaking import ImportOptions as Options

pytest_plugins = ["tests.layermaking", "tests.changesetting"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

OWNERS = "lot_code,owner,share\nA1,林,0.5\nA1,王,0.5\nB1,赵,1\n"


@pytest.fixture(scope="module")
def owners(ming, gao, tmp_path_factory):
    """Who owns lot A1 in the west and B1 in the east; planners edit, reviewers publish."""
    places = {"A1": WEST, "B1": EAST}
    rows = [{"code": code, "geometry": square(x, NORTH)} for code, x in places.items()]
    make_layer("joined_lots", rows, key="code")
    path = tmp_path_factory.mktemp("owners") / "joined_owners.csv"
    path.write_text(OWNERS, encoding="utf-8")
    told_of = {"title": "权利人", "department": "data", "actor": "tests"}
    import_file(path, Options(layer="joined_owners", joins="joined_lots", join_field="lot_code", **told_of))
    layer = Layer.objects.get(name="joined_owners")
    for one in (layer, Layer.objects.get(name="joined_lots")):
        grant(one, "role:planner", "view,query,edit")
        grant(one, "role:reviewer", "view,query,edit,publish")
    return layer


def names(caller, layer, **query):
    return {fid: one["owner"] for fid, one in shown(caller, layer, **query).items()}


def test_rows_are_corrected_merged_published_and_taken_back(ming, gao, owners, clean_memory):
    number = begin(ming)
    done = put(
        ming, number, owners, update(1, owner="林一"), delete(2), insert(None, lot_code="A1", owner="孙")
    )
    new = done["fids"][2]
    assert names(ming, owners) == {1: "林", 2: "王", 3: "赵"}
    assert names(ming, owners, changeset=number) == {1: "林一", 3: "赵", new: "孙"}
    listed = told(ming, number, "/diff")
    assert [(one["fid"], one["op"], one["reshaped"]) for one in listed["changes"]] == [
        (1, "update", False),
        (2, "delete", False),
        (new, "insert", False),
    ]
    assert {one["before"]["geometry"] for one in listed["changes"] if one["before"]} == {None}
    assert (listed["ledger"][0]["area_before"], listed["ledger"][0]["area_after"]) == (0, 0)
    direct(gao, owners, update(1, owner="林二", share=0.6))
    (named,) = told(ming, number, "/conflicts")["conflicts"]
    assert [(one["part"], one["ours"], one["theirs"]) for one in named["parts"]] == [
        ("owner", "林一", "林二")
    ]
    choice = {"layer": owners.name, "fid": 1, "version": 2, "part": "owner", "take": "ours"}
    send(ming, "POST", f"/api/changesets/{number}/resolve", {"choices": [choice]})
    publish(ming, gao, number)
    assert names(ming, owners) == {1: "林一", 3: "赵", new: "孙"}
    assert shown(ming, owners)[1]["share"] == 0.6
    last = Change.objects.filter(layer=owners).latest("revision")
    assert (last.inserted, last.updated, last.deleted) == (1, 1, 1)
    back = step(ming, number, "revert", status=201)["id"]
    publish(ming, gao, back)
    assert names(ming, owners) == {1: "林二", 2: "王", 3: "赵"}


def test_an_area_bounds_the_rows_of_a_changeset(ming, offices, owners, clean_memory):
    """By the lot that a row joins: before the change and after it."""
    box = area(WEST - 1_000, NORTH - 1_000, WEST + 9_000, NORTH + 9_000)
    west = people.person("west_desk", offices["planning"])
    grant(owners, "user:west_desk", "view,query,edit", area=box)
    number = begin(ming, shared=True)
    put(ming, number, owners, update(1, owner="林一"), update(3, owner="CANARY"), update(2, lot_code="B1"))
    assert [one["fid"] for one in told(west, number, "/diff")["changes"]] == [1, 2]
    assert names(west, owners, changeset=number) == {1: "林一"}
    assert told(west, number, "/diff")["changes"][1]["after"] is None
    assert put(west, number, owners, update(3, owner="x"), status=404)["code"] == "feature-not-found"
    away = insert(None, lot_code="B1", owner="x")
    assert put(west, number, owners, away, status=403)["code"] == "outside-area"
    put(west, number, owners, insert(None, lot_code="A1", owner="钱"))
