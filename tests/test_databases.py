"""A test's database goes although the server itself is at work in it."""

from contextlib import closing

import psycopg2
import pytest
from psycopg2 import errors

from deploy import database
from tests import databases
from tests.conftest import wait_until
from tests.deploy.conftest import cluster, places, secrets  # noqa: F401

NAME = "onemap_vacuumed"
# All that the owner may see of an autovacuum worker: a process of no role of its own.
WORKERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND usename IS NULL"
# Dead rows enough to be vacuumed, and a pause after every page: the worker stays.
BUSY = """
    CREATE TABLE crowded (note text) WITH (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1);
    INSERT INTO crowded SELECT repeat('x', 1000) FROM generate_series(1, 2000);
    DELETE FROM crowded;
"""


@pytest.fixture
def vacuumed(cluster, secrets):  # noqa: F811
    """The owner's way into a cluster that vacuums without pause."""
    database.run_sql(cluster, secrets, "ALTER SYSTEM SET autovacuum_naptime = 1")
    database.run_sql(cluster, secrets, "SELECT pg_reload_conf()")

    def connect(name):
        return closing(
            psycopg2.connect(
                dbname=name,
                user="onemap_owner",
                password=secrets["owner_password"],
                host=str(cluster.socket),
                port=5432,
            )
        )

    return connect


def test_a_database_that_is_being_vacuumed_is_removed_with_the_sessions_in_it(vacuumed):
    with vacuumed("postgres") as linked, linked.cursor() as cursor:
        databases.create(linked, NAME)
        with vacuumed(NAME) as inside:
            with inside, inside.cursor() as busy:
                busy.execute(BUSY)
            wait_until(lambda: cursor.execute(WORKERS, [NAME]) or cursor.fetchone()[0])
            with pytest.raises(errors.InsufficientPrivilege):
                cursor.execute(f"DROP DATABASE {NAME} WITH (FORCE)")
            databases.drop(linked, NAME)
        cursor.execute("SELECT count(*) FROM pg_database WHERE datname = %s", [NAME])
        assert cursor.fetchone() == (0,)
