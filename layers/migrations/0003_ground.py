"""The triggers that raise the catalogue's version (layers.catalogue)."""

from django.db import migrations

# An edit moves revision, changed_at, feature_count, extent and first_levels only: it must not raise the version.
VERSION = """
CREATE FUNCTION layers_raise_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE layers_cataloguestate SET version = version + 1;
    RETURN NULL;
END $$;
CREATE TRIGGER raise_version AFTER INSERT OR DELETE OR TRUNCATE ON layers_layer
    FOR EACH STATEMENT EXECUTE FUNCTION layers_raise_version();
CREATE TRIGGER raise_version_of_update AFTER UPDATE OF name, title_zh, title_en, abstract_zh, abstract_en, theme_id,
    department_id, family, secrecy, valid_time, key_field, label_field, style, "order", visible, demo, control,
    keywords, update_cycle, contact, deleted_at ON layers_layer
    FOR EACH STATEMENT EXECUTE FUNCTION layers_raise_version();
CREATE TRIGGER raise_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON layers_theme
    FOR EACH STATEMENT EXECUTE FUNCTION layers_raise_version();
CREATE TRIGGER raise_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON layers_field
    FOR EACH STATEMENT EXECUTE FUNCTION layers_raise_version();
CREATE TRIGGER raise_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON layers_codevalue
    FOR EACH STATEMENT EXECUTE FUNCTION layers_raise_version();
CREATE TRIGGER raise_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON layers_grant
    FOR EACH STATEMENT EXECUTE FUNCTION layers_raise_version();
CREATE TRIGGER raise_version AFTER UPDATE OR DELETE OR TRUNCATE ON accounts_department
    FOR EACH STATEMENT EXECUTE FUNCTION layers_raise_version();
"""

class Migration(migrations.Migration):
    dependencies = [("layers", "0002_initial"), ("accounts", "0001_initial")]

    operations = [
        migrations.RunSQL(VERSION, migrations.RunSQL.noop),
    ]
