"""Rasters through their doors: true values, strict questions, and nothing beyond the right."""

import json

import numpy as np
import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from accounts.principals import PUBLIC
from layers import catalogue
from layers.actions import delete_layer, restore_layer
from layers.models import RasterVersion
from layers.rasters import centres, path_of, reading, samples, version_at
from layers.rights import Action, raster_scope
from spatial.numbers import BBox
from tests.layermaking import area
from tests.layers.conftest import race
from tests.rastermaking import CELL, NORTH, WEST, ground, height, write

TO = {srid: Transformer.from_crs(4547, srid, always_xy=True) for srid in (4490, 4326, 3857)}
MIDDLE = WEST + 600  # the area-limited see what lies west of it


@pytest.fixture
def api(land):
    """A client by key, and a raster of 120 × 90 cells of 10 m whose heights are known."""

    class Api:
        def __init__(self):
            self.name = land.name_of_layer("height")
            path = ground(land.folder / f"{self.name}.tif", nodata=-9999.0)
            assert land.bring(path, self.name, title="高程", title_en="Heights")["status"] == "done"
            self.keys = {
                "all": land.key_for("transport", self.name, "view", "query", "download"),
                "view": land.key_for("water", self.name, "view"),
                "west": land.key_for(
                    "emergency",
                    self.name,
                    "view",
                    "query",
                    "download",
                    area=area(WEST - 500, NORTH - 5_000, MIDDLE, NORTH + 500),
                ),
            }

        def ask(self, path, who="all"):
            key = self.keys.get(who)
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            return Client(headers=headers).get(path.format(name=self.name))

        def json(self, path, who="all"):
            answer = self.ask(path, who)
            assert answer.status_code == 200, answer.content
            return answer.json()

        def refusal(self, path, who="all"):
            answer = self.ask(path, who)
            return answer.status_code, answer.json()["code"]

    return Api()


VALUE, PROFILE, WINDOW = (f"/api/rasters/{{name}}/{door}" for door in ("value", "profile", "window"))


def at(x, y, more=""):
    return f"{VALUE}?x={x}&y={y}{more}"


def test_the_value_is_the_cells_and_between_cells_it_is_the_grounds(api):
    told = api.json(at(WEST + 303, NORTH - 207))
    assert told["value"] == pytest.approx(float(height(WEST + 305, NORTH - 205)), rel=1e-6)
    assert told["bilinear"] == pytest.approx(float(height(WEST + 303, NORTH - 207)), rel=1e-6)
    for srid, move in TO.items():
        x, y = move.transform(WEST + 303, NORTH - 207)
        assert api.json(at(x, y, f"&crs=EPSG:{srid}"))["bilinear"] == pytest.approx(
            told["bilinear"], abs=1e-4
        )


def test_outside_and_without_value_are_one_answer(api, land):
    outside = api.ask(at(WEST - 1, NORTH - 5)).content
    assert json.loads(outside)["value"] is None
    holes = np.array([[1.0, -9999.0], [np.nan, 4.0]], dtype="float32")
    hole = land.name_of_layer("holes")
    land.bring(write(land.folder / f"{hole}.tif", holes, nodata=-9999.0), hole, public=True)
    client = Client()
    values = [
        client.get(f"/api/rasters/{hole}/value?x={WEST + x}&y={NORTH - y}").json()["value"]
        for x, y in ((5, 5), (15, 5), (5, 15), (15, 15), (25, 5))
    ]
    assert values == [1.0, None, None, 4.0, None]
    rows = client.get(
        f"/api/rasters/{hole}/window?bbox={WEST},{NORTH - 20},{WEST + 20},{NORTH}&width=2&height=2"
    ).json()["rows"]
    assert rows == [[1.0, None], [None, 4.0]]


def test_a_profile_follows_the_ground(api):
    line = f"{WEST + 100} {NORTH - 100},{WEST + 500} {NORTH - 100},{WEST + 500} {NORTH - 400}"
    told = api.json(f"{PROFILE}?line={line}&step=25")
    assert told["length"] == 700.0
    assert told["distances"] == [25.0 * n for n in range(29)]
    x = [WEST + 100 + min(d, 400) for d in told["distances"]]
    y = [NORTH - 100 - max(d - 400, 0) for d in told["distances"]]
    assert told["values"] == pytest.approx(height(x, y).tolist(), rel=1e-5)
    assert len(api.json(f"{PROFILE}?line={line}")["values"]) == 200
    beyond = api.json(f"{PROFILE}?line={WEST + 1_150} {NORTH - 5},{WEST + 1_250} {NORTH - 5}&step=20")[
        "values"
    ]
    assert [one is None for one in beyond] == [False, False, False, True, True, True]
    spot = api.json(f"{PROFILE}?line={WEST + 5} {NORTH - 5},{WEST + 5} {NORTH - 5}")
    assert (spot["length"], len(spot["values"])) == (0.0, 1)


def test_a_window_is_the_same_as_json_and_raw(api):
    box = f"{WEST},{NORTH - 900},{WEST + 1_200},{NORTH}"
    told = api.json(f"{WINDOW}?bbox={box}&width=120&height=90")
    x, y = np.meshgrid(WEST + (np.arange(120) + 0.5) * CELL, NORTH - (np.arange(90) + 0.5) * CELL)
    assert np.array(told["rows"]) == pytest.approx(height(x, y), rel=1e-6)
    raw = api.ask(f"{WINDOW}?bbox={box}&width=120&height=90&f=raw")
    assert raw.headers["Content-Type"] == "application/octet-stream"
    assert raw.headers["Cache-Control"] == "private, no-store"
    assert np.frombuffer(raw.content, "<f4").reshape(90, 120) == pytest.approx(
        np.array(told["rows"]), rel=1e-6
    )
    west, south = TO[4490].transform(WEST + 100, NORTH - 800)
    east, north = TO[4490].transform(WEST + 1_100, NORTH - 100)
    moved = api.json(f"{WINDOW}?bbox={west},{south},{east},{north}&width=40&height=30&crs=EPSG:4490")["rows"]
    assert moved[15][20] == pytest.approx(float(height(WEST + 612, NORTH - 462)), abs=0.4)


def test_a_large_raster_is_read_thinned_out(land):
    name = land.name_of_layer("wide")
    land.bring(ground(land.folder / f"{name}.tif", 3_000, 2_000), name)
    key = land.key_for("transport", name, "view", "query")
    box = f"{WEST},{NORTH - 20_000},{WEST + 30_000},{NORTH}"
    answer = Client(headers={"Authorization": f"Bearer {key}"}).get(
        f"/api/rasters/{name}/window?bbox={box}&width=60&height=40"
    )
    spots = centres(BBox(WEST, NORTH - 20_000, WEST + 30_000, NORTH), 60, 40)
    truth = height(spots[:, 0], spots[:, 1]).reshape(40, 60)
    assert np.abs(np.array(answer.json()["rows"]) - truth).max() < 1.5  # of 850 from corner to corner


def test_an_area_bounds_what_may_be_seen_and_nothing_tells_of_the_rest(api):
    east = at(MIDDLE + 55, NORTH - 55)
    assert api.json(east)["value"] is not None
    assert api.ask(east, "west").content == api.ask(at(WEST - 50, NORTH - 55), "west").content
    assert api.json(at(MIDDLE - 55, NORTH - 55), "west") == api.json(at(MIDDLE - 55, NORTH - 55))
    line = f"{PROFILE}?line={WEST + 5} {NORTH - 55},{WEST + 1_195} {NORTH - 55}&step=10"
    seen = [one is not None for one in api.json(line, "west")["values"]]
    assert 50 < sum(seen) < 62
    assert not any(seen[62:])
    window = f"{WINDOW}?bbox={WEST},{NORTH - 900},{WEST + 1_200},{NORTH}&width=120&height=90"
    rows = np.array(api.json(window, "west")["rows"], dtype=float)
    assert np.isfinite(rows[:, :58]).all()
    assert np.isnan(rows[:, 61:]).all()
    # Between the cells no neighbour beyond the area is asked either.
    edge = np.isfinite(rows[5]).sum() - 1
    own = api.json(at(WEST + (edge + 0.9) * CELL, NORTH - 55), "west")
    assert own["bilinear"] == own["value"]
    told = api.json("/api/rasters/{name}", "west")
    assert told["extent"] is None
    assert told["bands"] == [{"band": 1, "name": "", "unit": ""}]
    assert not {"columns", "rows"} & told.keys()
    assert not {"extent", "sha256", "size"} & told["versions"][0].keys()


def test_hidden_and_missing_are_one_and_each_door_needs_its_right(api):
    doors = ("", "/value?x=1&y=1", "/profile?line=1 1,2 2", "/window?bbox=1,1,2,2")
    for door in doors:
        hidden = api.ask(f"/api/rasters/{{name}}{door}", "nobody")
        missing = api.ask(f"/api/rasters/no_such_raster{door}", "nobody")
        assert (hidden.status_code, missing.status_code) == (404, 404)
        alike = [
            {
                key: str(value).replace(word, "NAME")
                for key, value in answer.json().items()
                if key != "request_id"
            }
            for answer, word in ((hidden, api.name), (missing, "no_such_raster"))
        ]
        assert alike[0] == alike[1]
        assert api.ask(f"/api/rasters/{{name}}{door}", "view").status_code == (403 if door else 200)
    names = [[one["name"] for one in api.json("/api/rasters", who)["rasters"]] for who in ("view", "nobody")]
    assert [api.name in one for one in names] == [True, False]
    assert api.refusal("/ogc/collections/{name}/items") == (404, "layer-not-found")
    assert api.refusal("/api/identify?x=1&y=1&layers={name}") == (404, "layer-not-found")


STRICT = [
    (f"{VALUE}?x=nan&y=1", "bad-number"),
    (f"{VALUE}?x=１&y=1", "bad-number"),
    (f"{VALUE}?x=1&y=1&z=2", "unknown-parameter"),
    (f"{VALUE}?x=1&x=2&y=1", "repeated-parameter"),
    (f"{VALUE}?x=1&y=1&crs=EPSG:2383", "unknown-crs"),
    (f"{VALUE}?x=1&y=1&as-of=yesterday", "bad-time"),
    (f"{PROFILE}?line=1 1", "bad-line"),
    (f"{PROFILE}?line=1,2 3,4", "bad-line"),
    (f"{PROFILE}?line=1 1,x 2", "bad-number"),
    (f"{PROFILE}?line=0 0,100000 0&step=1", "bad-number"),
    (f"{PROFILE}?line=0 0,100 0&band=2", "no-such-band"),
    (f"{PROFILE}?line=0 0,100 0&band=0", "bad-number"),
    (f"{WINDOW}?bbox=1,1,1,2", "bad-bbox"),
    (f"{WINDOW}?bbox=1,1,2,inf", "bad-bbox"),
    (f"{WINDOW}?bbox=1,1,2,2&width=513", "bad-number"),
    (f"{WINDOW}?bbox=1,1,2,2&height=0", "bad-number"),
    (f"{WINDOW}?bbox=1,1,2,2&f=png", "bad-format"),
]


def test_questions_are_read_strictly(api):
    for path, code in STRICT:
        assert (path, *api.refusal(path)) == (path, 400, code)


def test_past_versions_answer_as_they_did(api, land):
    before = api.json(at(WEST + 55, NORTH - 55))["value"]
    path = write(land.folder / "flat.tif", np.full((90, 120), 7.0, dtype="float32"))
    assert land.bring(path, api.name, mode="replace")["revision"] == 2
    told = [
        api.json(at(WEST + 55, NORTH - 55, more))["value"] for more in ("", "&as-of=rev:2", "&as-of=rev:1")
    ]
    assert told == [7.0, 7.0, before]
    assert api.json(at(WEST + 55, NORTH - 55, "&as-of=rev:0"))["bands"] == []
    versions = api.json("/api/rasters/{name}")["versions"]
    assert [(one["revision"], one["until_revision"]) for one in versions] == [(2, None), (1, 2)]
    assert all(one["at"] for one in versions)


def test_deleted_is_gone_from_every_door_and_comes_back(api, land):
    delete_layer(land.state(api.name), by="tests")
    assert api.refusal(at(1, 1)) == (404, "layer-not-found")
    assert api.refusal("/api/rasters/{name}") == (404, "layer-not-found")
    assert api.ask("/catalogue/{name}/").status_code == 404
    restore_layer(api.name, by="tests")
    assert api.json(at(WEST + 55, NORTH - 55))["value"] is not None


def test_the_catalogue_shows_it_and_the_whole_file_needs_the_whole_right(api, land):
    assert api.name in api.ask("/catalogue/").content.decode()
    page = api.ask("/catalogue/{name}/?lang=en").content.decode()
    assert "120 × 90" in page
    assert "download.tif" in page
    limited = api.ask("/catalogue/{name}/", "west").content.decode()
    assert "120 × 90" not in limited
    assert "download.tif" not in limited
    file = api.ask("/catalogue/{name}/download.tif")
    body = b"".join(file.streaming_content)
    assert body == path_of(RasterVersion.objects.get(layer__name=api.name)).read_bytes()
    assert file.headers["Content-Disposition"] == f'attachment; filename="{api.name}.tif"'
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert api.ask("/catalogue/{name}/download.tif", "west").status_code == 403
    assert api.ask("/catalogue/{name}/download.tif", "view").status_code == 403
    assert api.ask("/catalogue/{name}/download.gpkg").status_code == 400
    assert api.ask("/catalogue/{name}/download.tif", "nobody").status_code == 404


def test_a_lost_file_is_an_answer_not_a_fault(api):
    path_of(RasterVersion.objects.get(layer__name=api.name)).unlink()
    assert api.refusal(at(WEST + 55, NORTH - 55)) == (503, "raster-unavailable")


def test_eight_threads_read_the_same_file_rightly(api):
    spots = np.random.default_rng(3).random((400, 2)) * (1_150, 850) + (20, 20)
    points = np.column_stack([WEST + spots[:, 0], NORTH - spots[:, 1]])
    truth = height(points[:, 0], points[:, 1])
    client = Client(headers={"Authorization": f"Bearer {api.keys['all']}"})

    def read(number):
        for x, y in points[number::40].tolist():
            told = client.get(at(x, y).format(name=api.name)).json()
            assert told["bilinear"] == pytest.approx(float(height(x, y)), rel=1e-5)
        return number

    racers = race(read, [(number,) for number in range(8)])
    assert [one.error for one in racers] == [None] * 8
    assert len(truth) == 400


def test_cells_of_every_type_are_read_as_they_are(land):
    for dtype in ("int8", "uint16", "int32", "float64"):
        name = land.name_of_layer(dtype)
        cells = (np.arange(12).reshape(1, 3, 4) * 10).astype(dtype)
        assert land.bring(write(land.folder / f"{name}.tif", cells), name, public=True)["status"] == "done"
        scope = raster_scope(PUBLIC, name, Action.QUERY)
        with reading(scope, version_at(scope, None)) as reader:
            found = reader.over(1, centres(BBox(WEST, NORTH - 30, WEST + 40, NORTH), 4, 3))
        assert found.tolist() == cells.ravel().tolist()


@given(
    st.lists(st.tuples(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5)), min_size=2, max_size=6),
    st.floats(0.5, 1e5),
)
@settings(deadline=None)
def test_samples_run_from_end_to_end(line, step):
    course = np.array(line)
    distances, points = samples(course, step, 2_000)
    assert len(distances) == len(points) <= 2_000
    assert distances[0] == 0
    assert points[0] == pytest.approx(course[0])
    assert (np.diff(distances) >= 0).all()
    if len(distances) < 2_000:
        length = float(np.hypot(*np.diff(course, axis=0).T).sum())
        assert distances[-1] == pytest.approx(length, abs=1e-5)


def test_the_catalogue_in_memory_knows_rasters_apart(api):
    known = catalogue.current()
    assert api.name in known.rasters
    assert api.name not in known.layers
