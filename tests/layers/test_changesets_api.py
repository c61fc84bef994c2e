"""Changesets by the doors that people and programs use: corrected, reviewed, merged, published, taken back."""

import json

import pytest
import shapely

from layers.models import Change, ChangesetFeature
from process.models import AuditRecord
from spatial.measure import geodesic_area
from tests import people
from tests.changesetting import (
    begin,
    delete,
    direct,
    features,
    insert,
    plots_named,
    publish,
    put,
    ring,
    send,
    shown,
    step,
    told,
    update,
)
from tests.layermaking import EAST, NORTH, WEST, area, grant
from tests.people import Caller, body_of

pytest_plugins = ["tests.layermaking", "tests.changesetting"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]
PLACE = (WEST, NORTH - 500)


def test_from_a_correction_to_the_one_map(ming, gao, plots):
    number = begin(ming)
    done = put(ming, number, plots, update(1, amount=11), delete(2), insert(ring(*PLACE), name="新地块"))
    new = done["fids"][2]
    assert new > 6
    before, after = shown(ming, plots), shown(ming, plots, changeset=number)
    assert before[1]["amount"] == 10 and 2 in before and new not in before
    assert after[1]["amount"] == 11 and 2 not in after and after[new]["name"] == "新地块"
    step(ming, number, "submit")
    seen = told(gao, number)
    assert seen["steps"] == ["return", "approve"]
    step(gao, number, "approve", counter=seen["counter"])
    done = step(gao, number, "publish", counter=seen["counter"])
    assert done["state"] == "published"
    assert shown(ming, plots) == after
    change = Change.objects.get(layer=plots, revision=2)
    assert (change.kind, change.inserted, change.updated, change.deleted) == ("changeset", 1, 1, 1)
    assert (change.author, change.reason) == ("user:ming", f"changeset {number}: 更正")
    assert ChangesetFeature.objects.filter(changeset=number).count() == 3
    assert [one["step"] for one in done["log"]] == ["create", "submit", "approve", "publish"]
    steps = AuditRecord.objects.filter(object_type="changeset", object_name=str(number))
    assert set(steps.values_list("action", flat=True)) >= {"changeset.edit", "changeset.publish"}


def test_ming_and_a_surveyor_change_the_same_parcel(ming, gao, plots):
    """Ming corrects, the surveyor edits the same parcel, Gao returns it, Ming merges, and later takes it back."""
    number = begin(ming, "地块一更正")
    put(ming, number, plots, update(1, amount=11, name="甲"), update(3, ratio=0.5))
    direct(gao, plots, update(1, amount=12, open=True), update(3, name="丙"))
    step(ming, number, "submit")
    counter = told(gao, number)["counter"]
    assert step(gao, number, "return", status=422)["code"] == "reason-needed"
    step(gao, number, "approve", counter=counter)
    refused = step(gao, number, "publish", status=409, counter=counter)
    assert refused["code"] == "changeset-conflicts"
    assert refused["facts"]["features"] == [{"layer": plots.name, "fid": 1}]
    assert Change.objects.filter(layer=plots).count() == 2
    step(gao, number, "return", reason="与现场核实不一致，请合并")
    merged = send(ming, "POST", f"/api/changesets/{number}/merge", {})
    assert (merged["merged"], merged["conflicts"]) == (1, 1)
    named = told(ming, number, "/conflicts")["conflicts"]
    assert [(one["fid"], one["current_version"]) for one in named] == [(1, 2)]
    part = {"kind": "field", "part": "amount", "base": 10, "ours": 11, "theirs": 12}
    assert named[0]["parts"] == [part]
    choice = {"layer": plots.name, "fid": 1, "version": 2, "part": "amount", "take": "other", "value": 13}
    send(ming, "POST", f"/api/changesets/{number}/resolve", {"choices": [choice]})
    assert told(ming, number, "/conflicts")["total"] == 0
    publish(ming, gao, number)
    now = shown(ming, plots)
    assert (now[1]["amount"], now[1]["name"], now[1]["open"]) == (13, "甲", True)
    assert (now[3]["ratio"], now[3]["name"]) == (0.5, "丙")

    direct(gao, plots, update(3, 3, ratio=0.9))
    back = step(gao, number, "revert", status=201, reason="批文撤销")
    assert (back["reverts"], back["state"]) == (number, "private")
    assert [one["fid"] for one in told(gao, back["id"], "/conflicts")["conflicts"]] == [3]
    choice = {"layer": plots.name, "fid": 3, "version": 4, "part": "ratio", "take": "theirs"}
    send(gao, "POST", f"/api/changesets/{back['id']}/resolve", {"choices": [choice]})
    counter = step(gao, back["id"], "submit")["counter"]
    assert step(gao, back["id"], "approve", status=403, counter=counter)["code"] == "four-eyes"
    second = Caller("root", user=None)
    assert second.get(f"/api/changesets/{back['id']}").status_code == 404
    after = shown(gao, plots, changeset=back["id"])
    assert (after[1]["amount"], after[1]["name"], after[1]["open"]) == (
        12,
        f"CANARY-{plots.name}-west-1",
        True,
    )
    assert after[3]["ratio"] == 0.9


def test_a_parcel_is_split_and_two_become_one(ming, gao, plots):
    number = begin(ming, "分割合并")
    x, y = WEST + 123.4567 + 300, NORTH + 300
    halves = [
        {**insert(ring(x, y, 50), name="一甲"), "split_from": 1},
        {**insert(ring(x + 50, y, 50), name="一乙"), "split_from": 1},
    ]
    done = put(ming, number, plots, *halves, delete(1), {**delete(2), "merged_into": -1})
    listed = told(ming, number, "/diff")
    by_fid = {one["fid"]: one for one in listed["changes"]}
    first = by_fid[done["fids"][0]]
    assert (first["op"], first["split_from"], first["before"]) == ("insert", 1, None)
    assert by_fid[2]["merged_into"] == done["fids"][0]
    assert by_fid[1]["after"] is None and by_fid[1]["before"]["area"] > 0
    ledger = listed["ledger"][0]
    assert (ledger["inserted"], ledger["updated"], ledger["deleted"]) == (2, 0, 2)
    assert ledger["area_after"] == pytest.approx(
        sum(by_fid[fid]["after"]["area"] for fid in done["fids"][:2]), abs=0.02
    )
    shape = shapely.geometry.shape(first["after"]["geometry"])
    assert first["after"]["area"] == pytest.approx(geodesic_area(shape), abs=0.02)
    publish(ming, gao, number)
    assert told(ming, number, "/diff")["ledger"] == listed["ledger"]


def test_the_diff_tells_fields_and_comes_in_pages(ming, plots):
    number = begin(ming)
    put(ming, number, plots, *(update(fid, amount=fid * 100) for fid in range(1, 6)))
    put(ming, number, plots, {"op": "update", "fid": 6, "version": 1, "geometry": ring(*PLACE)})
    pages, after = [], ""
    while after is not None:
        page = told(ming, number, f"/diff?limit=2&after={after}")
        pages.append(page["changes"])
        after = page["next"]
    assert [[one["fid"] for one in page] for page in pages] == [[1, 2], [3, 4], [5, 6]]
    assert pages[0][0]["fields"] == [{"name": "amount", "before": 10, "after": 100}]
    assert not pages[0][0]["reshaped"] and pages[2][1]["reshaped"] and pages[2][1]["fields"] == []
    assert told(ming, number, "/diff?op=insert")["changes"] == []
    assert ming.get(f"/api/changesets/{number}/diff?after=x").status_code == 400


def test_two_of_a_department_edit_together_and_notice_each_other(ming, hong, wei, plots):
    number = begin(ming, shared=True)
    first = put(ming, number, plots, update(1, amount=11))["versions"][0]
    assert put(hong, number, plots, update(1, amount=12), status=412)["code"] == "edit-conflict"
    second = put(hong, number, plots, update(1, first, amount=12))
    assert put(ming, number, plots, update(1, first, amount=13), status=412)["code"] == "edit-conflict"
    stale = put(ming, number, plots, update(2, amount=1), status=409, counter=1)
    assert stale["code"] == "changeset-moved"
    assert shown(ming, plots, changeset=number)[1]["amount"] == 12
    assert told(hong, number)["editors"] == ["user:ming", "user:hong"]
    assert step(hong, number, "submit", status=403)["code"] == "changeset-role"
    assert wei.get(f"/api/changesets/{number}").status_code == 404
    send(ming, "PATCH", f"/api/changesets/{number}", {"shared": False})
    assert hong.get(f"/api/changesets/{number}").status_code == 404
    assert second["counter"] == 2


def test_what_is_taken_out_is_as_it_was(ming, plots):
    number = begin(ming)
    done = put(ming, number, plots, update(1, amount=11), insert(ring(*PLACE), name="新"))
    new = done["fids"][1]
    put(ming, number, plots, {**delete(2), "merged_into": new})
    path = f"/api/changesets/{number}/features/{plots.name}"
    assert send(ming, "DELETE", f"{path}/{new}")["counter"] == 3
    send(ming, "DELETE", f"{path}/1")
    send(ming, "DELETE", f"{path}/1", status=404)
    (left,) = told(ming, number, "/diff")["changes"]
    assert (left["fid"], left["merged_into"]) == (2, None)
    after = shown(ming, plots, changeset=number)
    assert after.keys() == {1, 3, 4, 5, 6} and after[1]["amount"] == 10


def test_a_new_feature_deleted_again_leaves_nothing(ming, plots):
    number = begin(ming)
    done = put(ming, number, plots, insert(ring(*PLACE), name="新"))
    put(ming, number, plots, delete(done["fids"][0], done["versions"][0]))
    assert told(ming, number)["layers"] == []
    assert step(ming, number, "submit", status=409)["code"] == "changeset-empty"


def test_nothing_changes_under_review(ming, gao, plots):
    number = begin(ming)
    put(ming, number, plots, update(1, amount=11))
    counter = step(ming, number, "submit")["counter"]
    assert put(ming, number, plots, update(2, amount=1), status=409)["code"] == "changeset-closed"
    assert send(ming, "POST", f"/api/changesets/{number}/merge", {}, 409)["code"] == "changeset-closed"
    assert step(gao, number, "approve", status=409, counter=counter + 1)["code"] == "changeset-moved"
    assert step(gao, number, "approve", status=409)["code"] == "changeset-moved"
    assert step(gao, number, "publish", status=409, counter=counter)["code"] == "changeset-step"
    step(ming, number, "withdraw")
    put(ming, number, plots, update(2, amount=1))
    step(ming, number, "abandon")
    assert told(ming, number)["steps"] == []


def test_two_layers_are_published_together_or_not_at_all(ming, gao, plots):
    other = plots_named(f"{plots.name}_b")
    number = begin(ming)
    put(ming, number, plots, update(1, amount=11))
    put(ming, number, other, update(1, amount=21))
    direct(gao, other, update(1, amount=22))
    counter = step(ming, number, "submit")["counter"]
    step(gao, number, "approve", counter=counter)
    step(gao, number, "publish", status=409, counter=counter)
    assert shown(ming, plots)[1]["amount"] == 10
    step(gao, number, "return", reason="冲突")
    choice = {"layer": other.name, "fid": 1, "version": 2, "part": "amount", "take": "ours"}
    send(ming, "POST", f"/api/changesets/{number}/resolve", {"choices": [choice]})
    done = publish(ming, gao, number)
    assert (shown(ming, plots)[1]["amount"], shown(ming, other)[1]["amount"]) == (11, 21)
    assert [one["revision"] for one in done["layers"]] == [2, 3]


def test_deleted_there_and_deleted_here_are_named(ming, gao, plots):
    number = begin(ming)
    put(ming, number, plots, update(1, amount=11), delete(2), delete(3))
    direct(gao, plots, delete(1), update(2, amount=99), delete(3))
    kinds = {one["fid"]: one["parts"][0]["kind"] for one in told(ming, number, "/conflicts")["conflicts"]}
    assert kinds == {1: "deleted-there", 2: "deleted-here"}
    choices = [
        {"layer": plots.name, "fid": 1, "version": None, "part": "feature", "take": "ours"},
        {"layer": plots.name, "fid": 2, "version": 2, "part": "feature", "take": "theirs"},
    ]
    stale = [{**choices[0], "version": 1}]
    assert send(ming, "POST", f"/api/changesets/{number}/resolve", {"choices": stale}, 412)
    send(ming, "POST", f"/api/changesets/{number}/resolve", {"choices": choices})
    publish(ming, gao, number)
    now = features(ming, plots)
    assert now.keys() == {1, 2, 4, 5, 6}
    assert (now[1]["properties"]["amount"], now[1]["version"], now[2]["properties"]["amount"]) == (11, 2, 99)


def test_an_editor_of_one_area_and_some_fields(ming, gao, offices, plots):
    layer = plots_named(f"{plots.name}_limits")
    west = area(WEST - 1_000, NORTH - 1_000, WEST + 9_000, NORTH + 9_000)
    grant(layer, "department:emergency", "view,query,edit", area=west, fields=["name", "amount"])
    narrow = people.person("jin", offices["emergency"])
    number = begin(narrow)
    put(narrow, number, layer, update(1, amount=11))
    assert put(narrow, number, layer, update(4, amount=11), status=404)["code"] == "feature-not-found"
    assert put(narrow, number, layer, update(2, secret_remark="x"), status=422)["code"] == "bad-edit"
    away = {"op": "update", "fid": 2, "version": 1, "geometry": ring(EAST + 500, NORTH)}
    assert put(narrow, number, layer, away, status=403)["code"] == "outside-area"
    shared = begin(ming, "两处")
    put(ming, shared, layer, update(1, secret_remark="SECRET-new"), update(4, amount=44))
    assert "SECRET" not in json.dumps(told(narrow, number, "/diff"))
    grant(layer, "department:emergency", "publish", area=west)
    step(ming, shared, "submit")
    seen = told(narrow, shared)
    assert seen["layers"][0]["updated"] is None
    assert [one["fid"] for one in told(narrow, shared, "/diff")["changes"]] == [1]
    assert set(features(narrow, layer, changeset=shared)) == {1, 2, 3}
    text = json.dumps([told(narrow, shared, "/diff"), features(narrow, layer, changeset=shared)])
    assert "SECRET" not in text and "-east-" not in text
    step(narrow, shared, "approve", counter=seen["counter"])
    assert step(narrow, shared, "publish", status=404, counter=seen["counter"])["code"] == "feature-not-found"
    assert shown(ming, layer)[4]["amount"] == 40


def test_pages_notice_that_the_changeset_moved_on(ming, plots):
    number = begin(ming)
    put(ming, number, plots, update(1, amount=11))
    first = ming.json(f"/ogc/collections/{plots.name}/items?limit=4&changeset={number}")
    assert first["numberMatched"] == 6
    following = next(one["href"] for one in first["links"] if one["rel"] == "next")
    assert [one["id"] for one in ming.json(following)["features"]] == [5, 6]
    put(ming, number, plots, update(6, amount=1))
    assert ming.get(following).status_code == 400


def test_doors_that_read_show_the_map_with_the_changeset(ming, wei, plots):
    number = begin(ming)
    put(ming, number, plots, update(1, amount=11), delete(2))
    item = f"/ogc/collections/{plots.name}/items"
    with_it = ming.get(f"{item}/1?changeset={number}")
    assert json.loads(body_of(with_it))["properties"]["amount"] == 11
    assert with_it.headers["ETag"] != ming.get(f"{item}/1").headers["ETag"]
    assert ming.get(f"{item}/2?changeset={number}").status_code == 404
    spot = f"x={WEST + 123.4567 + 310}&y={NORTH + 310}&crs=EPSG:4547&layers={plots.name}"
    hits = ming.json(f"/api/identify?{spot}&changeset={number}")["hits"]
    assert [one["properties"]["amount"] for one in hits] == [11]
    tile = f"/tiles/{plots.name}/WebMercatorQuad/0/0/0.mvt"
    plain, laid = ming.get(tile), ming.get(f"{tile}?changeset={number}")
    assert plain.headers["ETag"] != laid.headers["ETag"]
    put(ming, number, plots, update(3, ratio=0.25))
    assert ming.get(f"{tile}?changeset={number}").headers["ETag"] != laid.headers["ETag"]
    for path in (item, f"{item}/1", tile, f"/api/identify?{spot}"):
        mark = "&" if "?" in path else "?"
        assert wei.get(f"{path}{mark}changeset={number}").status_code == 404
        assert wei.get(f"{path}{mark}changeset=x").status_code == 400
    assert ming.get(f"{item}?changeset={number}&as-of=rev:1").status_code == 400
    assert ming.get(f"{item}?changeset=99999999").status_code == 404


def test_the_list_and_its_filters(ming, hong, gao, plots):
    mine, shared = begin(ming, "甲"), begin(hong, "乙", shared=True)
    put(ming, mine, plots, update(1, amount=11))
    listed = ming.json("/api/changesets")["changesets"]
    assert {mine, shared} <= {one["id"] for one in listed}
    assert shared not in {one["id"] for one in ming.json("/api/changesets?mine=true")["changesets"]}
    by_layer = ming.json(f"/api/changesets?layer={plots.name}")
    assert [one["id"] for one in by_layer["changesets"]] == [mine] and by_layer["total"] == 1
    assert mine not in {one["id"] for one in gao.json("/api/changesets?offset=0")["changesets"]}
    step(ming, mine, "submit")
    assert [one["id"] for one in gao.json("/api/changesets?state=submitted")["changesets"]][0] == mine
    assert Caller("public").json("/api/changesets") == {"changesets": [], "total": 0}
    assert Caller("public").ask("POST", "/api/changesets", '{"title": "x"}').status_code == 401
