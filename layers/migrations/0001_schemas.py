"""PostGIS and the schemas of the layers' tables, on a database that does not have them yet."""

from django.db import migrations

SCHEMAS = """
CREATE EXTENSION IF NOT EXISTS postgis;
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE SCHEMA IF NOT EXISTS data;
CREATE SCHEMA IF NOT EXISTS history;
CREATE SCHEMA IF NOT EXISTS staging;
"""


class Migration(migrations.Migration):
    dependencies = []

    operations = [migrations.RunSQL(SCHEMAS, migrations.RunSQL.noop)]
