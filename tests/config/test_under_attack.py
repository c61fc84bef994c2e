"""Light requests are answered while others ask for all there is and read nothing: threats.md P-15."""

import copy
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pytest
import shapely

from tests.conftest import free_port, wait_until

FEATURES, ATTACKERS, STALLED_S = 5_000, 64, 3
LARGE = "/ogc/collections/attacked/items?limit=10000&crs=EPSG:4547"


@pytest.fixture(scope="module")
def attacked(site, tmp_path_factory):
    """A public layer whose whole is more than any socket holds, on a web process that is patient for three seconds."""
    place = np.arange(FEATURES)
    shapes = shapely.box(
        *(part := (500_000 + 20.0 * (place % 100), 2_500_000 + 20.0 * (place // 100))),
        part[0] + 9,
        part[1] + 9,
    )
    frame = gpd.GeoDataFrame({"remark": ["长" * 400] * FEATURES}, geometry=shapes, crs=4547)
    path = tmp_path_factory.mktemp("attacked") / "attacked.gpkg"
    frame.to_file(path)
    words = ("--layer", "attacked", "--title", "受攻击", "--department", "data", "--public")
    code, report = site.manage("import_layer", str(path), *words)
    assert (code, report["written"]) == (0, FEATURES), report
    one = copy.copy(site)
    one.port, one.processes = free_port(), []
    one.url = f"http://127.0.0.1:{one.port}"
    one.env = {**site.env, "ONEMAP_STALLED_S": str(STALLED_S), "ONEMAP_HEAVY_PLACES": "8"}
    one.start_web()
    yield one
    one.stop()


def connected(site, path, extra="", receive=4_096):
    """A socket that has asked and reads nothing."""
    link = socket.socket()
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    link.settimeout(20)
    link.connect(("127.0.0.1", site.port))
    link.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{extra}\r\n".encode())
    return link


def attack(site, stack):
    """All attackers at once, each with an address of its own, so that no share but the pool holds them."""
    links = []
    for number in range(ATTACKERS):
        spoofed = f"X-Forwarded-For: 10.0.0.{number}\r\n"
        links.append(stack.enter_context(connected(site, LARGE, spoofed)))
    return links


def open_streams(site) -> int:
    """Transactions of the site's web processes that are under way."""
    text = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND state LIKE 'idle in transaction%%'"
    return site.query(text, site.name)[0][0]


def test_light_requests_are_answered_while_large_ones_fill_their_pool(attacked):
    with ExitStack() as stack:
        links = attack(attacked, stack)
        heads = [link.recv(12) for link in links]
        told = SimpleNamespace(served=heads.count(b"HTTP/1.1 200"), refused=heads.count(b"HTTP/1.1 503"))
        assert told.served + told.refused == ATTACKERS
        assert 1 <= told.served
        assert told.refused >= ATTACKERS - 3 * 8  # some may have been let go and their place taken again
        light = ["/healthz", "/tiles/attacked/CityGrid/9/185/255.mvt", "/ogc/collections/attacked/items/17"]
        light += ["/ogc/collections", "/ogc/collections/attacked/items?limit=10"]
        with ThreadPoolExecutor(5) as many:
            answers = list(many.map(attacked.status, light * 4))
        assert set(answers) <= {200, 204}


def test_readers_that_stopped_are_let_go_and_their_connections_come_back(attacked):
    with ExitStack() as stack:
        for link in attack(attacked, stack)[:1]:
            assert link.recv(12) in {b"HTTP/1.1 200", b"HTTP/1.1 503"}
        # Nobody reads and nobody hangs up: the places come back all the same, and a large answer is whole again.
        wait_until(lambda: attacked.status(LARGE) == 200, 60, step=0.5)
        wait_until(lambda: open_streams(attacked) == 0, 60, step=0.2)


@pytest.mark.parametrize("way", ["hang up", "half close", "cut in the middle"])
def test_an_abandoned_answer_leaves_nothing_open(attacked, way):
    link = connected(attacked, LARGE)
    assert link.recv(12) == b"HTTP/1.1 200"
    if way == "half close":
        link.shutdown(socket.SHUT_WR)
    elif way == "cut in the middle":
        link.recv(100_000)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        link.close()
    else:
        link.close()
    wait_until(lambda: open_streams(attacked) == 0, 30)
    link.close()


def test_slow_senders_hold_no_thread_that_others_need(attacked):
    """Bodies that never come: more than there are threads."""
    with ExitStack() as stack:
        for number in range(ATTACKERS):
            link = stack.enter_context(socket.create_connection(("127.0.0.1", attacked.port)))
            head = f"POST /api/login HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: 10.0.1.{number}\r\n"
            link.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 900\r\n\r\n{{".encode())
        assert {attacked.status(path) for path in ("/healthz", "/ogc/collections") for _ in range(3)} == {200}


def test_headers_that_never_end_hold_no_thread(attacked):
    with ExitStack() as stack:
        for _ in range(ATTACKERS):
            link = stack.enter_context(socket.create_connection(("127.0.0.1", attacked.port)))
            link.sendall(b"GET /ogc/ HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ")
        assert attacked.status("/healthz") == 200
