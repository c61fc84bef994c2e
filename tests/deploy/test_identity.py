import dataclasses
import os
import signal
import subprocess
import sys

import pytest

from deploy import identity

from .conftest import eventually


@pytest.fixture
def sleeper():
    with subprocess.Popen(["sleep", "60"], env={"ONEMAP_PROCESS": f"test{os.getpid()}-web"}) as process:
        yield process
        process.kill()


def test_a_process_is_found_with_its_start():
    own = identity.find(os.getpid())
    assert own is not None
    assert own.is_alive()
    assert own.boot == identity.boot_id()


def test_a_dead_process_that_nobody_collected_is_not_alive(sleeper):
    process = identity.find(sleeper.pid)
    sleeper.kill()
    assert eventually(lambda: not process.is_alive())
    assert identity.is_taken(sleeper.pid)  # its number is not free yet
    sleeper.wait()
    assert not identity.is_taken(sleeper.pid)


@pytest.mark.parametrize("change", [{"started": 1}, {"boot": "another start of the machine"}])
def test_a_process_that_got_the_number_later_is_never_signalled(sleeper, change):
    noted = dataclasses.replace(identity.find(sleeper.pid), **change)
    assert not noted.is_alive()
    assert not identity.send(noted, signal.SIGKILL)
    identity.end([noted], 1)
    assert sleeper.poll() is None


def test_a_number_that_nobody_has_is_gone():
    assert identity.find(2**22 + 1) is None
    assert not identity.send(identity.Process(2**22 + 1, 1, identity.boot_id()), signal.SIGTERM)


def test_the_mark_is_inherited_by_children_of_a_dead_parent():
    marker = f"ONEMAP_PROCESS=orphan{os.getpid()}-web"
    name, value = marker.split("=")
    script = "import subprocess; print(subprocess.Popen(['sleep', '60'], stdout=subprocess.DEVNULL).pid)"
    parent = subprocess.run(
        [sys.executable, "-c", script], env={name: value}, stdout=subprocess.PIPE, text=True, check=True
    )
    orphan = int(parent.stdout)
    assert [process.pid for process in identity.marked(marker)] == [orphan]
    identity.end(identity.marked(marker), 5)
    assert identity.marked(marker) == []


def test_a_longer_mark_is_another_mark(sleeper):
    assert identity.marked(f"ONEMAP_PROCESS=test{os.getpid()}") == []
    assert len(identity.marked(f"ONEMAP_PROCESS=test{os.getpid()}-web")) == 1


def test_who_does_not_listen_is_killed():
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        identity.end([identity.find(process.pid)], 0.2)
        assert process.wait() == -signal.SIGKILL
