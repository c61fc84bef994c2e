"""Indexes on texts are made anew in the order of code points, which serves patterns too."""

from django.db import migrations
from psycopg2 import sql

# Of each table of features: its indexes on the beginning of a text, and that text.
FIND = r"""
SELECT kept.relname, shown.relname, substring(pg_get_indexdef(pg_index.indexrelid) FROM '"left"\(([a-z0-9_]+), 200\)')
  FROM pg_index
  JOIN pg_class AS shown ON shown.oid = pg_index.indexrelid
  JOIN pg_class AS kept ON kept.oid = pg_index.indrelid
 WHERE kept.relnamespace = 'data'::regnamespace
   AND pg_get_indexdef(pg_index.indexrelid) ~ '"left"\([a-z0-9_]+, 200\), fid\)'
"""


def order_texts(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'data'")
        if cursor.fetchone() is None:
            return
        cursor.execute(FIND)
        for table, index, column in cursor.fetchall():
            for text in (
                "DROP INDEX {index}",
                'CREATE INDEX {name} ON {table} (left({column}, 200) COLLATE "C", fid)',
            ):
                statement = sql.SQL(text).format(
                    index=sql.Identifier("data", index),
                    name=sql.Identifier(index),
                    table=sql.Identifier("data", table),
                    column=sql.Identifier(column),
                )
                cursor.execute(statement.as_string(schema_editor.connection.connection))


class Migration(migrations.Migration):
    dependencies = [("layers", "0009_overviews")]

    operations = [migrations.RunPython(order_texts, migrations.RunPython.noop)]
