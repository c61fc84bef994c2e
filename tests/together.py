"""How a full run is shared out between worker processes (pytest-xdist), and what must run with nothing beside it.

What takes long to set up (a running site, a city) is set up in one worker: all tests that use it stay together, and
so do those of a module. The long ones come first, so that no worker is left alone with one at the end.
"""

import fcntl
import threading
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import psycopg2
import pytest
from django.conf import settings

ROOT = Path(__file__).parent
# Fixtures and folders whose users stay together, the longest group first.
SHARED = ("land_site", "site", "live_site")
FOLDERS = ("e2e", "demo", "deploy")
FIRST = ("land_site", "flows", "site", "live_site", "e2e")


def group(item):
    """Tests of one group run in one worker, in their order."""
    module = item.path.relative_to(ROOT)
    if module.parts[0] in FOLDERS:
        return module.parts[0]
    name = next((name for name in SHARED if name in item.fixturenames), str(module))
    # They empty the database, what migrations put there included: they stay behind those that need it.
    return f"{name} (emptying)" if empties(item) else name


def empties(item):
    """Whether a test takes back its work by emptying the database's tables."""
    marker = item.get_closest_marker("django_db")
    asked = marker is not None and marker.kwargs.get("transaction", False)
    return asked or "transactional_db" in item.fixturenames


def name_groups(items):
    """Mark every test with its group."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group(item)))


def assert_grouped(items):
    """Fail the run if its groups are not kept: each worker would then set up every site anew, and say nothing.

    Raises
    ------
    pytest.UsageError
        The run does not keep groups together.
    """
    if not all(item.nodeid.endswith(f"@{group(item)}") for item in items):
        raise pytest.UsageError(
            "several workers want `--dist loadgroup`, and a pytest-xdist that keeps groups"
        )


def rank(item):
    """Where in the order of a run a test's group belongs: the long ones first."""
    name = item.get_closest_marker("xdist_group").args[0].partition("/")[0]
    return FIRST.index(name) if name in FIRST and not empties(item) else len(FIRST)


def one_of_several(config):
    """Whether this process is a worker of a full run; otherwise it is the run itself, or what starts the workers."""
    return hasattr(config, "workerinput")


def run_folder(config):
    """The folder that all workers of a run have in common."""
    folder = config._tmp_path_factory.getbasetemp()
    return folder.parent if one_of_several(config) else folder


@contextmanager
def locked(path, how=fcntl.LOCK_EX):
    """Hold the lock of a file; the system lets it go with the process."""
    with path.open("ab") as file:
        fcntl.flock(file, how)
        yield


@contextmanager
def turn(item):
    """The time of one test: beside others, or alone if it measures time or load, or must find no transaction open.

    Whoever waits to be alone holds the gate, so that no other test begins meanwhile. A module may keep a transaction
    open over its tests: whoever needs none lets it go on and comes back.
    """
    folder = run_folder(item.config)
    quiet = item.get_closest_marker("quiet") is not None
    alone = quiet or item.get_closest_marker("alone") is not None
    with ExitStack() as inside:
        while True:
            with locked(folder / "gate.lock"):
                inside.enter_context(locked(folder / "room.lock", fcntl.LOCK_EX if alone else fcntl.LOCK_SH))
            if not quiet or no_transaction_is_open():
                break
            inside.close()
            threading.Event().wait(0.5)
        yield


def no_transaction_is_open():
    """Whether no session of the server holds back what is read up to the oldest open transaction."""
    told = {key: settings.DATABASES["default"][key] or None for key in ("USER", "PASSWORD", "HOST", "PORT")}
    names = {"USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    with closing(psycopg2.connect(dbname="postgres", **{names[key]: told[key] for key in names})) as linked:
        with linked.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE backend_xid IS NOT NULL")
            return cursor.fetchone() == (0,)
