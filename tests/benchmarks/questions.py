"""Ten questions of a department's program, each beside the first peer that gives as many features for an answer.

One request after the other; the values change from request to request. A peer is asked in its own words (tipg: CQL2,
pg_featureserv: CQL); where none can answer, the statement that anyone would write for it is run through psycopg2.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from urllib.parse import urlencode

import shapely

from spatial.crs import transformation
from tests.benchmarks import parcels
from tests.benchmarks.measure import Helper, alternate
from tests.benchmarks.report import BARE_SQL, rows_of
from tests.benchmarks.serving import LAYER, boxes, floor_items

EACH = 5  # requests a round
BEFORE = 10  # pages before the one that is asked for deep in an order
PAGE = 1_000
CORNERS, REACH_M = 24, 1_200.0  # of a polygon drawn by hand


@dataclass(frozen=True)
class Question:
    """`filter` in CQL2 text and `where` in SQL, with {code}, {use} … for fields and {0}, {1} … for values.

    Attributes
    ----------
    values
        Makes the values out of a source of chance and the extent (columns, rows).
    boxed
        The last value is a box in longitude and latitude besides, as a parameter of its own.
    sort
        A field to sort by, from the largest value down.
    deep
        The page is the one after the first `BEFORE`.
    """

    name: str
    filter: str
    where: str
    values: Callable
    limit: int = PAGE
    boxed: bool = False
    sort: str = ""
    deep: bool = False

    def asked(self, values, names):
        """The parameters of the question, to us or to a peer that names the fields so."""
        given = {"limit": self.limit}
        if self.filter:
            given |= {"filter": self.filter.format(*values, **names), "filter-lang": "cql2-text"}
        if self.boxed:
            given["bbox"] = values[-1]
        if self.sort:
            given["sortby"] = f"-{names[self.sort]}"
        return given

    def statement(self, start, values, columns):
        """The floor's statement."""
        order = f"{columns[self.sort]} DESC, fid DESC" if self.sort else "fid"
        return f"{start}{self.where.format(*values, **columns)} ORDER BY {order} LIMIT {self.limit}"


def number_of(chance, extent):
    return chance.randrange(extent[0] * extent[1])


def code_of(number):
    return f"4403{number // 1000:05d}{number % 1000:04d}"


def one_code(chance, extent):
    return (code_of(number_of(chance, extent)),)


def beginning(chance, extent):
    return (code_of(number_of(chance, extent))[:9],)


def codes(chance, extent):
    return (",".join(f"'{code_of(number_of(chance, extent))}'" for _ in range(50)),)


def ratio_in_box(chance, extent):
    low = round(chance.uniform(0.5, 6.0), 2)
    (box,) = boxes(1, *extent, chance)
    return low, low + 1, ",".join(str(value) for value in box)


def drawn(chance, extent):
    """A polygon as someone draws it on the map, WKT in longitude and latitude."""
    x = parcels.WEST + parcels.SIDE_M * chance.uniform(0.2, 0.8) * extent[0]
    y = parcels.SOUTH + parcels.SIDE_M * chance.uniform(0.2, 0.8) * extent[1]
    steps = [(2 * math.pi * n / CORNERS, REACH_M * chance.uniform(0.7, 1.0)) for n in range(CORNERS)]
    plane = shapely.Polygon([(x + far * math.cos(way), y + far * math.sin(way)) for way, far in steps])
    there = shapely.transform(plane, transformation(parcels.SRID, 4490, {}).apply)
    return (shapely.to_wkt(there, rounding_precision=7),)


def late_day(chance, _extent):
    return (date(2020, 1, 1) + timedelta(days=chance.randrange(1_990, 1_998)),)


def areas(chance, _extent):
    low = chance.randrange(3_600, 3_700)
    return low, low + 100


def mixed(chance, _extent):
    use, other = chance.sample(parcels.USES, 2)
    return use, round(chance.uniform(7.6, 7.9), 2), other, chance.randrange(290, 297)


def nothing(_chance, _extent):
    return ()


BOX = f"ST_Intersects(geom, ST_Transform(ST_MakeEnvelope({{2}}, 4490), {parcels.SRID}))"
DRAWN = f"ST_Intersects(geom, ST_Transform(ST_GeomFromText('{{0}}', 4490), {parcels.SRID}))"
MIXED = "({use} = '{0}' AND {far} > {1}) OR ({use} = '{2}' AND {height_m} > {3})"
FOLDED = "CASEI({code}) = CASEI('{0}')"
QUESTIONS = (
    Question("filter_code", "{code} = '{0}'", "{code} = '{0}'", one_code),
    Question("filter_prefix", "{code} LIKE '{0}%'", "{code} LIKE '{0}%%'", beginning),
    Question("filter_list", "{code} IN ({0})", "{code} IN ({0})", codes),
    Question(
        "filter_range_bbox",
        "{far} BETWEEN {0} AND {1}",
        "{far} BETWEEN {0} AND {1} AND " + BOX,
        ratio_in_box,
        boxed=True,
    ),
    Question("filter_drawn", "S_INTERSECTS({geometry},{0})", DRAWN, drawn, limit=5_000),
    Question("filter_date", "{surveyed} > DATE('{0}')", "{surveyed} > DATE '{0}'", late_day),
    Question(
        "filter_area_sorted",
        "{area_m2} BETWEEN {0} AND {1}",
        "{area_m2} BETWEEN {0} AND {1}",
        areas,
        sort="area_m2",
    ),
    Question("filter_casei", FOLDED, "upper({code}) = upper('{0}')", one_code),
    Question("filter_and_or", MIXED, MIXED, mixed),
    Question("filter_sorted_deep", "", "", nothing, sort="area_m2", deep=True),
)
NAMES = tuple(one.name for one in QUESTIONS)


def measure(run, floor, peers):
    """The rows that are wanted."""
    able = [one for one in peers if hasattr(one, "filtered")]
    columns = {name: column for column, name in run.bed.columns(LAYER)} | {"geometry": "geom"}
    return [
        row
        for question in QUESTIONS
        if run.wants(question.name)
        for row in _row(run, floor, able, question, columns)
    ]


def explain(run, path):
    """Write the plans of our own statements, one question after the other."""
    helper, chance, names = Helper("plans", env=run.bed.env), random.Random(parcels.SEED), _own_names()
    with path.open("w", encoding="utf-8") as file:
        for question in QUESTIONS:
            given = question.asked(question.values(chance, run.extent), names)
            told = helper.ask({"layer": LAYER, "given": given})
            file.write("\n".join([f"== {question.name} {given}", *told["plan"], "", ""]))
    helper.close()


def _own_names():
    return {name: name for name in (*parcels.FIELDS, "geometry")}


def _row(run, floor, peers, question, columns):
    chance = random.Random(parcels.SEED)
    values = [[question.values(chance, run.extent) for _ in range(EACH)] for _ in range(run.rounds + 1)]
    ours = [[_our_path(run.bed, question, one) for one in some] for some in values]
    expected = run.bed.json(ours[0][0])["numberReturned"]
    sides = {
        "ours": lambda number: run.client.seconds(run.bed.port, ours[number], clients=1),
    }
    peer, paths = _first_able(run, peers, question, values, columns, expected)
    if peer is None:
        asked = _statements(run.bed, question, values, columns)
        if floor.count(asked[0][0]) != expected:
            raise RuntimeError(f"{question.name}: the statement and we do not find the same")
        sides[BARE_SQL] = lambda number: floor.seconds(asked[number])
    else:
        sides[peer.name] = lambda number: run.client.seconds(peer.port, paths[number], clients=1)
    return rows_of(question.name, alternate(sides, run.rounds))


def _our_path(bed, question, values):
    path = f"/ogc/collections/{LAYER}/items?{urlencode(question.asked(values, _own_names()))}"
    if not question.deep:
        return path
    return _deep(bed, path)


@cache
def _deep(bed, path):
    """The page after the first `BEFORE`, by following the links."""
    for _ in range(BEFORE):
        links = bed.json(path)["links"]
        path = next(one["href"] for one in links if one["rel"] == "next").removeprefix(bed.url)
    return path


def _first_able(run, peers, question, values, columns, expected):
    """The first peer that answers the question with as many features, and its paths by round."""
    for peer in peers:
        paths = [[_their_path(peer, question, one, columns) for one in some] for some in values]
        found = peer.features(paths[0][0])
        if found == expected:
            return peer, paths
        why = "gives no answer" if found is None else f"gives {found} features, not {expected}"
        run.notes.miss(peer.name, [question.name], why)
    return None, []


def _their_path(peer, question, values, columns):
    asked = question.asked(values, columns)
    if question.deep:
        asked["offset"] = BEFORE * question.limit
    return peer.filtered(asked)


def _statements(bed, question, values, columns):
    start = floor_items(bed)
    if question.deep:
        where = _after(bed, columns[question.sort], question.limit)
        return [[question.statement(start + where, one, columns) for one in some] for some in values]
    return [[question.statement(start, one, columns) for one in some] for some in values]


def _after(bed, column, limit):
    """The floor's condition of a page by its key."""
    last = f"ORDER BY {column} DESC, fid DESC OFFSET {BEFORE * limit - 1} LIMIT 1"
    value, fid = bed.query(f"SELECT {column}, fid FROM data.{LAYER} {last}")[0]
    return f"({column}, fid) < ({value}, {fid})"
