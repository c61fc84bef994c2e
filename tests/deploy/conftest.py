"""Installations below a folder with a space in its name; clusters of their own, gone after the test."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

from deploy import cluster_location, database, passwords
from deploy.cluster import Cluster
from deploy.places import CHECKOUT, Places, make_var


@pytest.fixture(scope="module")
def places() -> Iterator[Places]:
    """An installation whose database's own system user can reach it, as in a checkout below /srv."""
    folder = Path(tempfile.mkdtemp(prefix="one map '")).resolve()
    folder.chmod(0o755)
    installation = Places(CHECKOUT, folder / "var")
    make_var(installation)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(
            "DATABASE_URL", raising=False
        )  # it would name a database to use instead of a private one
        yield installation
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def secrets(places: Places) -> dict[str, str]:
    return passwords.ensure(places)


@pytest.fixture(scope="module")
def cluster(places: Places, secrets: dict[str, str]) -> Iterator[Cluster]:
    """A running private cluster with roles, database and schemas."""
    made = cluster_location.locate(places, disposable=True)
    made.create(secrets["superuser_password"])
    made.start()
    database.prepare(made, secrets)
    yield made
    made.stop()


def query(cluster: Cluster, role: str, password: str, sql: str) -> subprocess.CompletedProcess[str]:
    """Run one statement as one of the platform's logins."""
    command = [
        cluster.program("psql"),
        "-X",
        "-A",
        "-t",
        "-h",
        str(cluster.socket),
        "-U",
        role,
        "-d",
        "onemap",
    ]
    environment = {"PGPASSWORD": password, "PATH": "/usr/bin:/bin"}
    return subprocess.run([*command, "-c", sql], env=environment, capture_output=True, text=True, check=False)


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether the condition comes true in time."""
    deadline = time.monotonic() + seconds
    pause = Event()
    while not condition():
        if time.monotonic() > deadline:
            return False
        pause.wait(0.02)
    return True
