import json

import pytest

from deploy import backup, database, passwords
from deploy.refusals import SetupError


@pytest.fixture(scope="module")
def written(cluster, places, secrets):
    """A backup of a database with one table and media with one photo."""
    database.run_sql(cluster, secrets, "SET ROLE onemap_owner; CREATE TABLE data.park (name text)", "onemap")
    database.run_sql(cluster, secrets, "INSERT INTO data.park VALUES ('莲花山公园')", "onemap")
    (places.var / "media" / "ab").mkdir(parents=True)
    (places.var / "media" / "ab" / "photo").write_bytes(b"\xff\xd8")
    folder = places.var.parent / "a backup"
    backup.backup(places, folder)
    return folder


def test_a_backup_is_private_and_whole(written):
    assert written.stat().st_mode & 0o077 == 0
    assert backup.verified(written) == written
    assert {file.name for file in written.iterdir()} == {
        "onemap.dump",
        "media.tar",
        "secrets.json",
        "manifest.json",
    }


def test_a_backup_is_never_written_over(written, places):
    with pytest.raises(SetupError, match="exists already"):
        backup.backup(places, written)


def test_a_backup_leaves_the_server_as_it_was(written, cluster):
    assert cluster.postmaster() is not None


@pytest.mark.parametrize("name", ["onemap.dump", "media.tar", "secrets.json"])
def test_a_damaged_backup_is_noticed_before_anything_changes(written, tmp_path, name):
    for file in written.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with (tmp_path / name).open("ab") as damaged:
        damaged.write(b"x")
    with pytest.raises(SetupError, match="not a whole backup"):
        backup.verified(tmp_path)


def test_restoring_brings_everything_back_and_keeps_what_was_there(written, cluster, places, secrets):
    database.run_sql(cluster, secrets, "UPDATE data.park SET name = 'changed since'", "onemap")
    (places.var / "media" / "ab" / "photo").write_bytes(b"changed since")
    kept = backup.replace(places, cluster, backup.verified(written))
    assert database.run_sql(cluster, secrets, "SELECT name FROM data.park", "onemap") == "莲花山公园\n"
    assert (places.var / "media" / "ab" / "photo").read_bytes() == b"\xff\xd8"
    assert database.run_sql(cluster, secrets, "SELECT name FROM data.park", kept) == "changed since\n"
    assert (places.var / f"{kept}_media" / "ab" / "photo").read_bytes() == b"changed since"
    assert (
        passwords.ensure(places)["secret_key"]
        == json.loads((written / "secrets.json").read_text())["secret_key"]
    )


def test_rights_survive_a_restore(written, cluster, places, secrets):
    backup.replace(places, cluster, written)
    granted = "SELECT has_table_privilege('onemap_web', 'data.park', 'INSERT'), tableowner FROM pg_tables"
    where = " WHERE tablename = 'park'"
    assert database.run_sql(cluster, secrets, granted + where, "onemap") == "t|onemap_owner\n"
