"""How the database goes about our own statements: EXPLAIN (ANALYZE, BUFFERS), inside the site.

One JSON line holds the parameters of `/items`, another the plan; the page's own statement, as the public asks it.
"""

import django

django.setup()

from django.db import connection, transaction  # noqa: E402 - Django first
from psycopg2 import sql  # noqa: E402

from accounts.principals import PUBLIC  # noqa: E402
from layers.ogc.features_api.items import page_statement  # noqa: E402
from layers.ogc.features_api.parameters import parse_items  # noqa: E402
from layers.rights import Action, scope  # noqa: E402
from tests.benchmarks.measure import answers  # noqa: E402

# As a page's cursor is planned: its rows may be fetched a few at a time, so that no second process helps.
PLANNED_AS_A_CURSOR = "SET LOCAL max_parallel_workers_per_gather = 0"


def run(question):
    found = scope(PUBLIC, question["layer"], Action.QUERY)
    given = {name: str(value) for name, value in question["given"].items()}
    statement = page_statement(found, parse_items(found, given))
    text = sql.SQL("EXPLAIN (ANALYZE, BUFFERS) {}").format(statement.text)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(PLANNED_AS_A_CURSOR)
        cursor.execute(text.as_string(connection.connection), statement.params)
        return {"plan": [line for (line,) in cursor.fetchall()]}


if __name__ == "__main__":
    answers(run)
