import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

# Made and written by the owner; the web role only reads (see deploy/sql/database.sql).
SHAPES = """
CREATE SCHEMA IF NOT EXISTS overview;
CREATE TABLE overview.shape (
    layer bigint NOT NULL,
    level smallint NOT NULL,
    block integer NOT NULL,
    fid bigint,
    version integer,
    class text,
    number bigint NOT NULL,
    weight double precision NOT NULL,
    reach geometry,
    geom geometry NOT NULL,
    CHECK ((fid IS NULL) = (reach IS NOT NULL))
);
CREATE INDEX shape_place ON overview.shape USING gist (layer, level, geom);
CREATE INDEX shape_block ON overview.shape (layer, block);
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'onemap_web') THEN
        GRANT USAGE ON SCHEMA overview TO onemap_web;
        GRANT SELECT ON overview.shape TO onemap_web;
        REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON layers_overview, layers_follower FROM onemap_web;
    END IF;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("layers", "0008_changesets"),
    ]

    operations = [
        migrations.CreateModel(
            name="Follower",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("pid", models.IntegerField()),
                ("heartbeat_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Overview",
            fields=[
                (
                    "layer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="overview",
                        serialize=False,
                        to="layers.layer",
                    ),
                ),
                ("revision", models.BigIntegerField()),
                ("stamp", models.BigIntegerField(default=1)),
                ("day", models.DateField()),
                ("class_column", models.CharField(blank=True, max_length=8)),
                ("levels", models.JSONField(default=dict)),
                ("built_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("built_count", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.RunSQL(SHAPES, "DROP SCHEMA overview CASCADE"),
    ]
