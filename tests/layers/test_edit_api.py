"""Editing through the JSON API: versions, conflicts, coordinate systems, refusals."""

import json

import pytest
import shapely

from layers.models import Change

SPOT = {"type": "Point", "coordinates": [114.06, 22.55]}


class Desk:
    """Wang's program at the transport department, speaking to the JSON API."""

    def __init__(self, land, layer, *actions):
        self.land, self.layer = land, layer
        self.key = land.key_for("transport", layer, *(actions or ("view", "query", "edit")))

    def send(self, method, path, body=None, **headers):
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        status, _, answer = self.land.get(
            f"/api/layers/{self.layer}{path}", self.key, method=method, body=body, headers=sent
        )
        return status, json.loads(answer)


def test_the_api_wants_the_version_and_tells_of_conflicts(land):
    desk = Desk(land, land.lots(2))
    body = {"reason": "复测", "properties": {"floors": 8}}
    status, answer = desk.send("PATCH", "/features/1", body)
    assert (status, answer["code"]) == (428, "version-required")
    status, answer = desk.send("PATCH", "/features/1", body, If_Match='"1"')
    assert (status, answer) == (200, {"revision": 2, "fids": [1], "versions": [2]})
    status, answer = desk.send("PATCH", "/features/1", body, If_Match='"1"')
    assert (status, answer["code"], answer["facts"]["current"]) == (412, "edit-conflict", 2)
    assert desk.send("PATCH", "/features/1", body, If_Match="soon")[0] == 400
    assert desk.send("DELETE", "/features/1")[0] == 428
    assert desk.send("DELETE", "/features/1", If_Match='"1"')[0] == 412
    assert desk.send("DELETE", "/features/1", If_Match='"2"')[0] == 200
    assert desk.send("DELETE", "/features/1", If_Match='"2"')[0] == 404
    assert [row[0] for row in land.rows(desk.layer)] == [2]


def test_the_etag_of_an_item_is_what_if_match_wants(land):
    desk = Desk(land, land.lots(1))
    _, headers, _ = land.get(f"/ogc/collections/{desk.layer}/items/1?f=json", desk.key)
    assert (
        desk.send("PATCH", "/features/1", {"properties": {"floors": 3}}, If_Match=headers["ETag"])[0] == 200
    )


def test_a_change_by_the_api_is_one_change(land):
    desk = Desk(land, land.lots(2))
    ring = [[[114.05, 22.55], [114.051, 22.55], [114.051, 22.551], [114.05, 22.55]]]
    edits = [
        {"op": "insert", "geometry": {"type": "Polygon", "coordinates": ring}, "properties": {"code": "新"}},
        {"op": "update", "fid": 1, "version": 1, "properties": {"floors": 4}},
        {"op": "delete", "fid": 2, "version": 1},
    ]
    status, answer = desk.send("POST", "/changes", {"reason": "批量", "edits": edits})
    assert (status, answer) == (200, {"revision": 2, "fids": [3, 1, 2], "versions": [1, 2, 2]})
    item = land.json(f"/ogc/collections/{desk.layer}/items/3?f=json", desk.key)
    assert item["properties"]["code"] == "新"
    assert shapely.from_geojson(json.dumps(item["geometry"])).bounds == pytest.approx(
        (114.05, 22.55, 114.051, 22.551)
    )
    assert Change.objects.get(layer__name=desk.layer, revision=2).author.startswith("key:transport/")


def test_geometries_come_in_the_crs_that_is_named(land):
    desk = Desk(land, land.lots(1))
    shape = {
        "type": "Polygon",
        "coordinates": [[[2500000, 505000], [2500000, 505009], [2500009, 505009], [2500000, 505000]]],
    }
    crs = "<http://www.opengis.net/def/crs/EPSG/0/4547>"
    body = {"geometry": shape}
    assert desk.send("PATCH", "/features/1", body, If_Match='"1"', Content_Crs=crs)[0] == 200
    assert land.rows(desk.layer, "geom")[0][1].startswith("POLYGON((505000 2500000,")


@pytest.mark.parametrize(
    ("edits", "status"),
    [
        ([{"op": "upsert", "fid": 1}], 422),
        ([{"op": "update", "fid": 0, "version": 1}], 422),
        ([{"op": "update", "fid": 1}], 428),
        ([{"op": "update", "fid": 1, "version": 7}], 412),
        ([{"op": "update", "fid": 2**62, "version": 1}], 404),
        ([{"op": "update", "fid": 1, "version": 1, "since": "2026-01-01"}], 422),
        ([{"op": "insert", "geometry": {"type": "Polygon", "coordinates": []}}], 422),
        ([{"op": "insert", "geometry": SPOT}], 422),
        ([{"op": "insert", "geometry": {"type": "Circle"}}], 422),
        ([{"op": "insert", "geometry": None}], 422),
        ([{"op": "insert", "geometry": SPOT, "colour": 1}], 422),
        ([], 422),
    ],
)
def test_bad_changes_by_the_api(land, edits, status):
    desk = Desk(land, land.lots(1))
    assert desk.send("POST", "/changes", {"reason": "x", "edits": edits})[0] in {
        status,
        400 if status == 422 else status,
    }
    assert land.state(desk.layer).revision == 1


def test_without_the_right_to_edit_it_is_forbidden_and_without_any_it_is_missing(land):
    reader, name = Desk(land, land.lots(1), "view", "query"), land.lots(1)
    assert reader.send("PATCH", "/features/1", {"properties": {}}, If_Match='"1"')[0] == 403
    reader.layer = name
    assert reader.send("PATCH", "/features/1", {"properties": {}}, If_Match='"1"')[0] == 404
