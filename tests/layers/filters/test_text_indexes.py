"""Texts are found by their index: equal ones, one of a list, and those with a beginning; by their first characters."""

import re
from importlib import import_module
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.http import QueryDict
from psycopg2 import sql

from accounts.principals import PUBLIC
from layers.ogc.features_api.items import page_statement
from layers.ogc.features_api.parameters import parse_items, single
from layers.rights import Action, scope
from layers.tables import SORTED_CHARACTERS
from tests import layermaking
from tests.layermaking import NORTH, WEST, square
from tests.surveying import fids

pytest_plugins = ["tests.layermaking", "tests.surveying"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

LONG = "长" * SORTED_CHARACTERS
TEXTS = ["a%b", "a_b", "axb", "a\\b", "aB", "Ab", LONG, LONG + "尾", LONG + "_", "b", None]
NAMED = dict(enumerate(TEXTS, 1))
MANY = 3_000
QUESTIONS = [
    (f"code='{LONG}尾'", lambda text: text == LONG + "尾"),
    (f"code IN ('{LONG}尾','axb','none')", lambda text: text in {LONG + "尾", "axb"}),
    ("code NOT IN ('axb')", lambda text: text != "axb"),
    ("code LIKE 'a\\%%'", lambda text: text.startswith("a%")),
    ("code LIKE 'a\\_b'", lambda text: text == "a_b"),
    ("code LIKE 'a_b'", lambda text: text in {"a%b", "a_b", "axb", "a\\b"}),
    ("code LIKE 'a\\\\%'", lambda text: text.startswith("a\\")),
    ("code LIKE 'axb'", lambda text: text == "axb"),
    ("code LIKE '%b'", lambda text: text.endswith("b")),
    (f"code LIKE '{LONG}_'", lambda text: text in {LONG + "尾", LONG + "_"}),
    (f"code LIKE '{LONG}\\_'", lambda text: text == LONG + "_"),
    (f"code LIKE '{LONG}尾%'", lambda text: text == LONG + "尾"),
    ("code NOT LIKE 'a%'", lambda text: not text.startswith("a")),
]


@pytest.fixture(scope="module")
def named(public):
    rows = [
        {"code": text, "geometry": square(WEST + 300 * number, NORTH)} for number, text in enumerate(TEXTS)
    ]
    return layermaking.make_layer("named", rows, public=True, fields={"code": {"indexed": True}})


@pytest.fixture(scope="module")
def numbered(public):
    rows = [
        {"code": f"{4403_00000 + number}", "geometry": square(WEST + 3 * number, NORTH, 2)}
        for number in range(MANY)
    ]
    return layermaking.make_layer("numbered", rows, public=True, fields={"code": {"indexed": True}})


@pytest.mark.parametrize(("text", "holds"), QUESTIONS)
def test_the_index_changes_no_answer(named, public, text, holds):
    path = f"/ogc/collections/named/items?{urlencode({'filter': text})}"

    assert fids(public.json(path)) == [
        fid for fid, value in NAMED.items() if value is not None and holds(value)
    ]


def plan(name, **parameters):
    found = scope(PUBLIC, name, Action.QUERY)
    query = QueryDict(urlencode(parameters))
    statement = page_statement(found, parse_items(found, single(query)))
    text = sql.SQL("EXPLAIN (COSTS OFF) {}").format(statement.text)
    with connection.cursor() as cursor:
        cursor.execute(text.as_string(connection.connection), statement.params)
        return "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.parametrize(
    "text",
    [
        "code='440300007'",
        "code IN ('440300007','440302999')",
        "code LIKE '44030000%'",
        "code LIKE '44030000_'",
    ],
)
def test_texts_are_looked_up_not_searched_for(numbered, text):
    found = plan("numbered", filter=text)

    assert "Seq Scan" not in found
    assert re.search(r'Index Cond: .*"left"\(f_[0-9]+, 200\)', found)


def test_a_sorted_page_is_read_in_the_order_of_its_index(numbered):
    found = plan("numbered", sortby="-code", limit="10")

    assert "Index Scan Backward" in found
    assert "Seq Scan" not in found


def test_indexes_of_before_are_made_anew_by_code_points(numbered):
    made = 'CREATE INDEX before ON data.numbered ("left"({}, 200), fid)'
    look = "SELECT indexdef FROM pg_indexes WHERE tablename = 'numbered' AND indexname = 'before'"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'data.numbered'::regclass AND attname ~ '^f_'"
        )
        cursor.execute(made.format(cursor.fetchone()[0]))
        import_module("layers.migrations.0010_text_order").order_texts(
            None, SimpleNamespace(connection=connection)
        )
        cursor.execute(look)
        assert 'COLLATE "C", fid)' in cursor.fetchone()[0]
