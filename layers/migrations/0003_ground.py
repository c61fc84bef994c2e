"""The catalogue's version with its triggers, and the seed rows."""

from django.db import migrations

# An edit moves revision, changed_at, feature_count, extent and first_levels only: it must not raise the version.
VERSION = """
INSERT INTO layers_cataloguestate (version) VALUES (1);
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

THEMES = (
    ("base", "基础地理", "Base geography", 10),
    ("plan", "规划成果", "Planning results", 20),
    ("status", "土地现状", "Land status", 30),
    ("management", "公共管理", "City management", 40),
)
EVERYTHING = ["view", "query", "download", "edit", "publish", "admin"]
KEEPERS = (("admin", "系统管理员", "Administrator"), ("datamanager", "数据管理员", "Data manager"))


def seed(apps, schema_editor):
    """Themes, and the two roles that keep every layer."""
    theme = apps.get_model("layers", "Theme")
    for code, zh, en, order in THEMES:
        theme.objects.get_or_create(code=code, defaults={"title_zh": zh, "title_en": en, "order": order})
    role = apps.get_model("accounts", "Role")
    grant = apps.get_model("layers", "Grant")
    for code, zh, en in KEEPERS:
        keeper, _ = role.objects.get_or_create(code=code, defaults={"name_zh": zh, "name_en": en})
        grant.objects.create(to="role", role=keeper, actions=EVERYTHING, created_by="platform")


class Migration(migrations.Migration):
    dependencies = [("layers", "0002_initial"), ("accounts", "0001_initial")]

    operations = [
        migrations.RunSQL(VERSION, migrations.RunSQL.noop),
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
