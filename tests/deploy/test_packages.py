import shutil

import pytest

from deploy import packages
from deploy.packages import Need
from deploy.refusals import SetupError

ABSENT = Need(("a-package", "another"), lambda: False)
PRESENT = Need(("installed",), lambda: True)


@pytest.fixture
def no_command(monkeypatch):
    """Any command that set-up would run fails the test."""

    def run(*arguments, **_settings):
        raise AssertionError(arguments)

    monkeypatch.setattr(packages.subprocess, "run", run)


def test_nothing_missing_calls_nothing(no_command):
    assert packages.ensure([PRESENT]) is None


def test_without_apt_the_needed_programs_are_named(monkeypatch, no_command):
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(SetupError, match=r"PostgreSQL >= 15 with PostGIS"):
        packages.ensure([PRESENT, ABSENT])


def test_without_root_the_exact_packages_are_named(monkeypatch, no_command):
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "sudo" else f"/usr/bin/{name}")
    monkeypatch.setattr(packages.os, "geteuid", lambda: 1000)
    with pytest.raises(SetupError, match=r"apt-get install -y a-package another$"):
        packages.ensure([PRESENT, ABSENT])


def test_this_machine_has_a_server_with_postgis():
    assert packages.postgres_versions()[0] >= packages.OLDEST_POSTGRES
