"""OGC API Features: features by equal values, page by page, while others write."""

from urllib.parse import quote

import pytest

from layers.actions import FeatureEdit
from layers.ogc.features_api.parameters import parse_limit
from tests import doors, layermaking, people
from tests.layermaking import NORTH, WEST, area, grant, square
from tests.surveying import COUNT, ITEMS, assert_refused, edited, fids, in_system, next_of, token_of, walk

pytest_plugins = ["tests.layermaking", "tests.surveying"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("name=lot 7", [7]),
        ("name=朝阳", [5, 10, 15, 20, 25]),
        ("name=", []),
        ("name=LOT 7", []),
        ("name=lot%25", []),
        ("amount=70", [7]),
        ("amount=-70", []),
        ("ratio=2.5", [10]),
        ("ratio=25e-1", [10]),
        ("day=2026-01-07", [7]),
        ("seen=2026-01-07T12:00:00Z", [7]),
        ("seen=2026-01-07T20:00:00%2B08:00", [7]),
        ("open=true&name=朝阳", [10, 20]),
        ("open=false&amount=20", []),
        ("items=a field with an awkward name&amount=10", [1]),
    ],
)
def test_features_are_found_by_equal_values(survey, public, query, found):
    document = public.json(f"{ITEMS}?{query.replace(' ', '%20')}")
    assert fids(document) == found
    assert document["numberMatched"] == len(found)


def test_filters_and_boxes_go_together(survey, public, squares):
    bbox = ",".join(str(value) for value in in_system(squares[10].buffer(1000), 4326, False).bounds)
    assert fids(public.json(f"{ITEMS}?bbox={bbox}&name=朝阳")) == [10]


@pytest.mark.parametrize(
    "query",
    ["amount=", "amount=1.5", "amount=ten", "amount=１０", "amount=" + "9" * 19, "amount=1_0", "amount=0x1"]
    + [
        "ratio=nan",
        "ratio=inf",
        "ratio=1e400",
        "ratio=1,5",
        "day=2026-02-30",
        "day=yesterday",
        "day=２０２６-01-07",
    ]
    + ["seen=noon", "seen=2026-01-07T25:00:00Z", "open=TRUE", "open=1", "open=", "name=a%00b"],
)
def test_a_value_of_another_type_is_refused(survey, public, query):
    assert_refused(public, f"{ITEMS}?{query}", 400, "bad-value")


def test_hidden_and_unknown_properties_are_refused_alike(survey, public):
    offices = people.offices()
    layer = layermaking.make_layer("partly", layermaking.ground("partly"))
    grant(layer, "department:water", "view,query", fields=["name"])
    caller = people.program(offices["water"])
    answers = []
    for name in ("secret_remark", "never_there__"):
        answer = caller.get(f"/ogc/collections/partly/items?{name}=SECRET-partly-1")
        assert answer.status_code == 400
        answers.append(doors.without_identity(answer, name))
    assert answers[0] == answers[1]
    assert fids(caller.json("/ogc/collections/partly/items?name=CANARY-partly-west-1")) == [1]


def test_a_field_shown_in_one_area_only_answers_no_filter_outside_it(survey, public):
    """Otherwise the number of hits would tell the hidden value."""
    offices = people.offices()
    layer = layermaking.make_layer("oracle", layermaking.ground("oracle"))
    grant(layer, "department:water", "view,query", fields=["name"])
    west = area(WEST - 1000, NORTH - 1000, WEST + 5000, NORTH + 5000)
    grant(layer, "department:water", "view,query", fields=["secret_remark"], area=west)
    caller = people.program(offices["water"])
    for number, found in ((1, [1]), (4, [])):
        document = caller.json(f"/ogc/collections/oracle/items?secret_remark=SECRET-oracle-{number}")
        assert (fids(document), document["numberMatched"]) == (found, len(found))


@pytest.mark.parametrize(
    "query", ["no_such=1", "NAME=x", "f_001=1", "fid=1", "geom=1", "bbox_crs=x", "filters=1"]
)
def test_an_unknown_parameter_is_refused(survey, public, query):
    assert_refused(public, f"{ITEMS}?{query}", 400, "unknown-parameter")


@pytest.mark.parametrize(
    "query", ["limit=1&limit=2", "amount=10&amount=10", "crs=EPSG:4326&crs=EPSG:4326", "f=json&f=html"]
)
def test_a_repeated_parameter_is_refused(survey, public, query):
    assert_refused(public, f"{ITEMS}?{query}", 400, "repeated-parameter")


@pytest.mark.parametrize(
    ("text", "count"), [("1", 1), ("10", 10), ("10000", COUNT), ("10001", COUNT), ("9" * 19, COUNT)]
)
def test_limit(survey, public, text, count):
    document = public.json(f"{ITEMS}?limit={text}")
    assert (document["numberReturned"], len(document["features"])) == (count, count)
    assert document["numberMatched"] == COUNT
    assert any(link["rel"] == "next" for link in document["links"]) == (count < COUNT)


@pytest.mark.parametrize(
    "text", ["0", "-1", "1e3", "１０", "1.0", "", "ten", "0x10", "1_0", "NaN", " 1", "9" * 20, "1;2"]
)
def test_a_limit_that_is_none_is_refused(survey, public, text):
    assert_refused(public, f"{ITEMS}?limit={quote(text)}", 400, "bad-number")


def test_a_larger_limit_is_cut_at_ten_thousand(survey, public):
    assert [parse_limit(text) for text in (None, "9999", "10000", "10001", "999999999")] == [
        100,
        9999,
        10000,
        10000,
        10000,
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("limit=7", range(1, 26)),
        ("limit=25", range(1, 26)),
        ("limit=1&name=朝阳", [5, 10, 15, 20, 25]),
        ("limit=2&open=true", range(2, 26, 2)),
        ("limit=3&bbox=-180,-90,180,90&as-of=rev:1", range(1, 26)),
        ("limit=3&as-of=rev:0", []),
    ],
)
def test_the_pages_together_are_the_whole(survey, public, query, expected):
    assert [feature["id"] for feature in walk(public, f"{ITEMS}?{query}")] == list(expected)


def test_pages_hold_still_while_others_write(survey, public):
    edits = iter(
        [
            FeatureEdit("delete", 24, 1),
            FeatureEdit("update", 20, 1, properties={"amount": -1}),
            FeatureEdit("insert", geometry=square(WEST, NORTH + 9_000), properties={"name": "new"}),
            FeatureEdit("update", 3, 1, geometry=square(WEST, NORTH + 9_000)),
            FeatureEdit("delete", 1, 1),
        ]
    )
    before = public.json(f"{ITEMS}?limit=1000")["features"]
    pages = walk(public, f"{ITEMS}?limit=5", lambda: edited("survey", next(edits)))
    assert pages == before
    after = fids(public.json(f"{ITEMS}?limit=1000"))
    assert after[:-1] == [number for number in range(2, 26) if number != 24]
    assert after[-1] > COUNT


def test_pages_of_a_revision_yet_to_come_hold_still_too(survey, public):
    edits = iter([FeatureEdit("delete", 24, 1), *[FeatureEdit("delete", n, 1) for n in (1, 2, 3, 4, 5, 6)]])
    before = public.json(f"{ITEMS}?limit=1000")["features"]
    assert walk(public, f"{ITEMS}?limit=10&as-of=rev:99", lambda: edited("survey", next(edits))) == before


def test_a_next_belongs_to_one_question_of_one_caller(survey, dated, public):
    offices = people.offices()
    path = next_of(public.json(f"{ITEMS}?limit=2&open=true"))
    token = token_of(path)
    assert fids(public.json(path)) == [6, 8]
    other = people.program(offices["water"])
    wrong = [
        (other, path),
        (public, f"{ITEMS}?limit=2&next={token}"),
        (public, f"{ITEMS}?limit=2&open=false&next={token}"),
        (public, f"{ITEMS}?limit=2&open=true&crs=EPSG:4547&next={token}"),
        (public, f"/ogc/collections/dated/items?limit=2&next={token}"),
        (public, f"/ogc/collections/survey/changes?next={token}"),
    ]
    for caller, asked in wrong:
        assert_refused(caller, asked, 400, "bad-page")


def test_a_next_of_items_does_not_continue_changes(survey, public):
    token = token_of(next_of(public.json(f"{ITEMS}?limit=2")))
    assert_refused(public, f"/ogc/collections/survey/changes?next={token}", 400, "bad-page")


@pytest.mark.parametrize("change", ["cut", "flip", "empty", "letters", "long", "spaces", "surrogate", "null"])
def test_a_next_that_was_tampered_with_is_refused(survey, public, change):
    token = token_of(next_of(public.json(f"{ITEMS}?limit=2")))
    forged = {
        "cut": token[:-1],
        "flip": ("x" if token[0] != "x" else "y") + token[1:],
        "empty": "",
        "letters": "abc:def:ghi",
        "long": token * 200,
        "spaces": f" {token}",
        "surrogate": "%ED%A0%80",
        "null": "%00",
    }[change]
    assert_refused(public, f"{ITEMS}?limit=2&next={forged}", 400, "bad-page")


def test_a_next_dies_with_the_right(survey, public):
    offices = people.offices()
    layer = layermaking.make_layer("waning", layermaking.ground("waning"))
    first = grant(layer, "department:water", "view,query")
    caller = people.program(offices["water"])
    path = next_of(caller.json("/ogc/collections/waning/items?limit=2"))
    assert fids(caller.json(path)) == [3, 4]
    first.delete()
    grant(layer, "department:water", "view,query", fields=["name"])
    assert_refused(caller, path, 400, "bad-page")


def test_the_page_may_grow_on_the_way(survey, public):
    path = next_of(public.json(f"{ITEMS}?limit=2")).replace("limit=2", "limit=4")
    assert fids(public.json(path)) == [3, 4, 5, 6]
