"""The database itself is killed, while Lin imports and others edit: it comes back, and nothing promised is lost."""

import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

from deploy import cluster_location, passwords
from deploy.places import CHECKOUT, Places, make_var
from tests.conftest import wait_until
from tests.flows.conftest import Doomed, acknowledged, edited_layer, edits_during, reading

pytestmark = pytest.mark.slow


@pytest.fixture
def cluster():
    """A running database cluster of its own."""
    folder = Path(tempfile.mkdtemp(prefix="crash")).resolve()
    folder.chmod(0o755)
    places = Places(CHECKOUT, folder / "var")
    make_var(places)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL", raising=False)
        made = cluster_location.locate(places, disposable=True)
        made.create(passwords.ensure(places)["superuser_password"])
        made.start()
        yield made
        made.stop()
    shutil.rmtree(folder)


@pytest.fixture
def doomed(cluster, tmp_path):
    """A site on that cluster."""
    one = Doomed(tmp_path, "onemap_crash")
    secret = passwords.ensure(cluster.places)["superuser_password"]
    one.server = {"USER": "postgres", "PASSWORD": secret, "HOST": str(cluster.socket), "PORT": "5432"}
    one.env["DATABASE_URL"] = one.url_of(one.name)
    one.create()
    one.shell("from demo.actions import settle_people; settle_people()")
    yield one
    one.stop()


def test_a_database_killed_during_edits_and_an_import(cluster, doomed):
    key = edited_layer(doomed, "edited")
    path = doomed.package("many", "many", 40_000)

    def harm(editors):
        acknowledged(editors, 12)
        doomed.begin(path, "imported")
        wait_until(lambda: reading(doomed), step=0.02)
        os.kill(cluster.postmaster().pid, signal.SIGKILL)
        cluster.start()

    assert edits_during(doomed, "edited", key, harm) <= {200, 412, 503}
    doomed.start_worker()
    wait_until(lambda: doomed.last_job()[0] not in {"running", "queued"}, 90)
    assert doomed.last_job()[0] == "done"
    assert doomed.tags("imported") == {"many": 40_000}
    doomed.sound("imported")
