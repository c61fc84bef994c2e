import os

import pytest

from deploy import running
from deploy.places import Places, make_var, read_json, write_json


@pytest.fixture
def installation(tmp_path):
    made = Places(tmp_path, tmp_path / "var")
    make_var(made)
    return made


def test_the_record_names_the_supervisor_while_it_lives(installation):
    assert running.read_record(installation) is None
    running.write_record(installation, "http://127.0.0.1:8000/")
    record = running.read_record(installation)
    assert (record.supervisor.pid, record.url) == (os.getpid(), "http://127.0.0.1:8000/")
    running.forget_record(installation)
    assert running.read_record(installation) is None


@pytest.mark.parametrize(
    "change",
    [
        {"hash": "00000000"},
        {"supervisor": {"pid": 1}},
        {"supervisor": {"pid": 2**22 + 1, "started": 1, "boot": ""}},
    ],
)
def test_a_record_of_a_copy_or_of_the_dead_does_not_count(installation, change):
    running.write_record(installation, "http://127.0.0.1:8000/")
    path = installation.var / "run" / "supervisor.json"
    write_json(path, read_json(path) | change)
    assert running.read_record(installation) is None


def test_one_supervisor_at_a_time(installation):
    lock = running.take_lock(installation, "supervisor")
    assert running.take_lock(installation, "supervisor") is None
    lock.close()
    again = running.take_lock(installation, "supervisor")
    assert again is not None
    again.close()


def test_processes_of_another_installation_are_not_ours(installation, tmp_path):
    other = Places(tmp_path, tmp_path / "other")
    assert running.mark(installation, "web") != running.mark(other, "web")
    assert running.all_remains(installation) == []
