"""The one way out fetches from listed hosts alone, at the address that was looked at, so much and no longer."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from process.fetching import (
    AddressNotAllowed,
    BadHostRule,
    HostRule,
    Policy,
    SourceCutOff,
    SourceRefused,
    SourceTooBig,
    SourceTooSlow,
    SourceUnreachable,
    fetch,
    safe_name,
)

BODY = b"parcels\n" * 1000


class Source(BaseHTTPRequestHandler):
    """A source of data with every bad habit."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers)))
        with contextlib.suppress(OSError):
            getattr(
                self, "do_" + self.path.strip("/").split("/")[0].split("?")[0].split(".")[0], self.do_data
            )()

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in {"content_length": len(body), **headers}.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def do_data(self):
        if self.headers.get("If-None-Match") == '"one"' or self.headers.get("If-Modified-Since"):
            self.answer(304)
        else:
            self.answer(200, BODY, etag='"one"', last_modified="Mon, 23 Nov 2026 08:00:00 GMT")

    def do_lost(self):
        self.answer(404, b"nothing")

    def do_liar(self):
        self.answer(200, BODY, content_length=10**12)

    def do_cut(self):
        self.answer(200, BODY, content_length=len(BODY) + 5)
        self.close_connection = True

    def do_packed(self):
        self.answer(200, BODY, content_encoding="gzip")

    def do_endless(self):
        self.answer(200, b"", content_length=None, transfer_encoding="chunked")
        while True:
            self.wfile.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")

    def do_unframed(self):
        self.answer(200, BODY, content_length=None, connection="close")
        self.close_connection = True

    def do_torn(self):
        self.answer(200, b"10000\r\nxxx", content_length=None, transfer_encoding="chunked")
        self.close_connection = True

    def do_dripping(self):
        self.answer(200, b"", content_length=10**6)
        self.drip()

    def do_mute(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        self.drip()

    def drip(self):
        pause = threading.Event()
        for _ in range(100):
            self.wfile.write(b".")
            self.wfile.flush()
            pause.wait(0.05)

    def do_moved(self):
        self.answer(302, location="/data.csv")

    def do_loop(self):
        self.answer(302, location="/loop")

    def do_away(self):
        self.answer(302, location="http://169.254.169.254/latest/meta-data/")

    def do_file(self):
        self.answer(302, location="file:///etc/passwd")

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def server():
    one = ThreadingHTTPServer(("127.0.0.1", 0), Source)
    one.daemon_threads = True
    one.seen = []
    thread = threading.Thread(target=one.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield one
    one.shutdown()
    one.server_close()


def policy(server, mark="private", host="survey.lan", **limits):
    rule = HostRule.of(f"{host}:{server.server_port}" + (f"={mark}" if mark else ""))
    return Policy((rule,), **{"most_bytes": 10**6, "seconds": 20, **limits})


def here(host, port):
    return ["127.0.0.1"]


def get(server, into, path="data.csv", host="survey.lan", resolve=here, validators=None, **limits):
    address = f"http://{host}:{server.server_port}/{path}"
    return fetch(address, into, policy(server, **limits), resolve=resolve, validators=validators)


def test_a_file_is_fetched_whole(server, tmp_path):
    got = get(server, tmp_path, "年度/地类 图.csv?day=1".replace(" ", "%20"))
    assert got.path.read_bytes() == BODY
    assert (got.size, got.name, got.path.suffix) == (len(BODY), "地类_图.csv", ".csv")
    assert got.validators == {"etag": '"one"', "last_modified": "Mon, 23 Nov 2026 08:00:00 GMT"}
    headers = server.seen[-1][1]
    assert headers["Host"] == f"survey.lan:{server.server_port}"
    assert headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("name", ["etag", "last_modified"])
def test_an_unchanged_file_is_not_sent_again(server, tmp_path, name):
    first = get(server, tmp_path)
    first.path.unlink()
    again = get(server, tmp_path, validators={name: first.validators[name]})
    assert again.path is None
    assert list(tmp_path.iterdir()) == []


def test_the_connection_goes_to_the_address_that_was_looked_at(server, tmp_path):
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])  # the second answer would be the attack
    asked = []

    def rebinding(host, port):
        asked.append((host, port))
        return next(answers)

    assert get(server, tmp_path, resolve=rebinding).size == len(BODY)
    assert asked == [("survey.lan", server.server_port)]


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.8", "192.168.1.1", "172.16.0.1", "100.64.0.1", "169.254.169.254", "0.0.0.0"),
        *("224.0.0.1", "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1"),
    ],
)
def test_a_host_may_not_lie_in_private_space_unless_the_settings_say_so(server, tmp_path, address):
    before = len(server.seen)
    for found in ([address], ["93.184.216.34", address]):
        with pytest.raises(AddressNotAllowed):
            get(server, tmp_path, mark="", resolve=lambda host, port, found=found: found)
    assert len(server.seen) == before


@pytest.mark.parametrize("address", ["64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "no address"])
def test_wrapped_addresses_are_no_addresses(server, tmp_path, address):
    for mark in ("", "private"):
        with pytest.raises(SourceUnreachable):
            get(server, tmp_path, mark=mark, resolve=lambda host, port: [address])


@pytest.mark.parametrize("address", ["169.254.169.254", "0.0.0.0", "224.0.0.1", "fe80::1"])
def test_private_does_not_mean_link_local(server, tmp_path, address):
    with pytest.raises(AddressNotAllowed):
        get(server, tmp_path, resolve=lambda host, port: [address])


def test_a_host_may_be_bound_to_a_network(server, tmp_path):
    assert get(server, tmp_path, mark="127.0.0.0/8").size == len(BODY)
    with pytest.raises(AddressNotAllowed):
        get(server, tmp_path, mark="10.0.0.0/8")


SPELLINGS = [
    *("http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/"),
    *(
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://localhost/",
        "http://LOCALHOST./",
        "http://①②⑦.0.0.1/",
    ),
    *(
        "http://survey.lan@evil.example/",
        "http://evil.example#survey.lan/",
        "http://evil.example\\@survey.lan/",
    ),
    *(
        "http://survey.lan.evil.example/",
        "http://survey.lan:22/",
        "http://survey.lan:99999/",
        "http://survey.lan:x/",
    ),
    *("ftp://survey.lan/", "file:///etc/passwd", "gopher://survey.lan/", "//survey.lan/", "survey.lan", ""),
    *("http:///data", "http://", "http://[survey.lan]/", "http://survey%2elan/", "http://survey.lan\t/"),
    *("http://survey.lan/\r\nX-Injected: 1", "http://user:word@survey.lan/", "http://" + "a" * 3000 + "/"),
    "http://ｓurvey.lan/",
]


@pytest.mark.parametrize("address", SPELLINGS)
def test_no_spelling_leads_off_the_list(tmp_path, address):
    asked = []
    known = Policy((HostRule.of("survey.lan=private"),), 10, 1)
    with pytest.raises(AddressNotAllowed):
        fetch(address, tmp_path, known, resolve=lambda host, port: asked.append(host) or ["127.0.0.1"])
    assert asked == []


def test_an_empty_list_allows_nothing(tmp_path):
    with pytest.raises(AddressNotAllowed):
        fetch("https://example.org/", tmp_path, Policy((), 10, 1))


def test_a_redirect_is_followed_within_the_list(server, tmp_path):
    assert get(server, tmp_path, "moved").size == len(BODY)


@pytest.mark.parametrize("path", ["away", "file", "loop"])
def test_a_redirect_off_the_list_is_not_followed(server, tmp_path, path):
    with pytest.raises(AddressNotAllowed):
        get(server, tmp_path, path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        ("lost", SourceRefused),
        ("liar", SourceTooBig),
        ("endless", SourceTooBig),
        ("cut", SourceCutOff),
        ("packed", SourceCutOff),
        ("unframed", SourceCutOff),
        ("torn", SourceUnreachable),
    ],
)
def test_what_is_no_whole_file_leaves_none(server, tmp_path, path, refusal):
    with pytest.raises(refusal):
        get(server, tmp_path, path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["dripping", "mute"])
def test_a_source_that_drips_is_cut(server, tmp_path, path):
    with pytest.raises(SourceTooSlow):
        get(server, tmp_path, path, seconds=0.4)
    assert list(tmp_path.iterdir()) == []


def test_closed_and_unknown_look_the_same(server, tmp_path):
    def unknown(host, port):
        raise OSError

    with pytest.raises(SourceUnreachable) as no_name:
        get(server, tmp_path, resolve=unknown)
    closed = Policy((HostRule.of("survey.lan:1=private"),), 10, 5)
    with pytest.raises(SourceUnreachable) as no_port:
        fetch("http://survey.lan:1/", tmp_path, closed, resolve=here)
    with pytest.raises(SourceUnreachable) as no_tls:
        address = f"https://survey.lan:{server.server_port}/"
        fetch(address, tmp_path, policy(server), resolve=here)
    assert str(no_name.value) == str(no_port.value) == str(no_tls.value)


def test_proxies_of_the_environment_are_ignored(server, tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert get(server, tmp_path).size == len(BODY)


@pytest.mark.parametrize("text", ["", "=private", "a:b", "user@host", "host/path", "host=10.0.0.0/99"])
def test_a_rule_names_a_host(text):
    with pytest.raises(BadHostRule):
        HostRule.of(text)


@given(st.text(max_size=300))
def test_a_safe_name_stays_in_its_folder(text):
    name = safe_name(text)
    assert name and "/" not in name and "\0" not in name and not name.startswith(".")
    assert len(name) <= 100
