"""The strict reader of XML: threats.md P-01 to P-04, V9."""

import resource
import socket
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatial import strictxml
from spatial.strictjson import BodyTooLarge
from spatial.strictxml import FILE, BadXml, HasDoctype, Limits


class Heard:
    def __init__(self):
        self.names, self.words = [], []

    def start(self, name, attributes):
        self.names.append((name, attributes))

    def text(self, data):
        self.words.append(data)

    def end(self, name):
        self.names.append(f"/{name}")


def read(data, **more):
    heard = Heard()
    strictxml.read(data, heard, **more)
    return heard


CANARY = "CANARY-of-a-file"
# {file} names a file that holds the canary, {port} a port on which nobody must call.
OUTSIDE = {
    "entity of a file": '<!DOCTYPE a [<!ENTITY x SYSTEM "file://{file}">]><a>&x;</a>',
    "entity of an address": '<!DOCTYPE a [<!ENTITY x SYSTEM "http://127.0.0.1:{port}/x">]><a>&x;</a>',
    "parameter entity": '<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:{port}/x"> %x;]><a/>',
    "external DTD": '<!DOCTYPE a SYSTEM "http://127.0.0.1:{port}/x.dtd"><a/>',
    "public DTD": '<!DOCTYPE a PUBLIC "-//X//Y" "http://127.0.0.1:{port}/x.dtd"><a/>',
    "laughs": '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><a>&b;</a>',
    "quadratic": '<!DOCTYPE a [<!ENTITY x "' + "x" * 50_000 + '">]><a>' + "&x;" * 5_000 + "</a>",
    "empty doctype": "<!DOCTYPE a><a/>",
}
# Told as plain elements and attributes: whoever reads them finds no reason to look.
IGNORED = [
    '<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file://{file}" parse="text"/></a>',
    '<a xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="x http://127.0.0.1:{port}/x"/>',
    '<?xml-stylesheet href="http://127.0.0.1:{port}/x.xsl"?><a/>',
    "<a select=\"document('http://127.0.0.1:{port}/x')\"/>",
]


@pytest.fixture
def listener():
    """A server that counts who comes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def visitors(server):
    try:
        server.accept()
    except BlockingIOError:
        return 0
    return 1


@pytest.fixture
def filled(tmp_path, listener):
    """Puts a file's path and a watched port into a payload."""
    path = tmp_path / "canary.txt"
    path.write_text(CANARY)
    return lambda text: (
        text.replace("{file}", str(path)).replace("{port}", str(listener.getsockname()[1])).encode()
    )


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_document_type_is_refused_and_nothing_is_fetched(filled, listener, name):
    with pytest.raises(HasDoctype) as told:
        read(filled(OUTSIDE[name]))
    assert CANARY not in str(told.value)
    assert visitors(listener) == 0


@pytest.mark.parametrize("text", IGNORED)
def test_what_points_elsewhere_is_not_followed(filled, listener, text):
    heard = read(filled(text))
    assert CANARY not in "".join(heard.words)
    assert heard.names
    assert visitors(listener) == 0


def test_the_listener_would_notice(listener):
    socket.create_connection(listener.getsockname()).close()
    assert visitors(listener) == 1


@pytest.mark.parametrize("depth", [33, 200_000])
def test_depth_is_limited(depth):
    with pytest.raises(BadXml, match="deeper than 32"):
        read(b"<a>" * depth, largest=10**7)
    assert len(read(b"<a>" * 32 + b"</a>" * 32).names) == 64


def test_elements_attributes_and_texts_are_counted():
    with pytest.raises(BadXml, match="too many"):
        read(b"<a>" + b"<b/>" * 5_000 + b"</a>")
    assert len(read(b"<a>" + b"<b/>" * 4_999 + b"</a>").names) == 10_000
    many = " ".join(f'x{number}="1"' for number in range(101))
    with pytest.raises(BadXml, match="too many"):
        read(f"<a {many}/>".encode())
    small = Limits(depth=3, elements=9, attributes=9, text=1_000)
    for text in (
        b'<a x="' + b"y" * 1_001 + b'"/>',
        b"<a>" + b"y" * 1_001 + b"</a>",
        b"<a>" + b"&amp;" * 1_001 + b"</a>",
    ):
        with pytest.raises(BadXml, match="too long"):
            read(text, limits=small)


def test_a_request_is_at_most_a_megabyte_and_a_file_nests_deeper():
    with pytest.raises(BodyTooLarge):
        read(b"<a>" + b" " * 1_000_000 + b"</a>")
    assert len(read(b"<a>" * 64 + b"</a>" * 64, limits=FILE).names) == 128


TEXT = '<?xml version="1.0"{}?><a>图</a>'


@pytest.mark.parametrize(
    "data",
    [
        TEXT.format("").encode(),
        TEXT.format(' encoding="UTF-8"').encode(),
        TEXT.format("").encode("utf-8-sig"),
        TEXT.format(' encoding="utf-16"').encode("utf-16"),
        b"\xfe\xff" + TEXT.format("").encode("utf-16-be"),
    ],
)
def test_utf_8_and_utf_16_are_read(data):
    assert "".join(read(data).words) == "图"


@pytest.mark.parametrize(
    "data",
    [
        TEXT.format(' encoding="UTF-16"').encode(),
        TEXT.format(' encoding="UTF-8"').encode("utf-16"),
        TEXT.format(' encoding="GBK"').encode("gbk"),
        TEXT.format(' encoding="GBK"').encode(),
        b'<?xml version="1.0" encoding="UTF-7"?><a>+AGEAYg-</a>',
        '<?xml version="1.0" encoding="cp037"?><a/>'.encode("cp037"),
        TEXT.format("").encode("utf-16-le"),
        TEXT.format("").encode("utf-32"),
        TEXT.format(' encoding="ISO-8859-1"').encode(),
        b"\xff\xfe<a/>",
        b"<a>\x00</a>",
        b"<a>\xc3</a>",
        b"<a>\xed\xa0\x80</a>",
        b"<a>&#0;</a>",
        b"<a>&#xD800;</a>",
        b"",
        b"<a>",
        b"<a/><b/>",
        b"<a b=c/>",
        b"<a>&x;</a>",
        b"\x1f\x8b\x08\x00",
    ],
)
def test_another_encoding_or_form_is_refused(data):
    with pytest.raises(BadXml):
        read(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    try:
        read(b"<a>" + data + b"</a>")
    except BadXml:
        return


def test_laughs_cost_neither_time_nor_memory():
    """In a child with 50 MB more than it has when it begins: threats.md P-02."""
    code = (
        "import resource, time; from spatial import strictxml as s\n"
        "from tests.spatial.test_strictxml import Heard, OUTSIDE\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 50_000_000,) * 2)\n"
        "deep = '<!DOCTYPE a [<!ENTITY l0 \"ha\">' + ''.join(\n"
        "    f'<!ENTITY l{n} \"' + f'&l{n - 1};' * 10 + '\">' for n in range(1, 12)) + ']><a>&l11;</a>'\n"
        "for text in (deep, OUTSIDE['quadratic'], '<a>' * 200_000):\n"
        "    begun = time.process_time()\n"
        "    try: s.read(text.encode(), Heard())\n"
        "    except s.BadXml: assert time.process_time() - begun < 0.2\n"
        "    else: raise SystemExit('was read')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-1500:]
    assert resource.getrlimit(resource.RLIMIT_AS)[0] != 0
