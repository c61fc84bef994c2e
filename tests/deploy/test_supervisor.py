import os
import signal
import subprocess
import sys
import time

import pytest

from deploy import identity, running, supervisor
from deploy.supervisor import Service, Supervisor

from .conftest import eventually


def service(places, *command):
    return Service("web", list(command), {"PATH": os.defpath} | running.mark(places, "web"))


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "http://127.0.0.1:80/"), ("0.0.0.0", "http://127.0.0.1:80/"), ("::", "http://[::1]:80/")],
)
def test_the_address_can_be_opened_on_this_machine(host, url):
    assert supervisor.address(host, 80) == url


def test_a_process_that_dies_is_started_again_after_growing_pauses(places):
    failing = service(places, "sh", "-c", "exit 3")
    pauses = []
    for _ in range(8):
        failing.due = 0.0
        failing.watch(places)
        failing.process.wait()
        failing.watch(places)
        pauses.append(round(failing.due - time.monotonic()))
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]


def test_a_steady_process_that_dies_is_started_again_at_once(places):
    steady = service(places, "sleep", "60")
    steady.watch(places)
    steady.begun -= supervisor.STEADY_SECONDS + 1
    steady.process.kill()
    steady.process.wait()
    steady.watch(places)
    steady.watch(places)
    assert steady.process.poll() is None
    identity.end(running.remains(places, "web"), 5)


def test_what_a_killed_process_left_behind_is_ended_before_the_next_start(places):
    leader = service(places, "sh", "-c", "sleep 60 & wait")
    leader.watch(places)
    assert eventually(lambda: len(running.remains(places, "web")) == 2)
    leader.process.kill()
    leader.process.wait()
    left = running.remains(places, "web")
    leader.watch(places)
    leader.due = 0.0
    leader.watch(places)
    assert [process for process in left if process.is_alive()] == []
    identity.end(running.remains(places, "web"), 5)


def test_the_web_server_runs_without_rights_to_change_tables(places):
    services = {item.name: item for item in supervisor.make_services(places, "127.0.0.1", 8000)}
    assert services["web"].environment["ONEMAP_DB_ROLE"] == "web"
    assert services["worker"].environment["ONEMAP_DB_ROLE"] == "owner"
    assert set(services) == set(running.SERVICES)


PLATFORM = """
import sys
from pathlib import Path
from deploy import running, supervisor
from deploy.places import Places
places = Places(Path("/"), Path(sys.argv[1]))
def services(places, host, port):
    return [supervisor.Service("web", ["sh", "-c", "sleep 60 & wait"], running.mark(places, "web"))]
supervisor.make_services = services
supervisor.Supervisor(places, None, "127.0.0.1", None, lambda: print("begun", flush=True), print).run()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_everything(places, number):
    command = [sys.executable, "-c", PLATFORM, str(places.var)]
    with subprocess.Popen(command, cwd=places.root, stdout=subprocess.PIPE, text=True) as platform:
        assert platform.stdout.readline() == "begun\n"
        assert eventually(lambda: len(running.remains(places, "web")) == 2)
        assert running.read_record(places).supervisor.pid == platform.pid
        platform.send_signal(number)
        assert platform.wait(20) == 0
    assert running.all_remains(places) == []
    assert running.read_record(places) is None


def test_a_second_platform_of_the_same_installation_is_refused(places):
    lock = running.take_lock(places, "supervisor")
    with lock, pytest.raises(supervisor.SetupError, match="running already"):
        Supervisor(places, None, "127.0.0.1", None, lambda: None, print).run()
