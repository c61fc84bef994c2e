import signal
from pathlib import Path

import pytest

from deploy import database, identity
from deploy.refusals import SetupError

from .conftest import query


def kill(cluster):
    """What a power cut or an impatient operator does."""
    processes = cluster.processes()
    for process in processes:
        identity.send(process, signal.SIGKILL)
    assert identity.wait_gone(processes, 10) == []


def count(cluster, secrets, table):
    return int(database.run_sql(cluster, secrets, f"SELECT count(*) FROM {table}", "onemap"))


def test_starting_twice_starts_once(cluster):
    server = cluster.postmaster()
    assert cluster.start() is False
    assert cluster.postmaster() == server


def test_preparing_twice_changes_nothing(cluster, secrets):
    database.prepare(cluster, secrets)
    schemas = database.run_sql(
        cluster, secrets, "SELECT nspname FROM pg_namespace ORDER BY 1", "onemap"
    ).split()
    assert {"data", "history", "public", "staging"} <= set(schemas)


def test_no_address_is_listened_on_and_the_socket_is_private(cluster, secrets):
    assert database.run_sql(cluster, secrets, "SHOW listen_addresses").strip() == ""
    assert cluster.socket.stat().st_mode & 0o077 == 0
    assert cluster.data.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("role", ["postgres", "onemap_owner", "onemap_web"])
def test_nobody_enters_without_the_password(cluster, secrets, role):
    refused = query(cluster, role, "guess", "SELECT 1")
    assert refused.returncode != 0
    assert "password authentication failed" in refused.stderr


def test_the_web_login_changes_rows_and_no_tables(cluster, secrets):
    as_owner = query(
        cluster, "onemap_owner", secrets["owner_password"], "CREATE TABLE data.road (id serial, name text)"
    )
    assert as_owner.returncode == 0, as_owner.stderr
    password = secrets["web_password"]
    assert (
        query(cluster, "onemap_web", password, "INSERT INTO data.road (name) VALUES ('深南大道')").returncode
        == 0
    )
    assert query(cluster, "onemap_web", password, "SELECT name FROM data.road").stdout == "深南大道\n"
    for forbidden in (
        "CREATE TABLE data.mine (id int)",
        "CREATE TABLE public.mine (id int)",
        "CREATE TEMP TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "DROP TABLE data.road",
        "TRUNCATE data.road",
        "SELECT * FROM staging.anything",
        "SELECT pg_read_file('/etc/hostname')",
    ):
        refused = query(cluster, "onemap_web", password, forbidden)
        assert refused.returncode != 0, forbidden
        assert "denied" in refused.stderr or "must be owner" in refused.stderr


def test_a_request_may_not_wait_for_ever(cluster, secrets):
    settings = query(
        cluster, "onemap_web", secrets["web_password"], "SHOW statement_timeout; SHOW lock_timeout"
    )
    assert settings.stdout.split() == ["30s", "5s"]
    assert query(cluster, "onemap_owner", secrets["owner_password"], "SHOW statement_timeout").stdout == "0\n"


def test_a_statement_that_fails_stops_the_script(cluster, secrets):
    with pytest.raises(SetupError, match="does not exist"):
        database.run_sql(cluster, secrets, "SELECT nothing; CREATE TABLE reached (id int)")


@pytest.mark.slow
def test_it_comes_back_after_everything_was_killed(cluster, secrets):
    database.run_sql(cluster, secrets, "CREATE TABLE kept AS SELECT generate_series(1, 1000)", "onemap")
    kill(cluster)
    assert cluster.postmaster() is None
    assert cluster.start() is True
    assert count(cluster, secrets, "kept") == 1000


@pytest.mark.slow
def test_it_comes_back_when_the_server_alone_was_killed(cluster, secrets):
    server = cluster.postmaster()
    identity.send(server, signal.SIGKILL)
    assert identity.wait_gone([server], 10) == []
    assert cluster.start() is True
    assert cluster.postmaster() != server


@pytest.mark.slow
def test_it_comes_back_when_its_old_number_belongs_to_somebody_else(cluster, secrets):
    kill(cluster)
    for lock in (cluster.data / "postmaster.pid", cluster.socket / ".s.PGSQL.5432.lock"):
        lines = lock.read_text().split("\n")
        lock.write_text("\n".join(["1", *lines[1:]]))
    assert cluster.postmaster() is None
    assert cluster.start() is True


@pytest.mark.slow
def test_it_comes_back_when_its_socket_was_cleaned_away(cluster):
    (cluster.socket / ".s.PGSQL.5432").unlink()
    assert cluster.start() is True
    assert (cluster.socket / ".s.PGSQL.5432").is_socket()


@pytest.mark.slow
def test_stop_leaves_nothing_and_a_second_stop_is_no_error(cluster):
    processes = cluster.processes()
    assert len(processes) > 3
    cluster.stop()
    cluster.stop()
    assert [process for process in processes if process.is_alive()] == []
    assert not cluster.socket.exists()
    assert cluster.start() is True


@pytest.mark.slow
def test_a_socket_folder_of_somebody_else_is_refused(cluster, tmp_path):
    cluster.stop()
    cluster.socket.symlink_to(tmp_path)
    try:
        with pytest.raises(SetupError, match="held by somebody else"):
            cluster.start()
    finally:
        Path(cluster.socket).unlink()
        cluster.start()
