from django.db import migrations

# What was made before the role existed; later tables are granted as they are made (layers.tables).
GRANTS = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'onemap_render') THEN
        GRANT USAGE ON SCHEMA data, history, overview TO onemap_render;
        GRANT SELECT ON ALL TABLES IN SCHEMA data, history, overview TO onemap_render;
        GRANT SELECT ON layers_overview TO onemap_render;
    END IF;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("layers", "0010_text_order"),
    ]

    operations = [
        migrations.RunSQL(GRANTS, migrations.RunSQL.noop),
    ]
