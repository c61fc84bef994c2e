"""Looking back and bringing back: a feature, a change, a whole layer."""

import json
from datetime import date, timedelta

import pytest
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon
from django.utils import timezone

from layers.actions import (
    FeatureEdit,
    WholeLayerOnly,
    delete_layer,
    give,
    purge_deleted,
    restore_feature,
    restore_layer,
    undo_change,
)
from layers.actions.errors import NothingThere, UndoConflict
from layers.actions.grants import grantee
from layers.actions.shelf import NotOnShelf
from layers.models import Change, ChangeFeature, Layer
from layers.moments import Moment
from layers.rights import Action, scope
from tests.layers.conftest import square

BY = {"author": "user:lin", "reason": "误改"}
TURN = date(2025, 1, 1)


def restore(land, name, fid, revision):
    return restore_feature(land.scope(name, Action.PUBLISH), fid, revision, **BY)


def undo(land, name, revision):
    return undo_change(land.scope(name, Action.PUBLISH), revision, **BY)


def contents(land, name, moment=None):
    fields = ["code", "floors", "geom"]
    if land.state(name).valid_time:
        fields = ["valid_from", "valid_to", *fields]
    return land.rows(name, *fields, moment=moment or Moment())


def test_a_changed_feature_comes_back_as_a_new_version(land):
    name = land.lots(2)
    before = contents(land, name)
    land.edit(name, FeatureEdit("update", 1, 1, square(500), {"floors": 9}))
    written = restore(land, name, 1, 1)
    assert (written.revision, written.fids) == (3, (1,))
    assert contents(land, name) == before
    assert land.rows(name, "version") == [(1, 3), (2, 1)]
    assert contents(land, name, Moment(2)) != before
    assert Change.objects.get(layer__name=name, revision=3).kind == "restore"
    land.sound(name)


def test_a_deleted_feature_comes_back_under_its_own_fid(land):
    name = land.lots(3)
    before = contents(land, name)
    land.edit(name, FeatureEdit("delete", 2, 1))
    restore(land, name, 2, 1)
    assert contents(land, name) == before
    assert list(
        ChangeFeature.objects.filter(change__layer__name=name, change__revision=3).values_list("fid", "op")
    ) == [(2, "insert")]
    assert land.update(name, 2, 2, floors=8).versions == (3,)
    land.sound(name)


@pytest.mark.parametrize(("fid", "revision"), [(1, 1), (1, 2), (99, 1), (3, 1), (3, 0)])
def test_nothing_to_bring_back(land, fid, revision):
    name = land.lots(2)
    land.edit(name, FeatureEdit("insert", geometry=square(900), properties={"code": "N", "floors": 1}))
    with pytest.raises(NothingThere):
        restore(land, name, fid, revision)
    assert land.state(name).revision == 2
    land.sound(name)


def test_an_edit_is_undone_whole(land):
    name = land.lots(3)
    before = contents(land, name)
    edits = [FeatureEdit("insert", geometry=square(90), properties={"code": "N", "floors": 1})]
    land.edit(
        name, *edits, FeatureEdit("update", 1, 1, properties={"floors": 50}), FeatureEdit("delete", 2, 1)
    )
    written = undo(land, name, 2)
    assert (written.revision, written.fids) == (3, (1, 2, 4))
    assert contents(land, name) == before
    change = Change.objects.get(layer__name=name, revision=3)
    assert (change.kind, change.inserted, change.updated, change.deleted) == ("undo", 1, 1, 1)
    assert land.edit(name, *edits).fids == (5,)  # a fid is never used again
    land.sound(name)


def test_a_bulk_import_is_undone_whole_and_the_undoing_too(land):
    name = land.lots(40, key="code")
    before = contents(land, name)
    rows = [(square(20 * n, 300), {"code": f"A{n}", "floors": n}) for n in range(20, 60)]
    land.deliver(name, rows, mode="replace")
    after = contents(land, name)
    undo(land, name, 2)
    assert contents(land, name) == before
    one = land.state(name)
    assert (one.feature_count, one.extent[1], one.extent[3]) == (40, 2_494_000.0, 2_494_310.0)
    land.sound(name)
    undo(land, name, 3)
    assert contents(land, name) == after
    land.sound(name)


def test_what_was_changed_again_is_not_undone(land):
    name = land.lots(3)
    land.edit(name, *[FeatureEdit("update", fid, 1, properties={"floors": 50}) for fid in (1, 2, 3)])
    land.update(name, 2, 2, floors=60)
    with pytest.raises(UndoConflict) as refusal:
        undo(land, name, 2)
    assert (refusal.value.facts["fid"], refusal.value.facts["count"]) == (2, 1)
    undo(land, name, 3)
    with pytest.raises(UndoConflict):
        undo(land, name, 2)
    for revision in (9, 5):
        with pytest.raises(NothingThere):
            undo(land, name, revision)
    assert land.state(name).revision == 4


def test_an_import_that_changed_nothing_has_nothing_to_undo(land):
    name = land.lots(2, key="code")
    land.deliver(name, [(square(20 * n), {"code": f"A{n}", "floors": n}) for n in (1, 2)], mode="replace")
    with pytest.raises(NothingThere):
        undo(land, name, 2)


def test_successions_and_deleted_periods_are_undone(land):
    name = land.lots(2, valid_time=True, valid_from="2024-01-01")
    first = contents(land, name)
    land.edit(name, FeatureEdit("update", 1, 1, properties={"floors": 9}, since=TURN))
    second = contents(land, name)
    land.edit(name, FeatureEdit("delete", 1, 2, period=TURN))
    undo(land, name, 3)
    assert contents(land, name) == second
    land.sound(name)
    undo(land, name, 4)
    undo(land, name, 5)
    assert contents(land, name) == second
    restore(land, name, 1, 1)
    assert contents(land, name) == first
    land.sound(name)


def test_a_replace_from_a_day_is_undone(land):
    name = land.lots(3, key="code", valid_time=True, valid_from="2024-01-01")
    first = contents(land, name)
    rows = [(square(20 * n), {"code": f"A{n}", "floors": 10 * n}) for n in (2, 3, 4)]
    land.deliver(name, rows, mode="replace", valid_from="2025-01-01")
    undo(land, name, 2)
    assert contents(land, name) == first
    land.sound(name)


def test_wang_brings_back_only_what_is_hers(land, people):
    name = land.lots(4)
    shape = GEOSGeometry(square(15, -5, 40).wkt, srid=4547)
    shape.transform(4490)
    area = MultiPolygon(shape, srid=4490)
    give(grantee("user:wang"), ["view", "query", "publish"], by="user:lin", layer=land.state(name), area=area)
    land.edit(name, *[FeatureEdit("update", fid, 1, properties={"floors": 50}) for fid in (1, 4)])
    hers = scope(people.wang, name, Action.PUBLISH)
    with pytest.raises(WholeLayerOnly):
        undo_change(hers, 2, **BY)
    with pytest.raises(WholeLayerOnly):
        restore_feature(hers, 4, 1, **BY)
    assert restore_feature(hers, 1, 1, **BY).revision == 3
    assert [row[1] for row in land.rows(name, "floors")] == [1, 2, 3, 50]


def test_hidden_fields_are_not_brought_back_either(land, people):
    name = land.lots(1)
    give(
        grantee("user:zhao"),
        ["view", "query", "publish"],
        by="user:lin",
        layer=land.state(name),
        fields=["code"],
    )
    land.update(name, 1, 1, floors=9)
    with pytest.raises(WholeLayerOnly):
        restore_feature(scope(people.zhao, name, Action.PUBLISH), 1, 1, **BY)


def test_a_field_of_one_area_is_brought_back_there_alone(land, people):
    name = land.lots(4)
    shape = GEOSGeometry(square(15, -5, 40).wkt, srid=4547)
    shape.transform(4490)
    for limit in ({"fields": ["floors"]}, {"area": MultiPolygon(shape, srid=4490)}):
        rights = ["view", "query", "publish"]
        give(grantee("user:wang"), rights, by="user:lin", layer=land.state(name), **limit)
    land.edit(name, *[FeatureEdit("update", fid, 1, properties={"code": f"X{fid}"}) for fid in (1, 4)])
    hers = scope(people.wang, name, Action.PUBLISH)
    with pytest.raises(WholeLayerOnly):
        undo_change(hers, 2, **BY)
    with pytest.raises(WholeLayerOnly):
        restore_feature(hers, 4, 1, **BY)
    assert restore_feature(hers, 1, 1, **BY).revision == 3
    assert [row[1] for row in land.rows(name, "code")] == ["A1", "A2", "A3", "X4"]


def test_by_the_api(land):
    name = land.lots(2)
    key = land.key_for("transport", name, "view", "query", "publish")
    land.update(name, 1, 1, floors=50)
    path = f"/api/layers/{name}"
    status, _, body = land.get(f"{path}/undo", key, method="POST", body={"revision": 2, "reason": "撤销"})
    assert (status, json.loads(body)["fids"]) == (200, [1])
    status, _, body = land.get(f"{path}/undo", key, method="POST", body={"revision": 2})
    assert (status, json.loads(body)["code"]) == (409, "undo-conflict")
    status, _, body = land.get(f"{path}/features/1/restore", key, method="POST", body={"revision": 2})
    assert (status, json.loads(body)["revision"]) == (200, 4)
    status, _, body = land.get(f"{path}/features/9/restore", key, method="POST", body={"revision": 2})
    assert (status, json.loads(body)["code"]) == (404, "nothing-there")


def test_a_deleted_layer_is_missing_everywhere_and_comes_back_as_it_was(land):
    name = land.lots(2)
    key = land.key_for("transport", name, "view", "query")
    before = contents(land, name)
    delete_layer(land.state(name), by="user:lin")
    gone = land.get(f"/ogc/collections/{name}/items?f=json", key)[0]
    assert (gone, land.get(f"/ogc/collections/{name}/items?f=json")[0]) == (404, 404)
    with pytest.raises(Exception, match="was deleted"):
        land.deliver(name, [(square(), {"code": "X", "floors": 1})])
    restore_layer(name, by="user:lin")
    assert contents(land, name) == before
    assert land.get(f"/ogc/collections/{name}/items?f=json", key)[0] == 200


def test_after_thirty_days_it_is_gone_for_good(land):
    name, kept = land.lots(1), land.lots(1)
    for one, days in ((name, 31), (kept, 29)):
        delete_layer(land.state(one), by="user:lin")
        Layer.objects.filter(name=one).update(deleted_at=timezone.now() - timedelta(days=days))
    assert purge_deleted() == 1
    with pytest.raises(NotOnShelf):
        restore_layer(name, by="user:lin")
    assert land.query("SELECT to_regclass(%s), to_regclass(%s)", f"data.{name}", f"history.{name}") == [
        (None, None)
    ]
    assert restore_layer(kept, by="user:lin").name == kept
