"""Every conformance class of CQL2 that `/ogc/conformance` declares holds, and no other is declared."""

from urllib.parse import urlencode

import pytest

from tests.surveying import ITEMS, fids, in_system

pytest_plugins = ["tests.layermaking", "tests.surveying"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]


def lon_lat(shape):
    return in_system(shape, 4326, False)


# Every class of CQL2 that is declared, with filters that only a server of that class answers.
CLASSES = {
    "cql2-text": [("amount=70", [7])],
    "cql2-json": [('{"op":"=","args":[{"property":"amount"},70]}', [7])],
    "basic-cql2": [
        ("(amount=10 OR NOT amount>20) AND name IS NOT NULL AND open<>true", [1]),
        ("day>=DATE('2026-01-24') AND seen<TIMESTAMP('2026-01-25T00:00:00Z')", [24]),
        ("TRUE AND amount=10", [1]),
    ],
    "advanced-comparison-operators": [
        ("name LIKE 'lot _' AND amount BETWEEN 10 AND 20 AND amount NOT IN (20)", [1])
    ],
    "case-insensitive-comparison": [("CASEI(name) IN (CASEI('LOT 1'))", [1])],
    "accent-insensitive-comparison": [("ACCENTI(name)=ACCENTI('l\u00f3t 1')", [1])],
    "basic-spatial-functions": [
        ("S_INTERSECTS(geometry,BBOX({box}))", [3]),
        ("S_INTERSECTS(geometry,POINT({point}))", [3]),
    ],
    "basic-spatial-functions-plus": [
        ("S_INTERSECTS(geometry,MULTIPOINT(({point}),(0 0)))", [3]),
        ("S_INTERSECTS(geometry,LINESTRING({point},{x1} {y1}))", [3]),
        ("S_INTERSECTS(geometry,MULTILINESTRING(({point},{x1} {y1})))", [3]),
        ("S_INTERSECTS(geometry,POLYGON(({x0} {y0},{x1} {y0},{x1} {y1},{x0} {y0})))", [3]),
        ("S_INTERSECTS(geometry,MULTIPOLYGON((({x0} {y0},{x1} {y0},{x1} {y1},{x0} {y0}))))", [3]),
        ("S_INTERSECTS(geometry,GEOMETRYCOLLECTION(POINT({point}),LINESTRING(0 0,1 1)))", [3]),
    ],
    "spatial-functions": [
        ("S_WITHIN(geometry,BBOX({box})) AND NOT S_DISJOINT(geometry,POINT({point}))", [3]),
        ("S_CONTAINS(geometry,POINT({point})) AND NOT S_TOUCHES(geometry,POINT({point}))", [3]),
        ("S_OVERLAPS(geometry,POLYGON(({x0} {y0},{x1} {y0},{x1} {y1},{x0} {y0})))", [3]),
        ("S_CROSSES(LINESTRING({point},0 0),geometry) AND NOT S_EQUALS(geometry,POINT({point}))", [3]),
    ],
    "temporal-functions": [
        ("T_AFTER(day,DATE('2026-01-24'))", [25]),
        ("T_BEFORE(day,DATE('2026-01-02'))", [1]),
        ("T_DISJOINT(day,INTERVAL('2026-01-02','..'))", [1]),
        ("T_EQUALS(day,DATE('2026-01-03'))", [3]),
        ("T_INTERSECTS(day,INTERVAL('..','2026-01-01'))", [1]),
        ("T_DURING(INTERVAL(day,day),INTERVAL('2026-01-02','2026-01-04'))", [3]),
        ("T_CONTAINS(INTERVAL('2026-01-02','2026-01-04'),INTERVAL(day,day))", [3]),
        ("T_MEETS(INTERVAL('2025-01-01',day),INTERVAL('2026-01-03','..'))", [3]),
        ("T_METBY(INTERVAL('2026-01-03','..'),INTERVAL('2025-01-01',day))", [3]),
        ("T_OVERLAPS(INTERVAL('2025-01-01',day),INTERVAL('2026-01-24','2026-02-01'))", [25]),
        ("T_OVERLAPPEDBY(INTERVAL('2026-01-24','2026-02-01'),INTERVAL('2025-01-01',day))", [25]),
        ("T_STARTS(INTERVAL(day,'2026-02-01'),INTERVAL('2026-01-03','2026-03-01'))", [3]),
        ("T_STARTEDBY(INTERVAL('2026-01-03','2026-03-01'),INTERVAL(day,'2026-02-01'))", [3]),
        ("T_FINISHES(INTERVAL('2025-06-01',day),INTERVAL('2025-01-01','2026-01-03'))", [3]),
        ("T_FINISHEDBY(INTERVAL('2025-01-01','2026-01-03'),INTERVAL('2025-06-01',day))", [3]),
    ],
    "property-property": [("amount<ratio OR amount=amount AND name='lot 1'", [1])],
}


def test_the_classes_declared_are_those_shown_here(survey, public):
    stem = "http://www.opengis.net/spec/cql2/1.0/conf/"
    declared = public.json("/ogc/conformance")["conformsTo"]
    assert {uri.removeprefix(stem) for uri in declared if uri.startswith(stem)} == set(CLASSES)


@pytest.mark.parametrize("name", CLASSES)
def test_a_declared_class_holds(survey, public, squares, name):
    shape = lon_lat(squares[3])
    x0, y0, x1, y1 = shape.bounds
    point = f"{shape.centroid.x} {shape.centroid.y}"
    box = ",".join(map(str, lon_lat(squares[3].buffer(5)).bounds))
    for text, found in CLASSES[name]:
        language = "cql2-json" if text.startswith("{") else "cql2-text"
        filled = (
            text if text.startswith("{") else text.format(box=box, point=point, x0=x0, y0=y0, x1=x1, y1=y1)
        )
        assert (
            fids(public.json(f"{ITEMS}?{urlencode({'filter': filled, 'filter-lang': language})}")) == found
        ), filled


def test_items_link_to_their_queryables(survey, public):
    link = public.get(ITEMS).headers["Link"]
    address = link.split(">")[0].removeprefix("<")
    assert public.json(address.removeprefix("http://testserver"))["$id"] == address
