"""OGC API Features: sorted pages, over NULLs and ties, while others write; chosen properties; what can be sorted by."""

from datetime import date

import pytest

from layers.actions import FeatureEdit
from layers.models import Field
from tests import layermaking, people
from tests.layermaking import NORTH, WEST, grant, square
from tests.surveying import assert_refused, edited, fids, walk

pytest_plugins = ["tests.layermaking", "tests.surveying"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

GRADES = [None, "b", "a", "b", None, "a", "c", "b", None, "a", "b", "c"]
SIZES = [3, None, 1, 3, 3, None, 2, 3, None, 1, 3, None]
INDEXED = {name: {"indexed": True} for name in ("grade", "size", "day", "good", "share")}
ITEMS = "/ogc/collections/graded/items"


def rows():
    for number, (grade, size) in enumerate(zip(GRADES, SIZES, strict=True), 1):
        yield {
            "grade": grade,
            "size": size,
            "share": None if size is None else size / 3,
            "day": date(2026, 1, 1 + number % 3),
            "good": number % 2 == 0,
            "remark": f"r{number}",
            "geometry": square(WEST + 500 * number, NORTH),
        }


@pytest.fixture(scope="module")
def graded(public):
    return layermaking.make_layer("graded", list(rows()), public=True, fields=INDEXED)


def expected(*keys):
    """fids in order by (values, descending) pairs: NULLs last, then fid in the first key's direction."""
    order = sorted(range(1, len(GRADES) + 1), reverse=keys[0][1])
    for values, descending in reversed(keys):
        known = [n for n in order if values[n - 1] is not None]
        known.sort(key=lambda n: values[n - 1], reverse=False)
        if descending:
            # A stable descending sort keeps the order of ties.
            known = sorted(
                [n for n in order if values[n - 1] is not None], key=lambda n: values[n - 1], reverse=True
            )
        order = known + [n for n in order if values[n - 1] is None]
    return order


SHARES = [None if size is None else size / 3 for size in SIZES]
DAYS = [1 + number % 3 for number in range(1, 13)]
ORDERS = {
    "grade": [(GRADES, False)],
    "%2Bgrade": [(GRADES, False)],
    "+grade": [(GRADES, False)],
    "-grade": [(GRADES, True)],
    "size": [(SIZES, False)],
    "-size": [(SIZES, True)],
    "grade,-size": [(GRADES, False), (SIZES, True)],
    "-grade,size": [(GRADES, True), (SIZES, False)],
    "-size,-grade": [(SIZES, True), (GRADES, True)],
    "day,grade,-size": [(DAYS, False), (GRADES, False), (SIZES, True)],
    "-share": [(SHARES, True)],
    "-good,size": [([n % 2 for n in range(12)], True), (SIZES, False)],
    "fid": [(range(1, 13), False)],
    "-fid": [(range(1, 13), True)],
    "grade,-fid": [(GRADES, False), (range(1, 13), True)],
    "-size,fid,grade": [(SIZES, True), (range(1, 13), False)],
}


@pytest.mark.parametrize("sortby", ORDERS)
def test_pages_over_nulls_and_ties_are_the_whole_in_order(graded, public, sortby):
    order = expected(*ORDERS[sortby])
    assert fids(public.json(f"{ITEMS}?sortby={sortby}&limit=1000")) == order
    for limit in (1, 2, 5):
        pages = walk(public, f"{ITEMS}?sortby={sortby}&limit={limit}")
        assert [one["id"] for one in pages] == order, limit


def test_sorted_pages_hold_still_while_others_write(graded, public):
    edits = [
        FeatureEdit("update", 3, 1, properties={"grade": "z"}),
        FeatureEdit("update", 1, 1, properties={"grade": "a"}),
        FeatureEdit("delete", 10, 1),
        FeatureEdit("insert", geometry=square(WEST, NORTH + 9_000), properties={"grade": "a", "size": 1}),
        FeatureEdit("update", 7, 1, properties={"grade": None}),
        FeatureEdit("update", 12, 1, properties={"size": 0}),
    ]
    before = public.json(f"{ITEMS}?sortby=-grade,size&limit=1000")["features"]
    coming = iter(edits)

    def between():
        if (edit := next(coming, None)) is not None:
            edited("graded", edit)

    pages = walk(public, f"{ITEMS}?sortby=-grade,size&limit=2", between)
    assert pages == before
    assert next(coming, None) is None
    after = fids(public.json(f"{ITEMS}?sortby=-grade,size&limit=1000"))
    assert after[0] == 3 and 10 not in after and after != [one["id"] for one in before]


def test_layers_with_valid_time_sort_by_period_too(public):
    told = {
        "valid_time": True,
        "valid_from": "2020-01-01",
        "public": True,
        "fields": {"grade": {"indexed": True}},
    }
    layer = layermaking.make_layer("epochs", list(rows()), **told)
    edited(layer.name, FeatureEdit("update", 2, 1, properties={"remark": "corrected"}))
    path = "/ogc/collections/epochs/items"
    for sortby, order in {
        "-grade": [(GRADES, True)],
        "grade": [(GRADES, False)],
        "-fid": ORDERS["-fid"],
    }.items():
        pages = walk(public, f"{path}?sortby={sortby}&limit=2&datetime=../..")
        assert [one["id"] for one in pages] == expected(*order)
        assert all(one["time"]["interval"][0] == "2020-01-01" for one in pages)
    properties = public.json("/ogc/collections/epochs/queryables")["properties"]
    assert properties["valid_from"]["x-ogc-role"] == "primary-interval-start"
    found = public.json(
        f"{path}?filter=T_INTERSECTS(INTERVAL(valid_from,valid_to),DATE('2019-12-31'))&datetime=../.."
    )
    assert fids(found) == []
    found = public.json(
        f"{path}?filter=T_CONTAINS(INTERVAL(valid_from,valid_to),DATE('2021-01-01'))&datetime=../.."
    )
    assert len(fids(found)) == 12
    assert fids(public.json(f"{path}?filter=valid_to%20IS%20NOT%20NULL")) == []


def test_long_texts_sort_by_their_beginning_and_are_found_whole(public):
    words = ["a" * 5_000 + end for end in ("z", "a", "m")] + ["b"]
    content = [{"note": word, "geometry": square(WEST + 500 * n, NORTH)} for n, word in enumerate(words)]
    layermaking.make_layer("wordy", content, public=True, label_field="note")
    path = "/ogc/collections/wordy/items"
    assert [one["id"] for one in walk(public, f"{path}?sortby=note&limit=1")] == [1, 2, 3, 4]
    assert fids(public.json(f"{path}?note={words[1]}")) == [2]
    assert fids(public.json(f"{path}?filter=note%3D'{words[2]}'")) == [3]


@pytest.mark.parametrize(
    ("sortby", "code"),
    [
        ("remark", "not-sortable"),
        ("grade,grade", "not-sortable"),
        ("grade,-grade", "not-sortable"),
        ("fid,grade,size,day,good,share", "not-sortable"),
        ("", "field-not-found"),
        ("grade,", "field-not-found"),
        ("--grade", "field-not-found"),
        ("GRADE", "field-not-found"),
        ("f_001", "field-not-found"),
        ("geometry", "field-not-found"),
    ],
)
def test_what_cannot_be_sorted_by_is_refused(graded, public, sortby, code):
    assert_refused(public, f"{ITEMS}?sortby={sortby}", 400, code)


def test_sortables_are_the_indexed_fields_the_caller_sees(graded, public):
    document = public.json("/ogc/collections/graded/sortables")
    assert list(document["properties"]) == ["fid", "grade", "size", "share", "day", "good"]
    water = people.offices()["water"]
    layer = layermaking.make_layer("partly_sorted", list(rows()), fields=INDEXED)
    grant(layer, "department:water", "view,query", fields=["grade", "remark"])
    caller = people.program(water)
    assert list(caller.json("/ogc/collections/partly_sorted/sortables")["properties"]) == ["fid", "grade"]
    hidden = assert_refused(
        caller, "/ogc/collections/partly_sorted/items?sortby=size", 400, "field-not-found"
    )
    assert "grade" not in str(hidden)
    offered = assert_refused(
        caller, "/ogc/collections/partly_sorted/items?sortby=remark", 400, "not-sortable"
    )
    assert offered["facts"]["offered"] == "fid, grade"


def test_key_label_and_coded_fields_are_indexed_by_default(public):
    layermaking.make_layer("by_default", list(rows()), key="remark", label_field="grade")
    layermaking.make_layer("by_nothing", list(rows()))
    indexed = Field.objects.filter(indexed=True)
    assert {one.name for one in indexed.filter(layer__name="by_default")} == {"remark", "grade"}
    assert not indexed.filter(layer__name="by_nothing").exists()


def test_chosen_properties_in_the_layers_order(graded, public):
    document = public.json(f"{ITEMS}?properties=size,grade&limit=2")
    assert [list(one["properties"]) for one in document["features"]] == [["grade", "size"]] * 2
    one = public.json(f"{ITEMS}/1?properties=grade")
    assert list(one["properties"]) == ["grade"]
    assert_refused(public, f"{ITEMS}?properties=", 400, "field-not-found")
    assert_refused(public, f"{ITEMS}/1?properties=no_such", 400, "field-not-found")
