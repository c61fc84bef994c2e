"""Fifty generated filters over a whole file: OWSLib (text), plain JSON and geopandas give the same features.

The truth is worked out with pandas and shapely on the source file, in three values: a comparison with a missing
value is unknown, and NOT of that too. The generator is seeded: a failing number can be looked at again.
"""

import json
import os
import random
import subprocess
import sys
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
from owslib.ogcapi.features import Features

READER = Path(__file__).with_name("read_oapif.py")
FIFTY = range(50)
LIMIT = 2_000
WORDS = ("中心", "大厦", "小学", "花园", "a", "广场")


@dataclass
class Asked:
    """A condition as text, as JSON, and its truth by row: certainly so, certainly not."""

    text: str
    tree: dict
    so: np.ndarray
    not_so: np.ndarray


def call(op, *args):
    return {"op": op, "args": list(args)}


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def compared(frame, name, op, value, test):
    """A comparison of a column with a value; unknown where there is none."""
    column = frame[name].astype(object)
    known = column.notna().to_numpy()
    so = np.array([bool(one) and test(other) for one, other in zip(known, column, strict=True)])
    word = quoted(value) if isinstance(value, str) else repr(value)
    return Asked(f"{name} {op} {word}", call(op, {"property": name}, value), so, known & ~so)


def atom(chance, frame):
    kinds = (order, order, equal, listed, like, missing, shapes, shapes, shapes)
    return chance.choice(kinds)(chance, frame)


def some(chance, frame, name):
    return frame[name].dropna().iloc[chance.randrange(frame[name].notna().sum())]


def order(chance, frame):
    op, test = chance.choice(
        [
            ("<", lambda a, b: a < b),
            ("<=", lambda a, b: a <= b),
            (">", lambda a, b: a > b),
            (">=", lambda a, b: a >= b),
        ]
    )
    name = chance.choice(["height", "levels", "name"])
    value = some(chance, frame, name)
    return compared(frame, name, op, value, lambda one: test(one, value))


def equal(chance, frame):
    name = chance.choice(["building", "height", "levels"])
    value = some(chance, frame, name)
    if chance.random() < 0.5:
        return compared(frame, name, "<>", value, lambda one: one != value)
    return compared(frame, name, "=", value, lambda one: one == value)


def listed(chance, frame):
    name = chance.choice(["building", "levels"])
    values = sorted({some(chance, frame, name) for _ in range(4)})
    found = compared(frame, name, "in", values[0], lambda one: one in values)
    text = f"{name} IN ({','.join(map(quoted, values))})"
    return Asked(text, call("in", {"property": name}, values), found.so, found.not_so)


def like(chance, frame):
    word = chance.choice(WORDS)
    pattern, test = chance.choice(
        [
            (f"%{word}%", lambda one: word.lower() in one),
            (f"{word}%", lambda one: one.startswith(word.lower())),
            (f"%{word}", lambda one: one.endswith(word.lower())),
        ]
    )
    found = compared(frame, "name", "like", pattern, lambda one: test(one.lower()))
    tree = call("like", call("casei", {"property": "name"}), call("casei", pattern))
    return Asked(f"CASEI(name) LIKE CASEI({quoted(pattern)})", tree, found.so, found.not_so)


def missing(chance, frame):
    name = chance.choice(["name", "height", "levels"])
    so = frame[name].isna().to_numpy()
    return Asked(f"{name} IS NULL", call("isNull", {"property": name}), so, ~so)


def shapes(chance, frame):
    place = frame.geometry.iloc[chance.randrange(len(frame))].centroid
    x, y = place.x + chance.uniform(-0.001, 0.001), place.y + chance.uniform(-0.001, 0.001)
    reach = chance.choice([0.002, 0.02, 0.1])
    op, test = chance.choice(
        [
            ("s_intersects", shapely.intersects),
            ("s_within", shapely.within),
            ("s_disjoint", shapely.disjoint),
            ("s_overlaps", shapely.overlaps),
            ("s_crosses", lambda a, b: shapely.crosses(a, shapely.boundary(b))),
        ]
    )
    area = shapely.Point(x, y).buffer(reach, quad_segs=chance.choice([1, 2, 8]))
    literal = shapely.boundary(area) if op == "s_crosses" else area
    shapely.prepare(area)
    so = test(frame.geometry.to_numpy(), area)
    tree = call(op, {"property": "geometry"}, json.loads(shapely.to_geojson(literal)))
    return Asked(f"{op.upper()}(geometry,{shapely.to_wkt(literal, rounding_precision=-1)})", tree, so, ~so)


def joined(chance, frame, depth):
    if depth == 0 or chance.random() < 0.3:
        return atom(chance, frame)
    if chance.random() < 0.25:
        one = joined(chance, frame, depth - 1)
        return Asked(f"NOT ({one.text})", call("not", one.tree), one.not_so, one.so)
    left, right = joined(chance, frame, depth - 1), joined(chance, frame, depth - 1)
    if chance.random() < 0.5:
        tree = call("and", left.tree, right.tree)
        return Asked(
            f"({left.text}) AND ({right.text})", tree, left.so & right.so, left.not_so | right.not_so
        )
    tree = call("or", left.tree, right.tree)
    return Asked(f"({left.text}) OR ({right.text})", tree, left.so | right.so, left.not_so & right.not_so)


@pytest.fixture(scope="module")
def frame(buildings):
    """The file's rows; the four shapes that the import repaired, repaired the same way."""
    found = buildings.source.copy()
    found["geometry"] = shapely.make_valid(found.geometry.to_numpy())
    return found


@pytest.fixture(scope="module")
def fifty(frame):
    return [joined(random.Random(number), frame, 3) for number in FIFTY]


def expected(asked):
    return (np.flatnonzero(asked.so) + 1).tolist()


def agrees(page, asked):
    rows = expected(asked)
    assert [one["id"] for one in page["features"]] == rows[:LIMIT], asked.text
    assert page.get("numberMatched", len(rows)) == len(rows), asked.text
    assert any(one["rel"] == "next" for one in page["links"]) == (len(rows) > LIMIT)


def test_the_fifty_ask_for_something_and_not_for_everything(fifty, frame):
    counts = [int(one.so.sum()) for one in fifty]
    assert sum(0 < count < len(frame) for count in counts) >= 40, counts


def test_fifty_filters_in_text_through_owslib(site, buildings, fifty):
    ours = Features(f"{site.url}/ogc/", headers={"Authorization": f"Bearer {buildings.key}"})
    for asked in fifty:
        page = ours.collection_items(buildings.name, filter=asked.text, limit=LIMIT, properties="building")
        agrees(page, asked)


def test_fifty_filters_in_json(site, buildings, fifty):
    for asked in fifty:
        words = {"filter": json.dumps(asked.tree), "filter-lang": "cql2-json", "limit": LIMIT}
        agrees(fetched(site, buildings, {**words, "properties": "building"}), asked)


def fetched(site, layer, parameters):
    address = f"{site.url}/ogc/collections/{layer.name}/items?{urllib.parse.urlencode(parameters)}"
    headers = {"Authorization": f"Bearer {layer.key}"} if layer.key else {}
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers)) as answer:
        return json.load(answer)


PUSHED = [
    (
        "building = 'school' AND name LIKE '%小学%'",
        lambda f: (f.building == "school") & f.name.str.contains("小学"),
    ),
    (
        "height IS NULL AND (building = 'roof' OR building IN ('hotel','church'))",
        lambda f: f.height.isna() & f.building.isin(["roof", "hotel", "church"]),
    ),
    (
        "NOT (building = 'apartments') AND levels >= '5'",
        lambda f: (f.building != "apartments") & (f.levels.fillna("") >= "5"),
    ),
]


@pytest.mark.parametrize(("where", "holds"), PUSHED, ids=[where for where, _ in PUSHED])
def test_gdal_with_a_condition_reads_what_the_file_has(where, holds, site, buildings, frame, tmp_path):
    path = tmp_path / "out.gpkg"
    words = ["PAGE_SIZE=1000", "CRS=OGC:CRS84", f"WHERE={where}"]
    done = subprocess.run(
        [sys.executable, str(READER), f"{site.url}/ogc", buildings.name, str(path), *words],
        env={
            **os.environ,
            "PYTHONPATH": "",
            "GDAL_HTTP_AUTH": "BEARER",
            "GDAL_HTTP_BEARER": buildings.key,
            "CPL_CURL_VERBOSE": "YES",  # says every address that is fetched
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found, rows = pyogrio.read_dataframe(path), frame[holds(frame)]
    assert sorted(found["src_tile"] + found["building"]) == sorted(rows["src_tile"] + rows["building"])
    assert len(found) == len(rows) > 0
    # GDAL 3.12 writes no CQL2 (of its draft alone, cql-text): equal values go as parameters, the rest it judges itself.
    pages = [line for line in done.stderr.splitlines() if "> GET" in line and "/items" in line]
    assert any("&building=school" in line for line in pages) == where.startswith("building = 'school'"), pages


def test_a_layer_that_is_there_gets_an_index_to_sort_by(site, blocks):
    code, done = site.manage("layer", "index", blocks.name, "share", "count")
    assert (code, sorted(done["fields"])) == (0, ["count", "share"]), done
    assert site.manage("layer", "index", blocks.name, "share")[1]["fields"] == []  # it is there
    assert site.manage("layer", "index", blocks.name, "no_such")[1]["code"] == "field-not-found"
    page = fetched(site, blocks, {"sortby": "-share,count", "limit": 5})
    assert [one["properties"]["count"] for one in page["features"]] == [229, 228, 227, 226, 225]
    following = next(one["href"] for one in page["links"] if one["rel"] == "next")
    with urllib.request.urlopen(following) as answer:
        assert [one["properties"]["count"] for one in json.load(answer)["features"]] == [
            224,
            223,
            222,
            221,
            220,
        ]
