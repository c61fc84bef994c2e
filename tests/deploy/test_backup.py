import json
import tarfile

import pytest

from deploy import backup, database, passwords
from deploy.refusals import SetupError

FILES = {
    "media/ab/photo": b"\xff\xd8",
    "rasters/0a1b.tif": b"II*\x00",
    "packages/2c3d.zip": b"PK\x03\x04",
    "keys/packages.pem": b"-----BEGIN PRIVATE KEY-----",
}


@pytest.fixture(scope="module")
def written(cluster, places, secrets):
    """A backup of a database with one table, and a file in each folder that the database names files of."""
    database.run_sql(cluster, secrets, "SET ROLE onemap_owner; CREATE TABLE data.park (name text)", "onemap")
    database.run_sql(cluster, secrets, "INSERT INTO data.park VALUES ('莲花山公园')", "onemap")
    for name, content in FILES.items():
        (places.var / name).parent.mkdir(parents=True, mode=0o700)
        (places.var / name).write_bytes(content)
        (places.var / name).chmod(0o600)
    (places.var / "rasters" / ".work-x").mkdir()
    (places.var / "rasters" / ".work-x" / "half.tif").write_bytes(b"II")
    (places.var / "packages" / ".4e5f.part").write_bytes(b"PK")
    folder = places.var.parent / "a backup"
    backup.backup(places, folder)
    return folder


def test_a_backup_is_private_and_whole(written):
    assert written.stat().st_mode & 0o077 == 0
    assert backup.verified(written) == written
    assert {file.name for file in written.iterdir()} == {
        "onemap.dump",
        "media.tar",
        "rasters.tar",
        "packages.tar",
        "keys.tar",
        "secrets.json",
        "manifest.json",
    }


def test_what_is_still_being_written_is_none_of_a_backup(written):
    for name in ("rasters", "packages"):
        with tarfile.open(written / f"{name}.tar") as archive:
            kept = {member.name for member in archive.getmembers()}
        assert kept == {".", f"./{next(one for one in FILES if one.startswith(name)).split('/')[1]}"}


def test_a_backup_is_never_written_over(written, places):
    with pytest.raises(SetupError, match="exists already"):
        backup.backup(places, written)


def test_a_backup_leaves_the_server_as_it_was(written, cluster):
    assert cluster.postmaster() is not None


@pytest.mark.parametrize("name", ["onemap.dump", "media.tar", "keys.tar", "secrets.json"])
def test_a_damaged_backup_is_noticed_before_anything_changes(written, tmp_path, name):
    for file in written.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with (tmp_path / name).open("ab") as damaged:
        damaged.write(b"x")
    with pytest.raises(SetupError, match="not a whole backup"):
        backup.verified(tmp_path)


def test_a_backup_that_lost_a_file_is_noticed(written, tmp_path):
    for file in written.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "rasters.tar").unlink()
    with pytest.raises(SetupError, match="not a whole backup"):
        backup.verified(tmp_path)


def test_a_backup_of_before_there_were_rasters_leaves_those_folders_alone(written, cluster, places, tmp_path):
    for name in ("onemap.dump", "media.tar", "secrets.json"):
        (tmp_path / name).write_bytes((written / name).read_bytes())
    manifest = json.loads((written / "manifest.json").read_text())
    manifest["sha256"] = {
        name: manifest["sha256"][name] for name in ("onemap.dump", "media.tar", "secrets.json")
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    kept = backup.replace(places, cluster, backup.verified(tmp_path))
    assert (places.var / "media" / "ab" / "photo").read_bytes() == FILES["media/ab/photo"]
    assert (places.var / "rasters" / "0a1b.tif").is_file()
    assert not (places.var / f"{kept}_rasters").exists()


def test_restoring_brings_everything_back_and_keeps_what_was_there(written, cluster, places, secrets):
    database.run_sql(cluster, secrets, "UPDATE data.park SET name = 'changed since'", "onemap")
    for name in FILES:
        (places.var / name).write_bytes(b"changed since")
    kept = backup.replace(places, cluster, backup.verified(written))
    assert database.run_sql(cluster, secrets, "SELECT name FROM data.park", "onemap") == "莲花山公园\n"
    assert {name: (places.var / name).read_bytes() for name in FILES} == FILES
    assert (places.var / "keys" / "packages.pem").stat().st_mode & 0o077 == 0
    assert (places.var / "keys").stat().st_mode & 0o077 == 0
    assert database.run_sql(cluster, secrets, "SELECT name FROM data.park", kept) == "changed since\n"
    for name in FILES:
        folder, _, below = name.partition("/")
        assert (places.var / f"{kept}_{folder}" / below).read_bytes() == b"changed since"
    assert (
        passwords.ensure(places)["secret_key"]
        == json.loads((written / "secrets.json").read_text())["secret_key"]
    )


def test_rights_survive_a_restore(written, cluster, places, secrets):
    backup.replace(places, cluster, written)
    granted = "SELECT has_table_privilege('onemap_web', 'data.park', 'INSERT'), tableowner FROM pg_tables"
    where = " WHERE tablename = 'park'"
    assert database.run_sql(cluster, secrets, granted + where, "onemap") == "t|onemap_owner\n"
