"""The catalogue's version is raised, too, when a table is joined to another layer or a layer's checks change."""

from django.db import migrations

VERSION = """
DROP TRIGGER raise_version_of_update ON layers_layer;
CREATE TRIGGER raise_version_of_update AFTER UPDATE OF name, title_zh, title_en, abstract_zh, abstract_en, theme_id,
    department_id, family, secrecy, valid_time, key_field, label_field, style, "order", visible, demo, control,
    keywords, update_cycle, update_days, contact, joins_id, join_field, checks, deleted_at ON layers_layer
    FOR EACH STATEMENT EXECUTE FUNCTION layers_raise_version();
CREATE TRIGGER raise_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON layers_codelist
    FOR EACH STATEMENT EXECUTE FUNCTION layers_raise_version();
"""


class Migration(migrations.Migration):
    dependencies = [("layers", "0004_deliveries")]

    operations = [migrations.RunSQL(VERSION, migrations.RunSQL.noop)]
