import os

import pytest

from deploy import cluster_location, owner
from deploy.places import Places, make_var, write_json
from deploy.refusals import SetupError

LONGEST_SOCKET_PATH = 107  # bytes, sockaddr_un


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """Where clusters go that cannot live below `var`; the real one belongs to the machine."""
    monkeypatch.setattr(cluster_location, "OUTSIDE", tmp_path / "lib")
    return tmp_path / "lib"


def installation(folder):
    made = Places(folder, folder / "var")
    folder.mkdir(parents=True, exist_ok=True)
    make_var(made)
    return made


def noted(places, data, var=None):
    var = var or places.var
    content = {
        "data": str(data),
        "var": str(var),
        "hash": Places(var, var).digest,
        "os_user": owner.choose().name,
    }
    write_json(places.var / "cluster", content | {"socket": "", "port": 5432})


def make_data(folder):
    folder.mkdir(parents=True)
    (folder / "PG_VERSION").write_text("15\n")


def test_the_sockets_path_is_short_however_long_the_checkouts_is(tmp_path):
    deep = Places(tmp_path, tmp_path.joinpath(*["很长的文件夹名"] * 20) / "var")
    folder = cluster_location.socket_folder(deep, owner.choose())
    assert len(os.fsencode(folder / ".s.PGSQL.5432.lock")) < LONGEST_SOCKET_PATH


def test_what_is_noted_is_found_again(tmp_path, outside):
    places = installation(tmp_path / "a")
    make_data(places.var / "db")
    noted(places, places.var / "db")
    assert cluster_location.locate(places).data == places.var / "db"
    assert cluster_location.existing(places).data == places.var / "db"


def test_nothing_set_up_is_nothing(tmp_path):
    assert cluster_location.existing(installation(tmp_path / "a")) is None


def test_a_moved_checkout_takes_its_data_along(tmp_path, outside):
    places = installation(tmp_path / "b")
    make_data(places.var / "db")
    noted(places, tmp_path / "a" / "var" / "db", tmp_path / "a" / "var")
    assert cluster_location.locate(places).data == places.var / "db"


def test_a_moved_checkout_keeps_data_that_lives_outside(tmp_path, outside):
    places = installation(tmp_path / "b")
    make_data(outside / "1" / "db")
    noted(places, outside / "1" / "db", tmp_path / "a" / "var")
    assert cluster_location.locate(places).data == outside / "1" / "db"


def test_a_copied_checkout_does_not_share_data_that_lives_outside(tmp_path, outside):
    original, copy = installation(tmp_path / "a"), installation(tmp_path / "b")
    make_data(outside / "1" / "db")
    for places in (original, copy):
        noted(places, outside / "1" / "db", original.var)
    assert cluster_location.locate(copy).data != outside / "1" / "db"


def test_data_copied_from_under_a_running_server_is_refused(tmp_path, outside):
    original, copy = installation(tmp_path / "a"), installation(tmp_path / "b")
    for places in (original, copy):
        make_data(places.var / "db")
        (places.var / "db" / "postmaster.pid").write_text("1\n")
        noted(places, original.var / "db", original.var)
    with pytest.raises(SetupError, match="copied while its database was running"):
        cluster_location.locate(copy)
