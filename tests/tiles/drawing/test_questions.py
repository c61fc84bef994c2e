"""Values written into a text for Mapnik come back from PostgreSQL as they were."""

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st
from psycopg2 import sql

from layers.queries import Statement
from tiles.drawing.questions import written

TEXTS = st.text(
    st.characters(blacklist_characters="\x00", blacklist_categories=["Cs"]) | st.sampled_from("!@'\\%")
)


@pytest.mark.django_db
@trials(max_examples=60, deadline=None)
@given(TEXTS, st.lists(TEXTS, min_size=1), st.integers(-(2**60), 2**60))
def test_values_are_what_they_were_and_hold_nothing_that_mapnik_reads(text, listed, number):
    statement = Statement(
        sql.SQL("SELECT %(text)s::text, %(listed)s::text[], %(number)s"),
        {"text": text, "listed": listed, "number": number},
    )
    made = written(statement)

    assert "!" not in made
    assert "@" not in made
    with connection.cursor() as cursor:
        cursor.execute(made.replace("%", "%%"), ())
        assert cursor.fetchone() == (text, listed, number)
