"""Pools of one process: places, shares, and that each place is given back however an answer ends."""

import io
import json
import threading

import pytest

from config.kinds import BODIES, HEAVY
from config.pools import Pool, caller_of, make_pools, with_pools

ITEMS = "/ogc/collections/parcel/items"


def asked(path=ITEMS, query="limit=9999", method="GET", **more):
    return {
        "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "HTTP_HOST": "localhost", "REMOTE_ADDR": "10.0.0.1", "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO(), **more,
    }  # fmt: skip


class Site:
    """An application behind pools; its answers stay open until they are closed."""

    def __init__(self, places=4, share=2):
        self.pools = {HEAVY: Pool(places, share), BODIES: Pool(places, share)}
        self.application = with_pools(self.inner, self.pools)
        self.fails = False

    def inner(self, environ, start_response):
        if self.fails:
            raise ZeroDivisionError
        start_response("200 OK", [])
        return iter([b"a", b"b"])

    def ask(self, **more):
        told = []
        body = self.application(asked(**more), lambda status, headers: told.append((status, dict(headers))))
        return int(told[0][0][:3]), told[0][1], body


def test_a_full_pool_says_when_to_come_again():
    site = Site(places=2, share=2)
    held = [site.ask()[2] for _ in range(2)]
    status, headers, body = site.ask(REMOTE_ADDR="10.0.0.2")
    told = json.loads(b"".join(body))
    assert (status, headers["Retry-After"], told["code"]) == (503, "2", "too-busy")
    assert headers["Content-Type"] == "application/problem+json"
    assert headers["X-Request-Id"] == told["request_id"]
    assert "Content-Security-Policy" in headers
    held[0].close()
    assert site.ask(REMOTE_ADDR="10.0.0.2")[0] == 200


def test_light_requests_pass_a_full_pool():
    site = Site(places=0)
    assert site.ask()[0] == 503
    assert site.ask(method="POST", path="/api/login")[0] == 503
    for path, query in [
        ("/healthz", ""),
        ("/tiles/a/CityGrid/0/0/0.mvt", ""),
        (f"{ITEMS}/1", ""),
        (ITEMS, ""),
    ]:
        assert site.ask(path=path, query=query)[0] == 200


def test_one_caller_takes_a_share_and_leaves_the_rest():
    site = Site(places=4, share=2)
    mine = {"HTTP_AUTHORIZATION": "Bearer mine"}
    assert [site.ask(**mine)[0] for _ in range(3)] == [200, 200, 503]
    assert site.ask(HTTP_AUTHORIZATION="Bearer other")[0] == 200
    assert site.ask()[0] == 200


@pytest.mark.parametrize("read", [0, 1, 2])
def test_a_place_is_given_back_once_however_much_was_read(read):
    site = Site()
    body = site.ask()[2]
    parts = iter(body)
    for _ in range(read):
        next(parts)
    assert site.pools[HEAVY].taken == 1
    body.close()
    body.close()
    assert site.pools[HEAVY].taken == 0


def test_a_place_is_given_back_when_the_application_fails():
    site = Site()
    site.fails = True
    with pytest.raises(ZeroDivisionError):
        site.ask()
    assert site.pools[HEAVY].taken == 0


def test_many_threads_never_take_more_than_there_is():
    pool, most, start = Pool(5, 5), [], threading.Barrier(16)

    def come_and_go():
        start.wait()
        for _ in range(300):
            if pool.enter("a"):
                most.append(pool.taken)
                pool.leave("a")

    threads = [threading.Thread(target=come_and_go) for _ in range(16)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert most
    assert max(most) <= 5
    assert pool.taken == 0


def test_a_caller_is_known_by_credentials_then_by_address():
    key = caller_of(asked(HTTP_AUTHORIZATION="Bearer x"))
    assert key == caller_of(asked(HTTP_AUTHORIZATION="Bearer x", REMOTE_ADDR="10.9.9.9"))
    assert "x" != key != caller_of(asked(HTTP_AUTHORIZATION="Bearer y"))
    session = caller_of(asked(HTTP_COOKIE="a=1; sessionid=s1"))
    assert session != caller_of(asked(HTTP_COOKIE="a=2; sessionid=s2"))
    assert caller_of(asked()) == "10.0.0.1"


def test_only_a_proxy_on_this_machine_is_believed_about_the_sender():
    assert caller_of(asked(HTTP_X_FORWARDED_FOR="1.1.1.1")) == "10.0.0.1"
    near = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "6.6.6.6, 10.0.0.7"}
    assert caller_of(asked(**near)) == "10.0.0.7"


def test_the_pools_of_a_process_leave_threads_for_light_requests(settings):
    pools = make_pools()
    assert sum(pool.places for pool in pools.values()) <= 48
    assert all(pool.share <= max(1, pool.places // 2) for pool in pools.values())
