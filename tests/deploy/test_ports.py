import contextlib
import socket

import pytest

from deploy import ports
from deploy.refusals import SetupError

HOST = "127.0.0.1"


@contextlib.contextmanager
def listener(port=0):
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind((HOST, port))
        server.listen(1)
        yield server.getsockname()[1]


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def test_a_port_that_is_shared_between_processes_counts_as_taken():
    with listener() as port:
        assert not ports.is_free(HOST, port)
    assert ports.is_free(HOST, port)


def test_the_next_free_port_is_taken(monkeypatch):
    with listener() as port:
        monkeypatch.setattr(ports, "DEFAULT", port)
        chosen, hold = ports.choose(HOST, None)
        with hold:
            assert port < chosen < port + ports.TRIED


def test_two_checkouts_that_start_together_choose_different_ports(monkeypatch):
    monkeypatch.setattr(ports, "DEFAULT", free_port())
    first, first_hold = ports.choose(HOST, None)
    second, second_hold = ports.choose(HOST, None)
    with first_hold, second_hold:
        assert first != second


def test_a_hold_ends_with_its_holder(monkeypatch):
    monkeypatch.setattr(ports, "DEFAULT", free_port())
    first, hold = ports.choose(HOST, None)
    hold.close()
    again, hold = ports.choose(HOST, None)
    hold.close()
    assert again == first


def test_a_port_asked_for_is_served_or_refused_never_replaced():
    with listener() as port, pytest.raises(SetupError, match=f"Port {port} is taken"):
        ports.choose(HOST, port)
    chosen, hold = ports.choose(HOST, port)
    hold.close()
    assert chosen == port


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(SetupError, match="Cannot listen"):
        ports.is_free("192.0.2.1", 8000)
