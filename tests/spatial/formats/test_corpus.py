import socket
import time

import pytest

from spatial.errors import OnemapError
from spatial.formats import SourceLayerMissing, open_source
from spatial.formats.listing import list_layers
from tests.spatial.formats import corpus

LONGEST_S = 10.0
REFUSED = {
    "I-01 ratio": "archive-too-big",
    "I-01 many entries": "archive-too-big",
    "I-01 nested": "format-not-allowed",
    "I-01 lying sizes": None,
    "I-03 link": "format-not-allowed",
    "I-04 pdf and zip": "format-not-allowed",
    "I-04 plain database": "format-not-allowed",
    "I-05 endless view": "format-not-allowed",
    "I-05 cut": "source-unreadable",
    "I-06 too many records": "source-unreadable",
    "I-06 no index": "source-unreadable",
    "I-12 too many columns": "too-many-fields",
    "I-15 one long line": "source-unreadable",
    "I-15 open quote": "source-unreadable",
    "I-16 huge raster": "format-not-allowed",
    "I-17 one long value": "source-unreadable",
    "I-17 dwg renamed": "format-not-allowed",
    "I-17 dwg": "format-needs-conversion",
    "I-18 linked system": "unknown-crs",
    "I-18 new properties in every row": "too-many-fields",
    "I-19 gml system by address": "unknown-crs",
    "I-19 document type": "format-not-allowed",
    "I-19 laughing entities": "format-not-allowed",
    "I-19 deep markup": "source-unreadable",
    "I-19 mapinfo that refers elsewhere": "format-not-allowed",
}
FOUND = {
    "I-07 wrong codepage": "cpg-contradicted",
    "I-07 cut in a character": "cpg-contradicted",
    "I-10 shapes": "mixed-types",
    "I-13 dates": "bad-dates",
    "I-17 block in itself": "blocks-not-expanded",
    "I-17 blocks of blocks": "blocks-not-expanded",
    "I-17 endless grid": "blocks-not-expanded",
    "I-17 huge text": "text-cut",
    "I-17 not understood": "entities-not-read",
    "I-19 kml links": "links-not-followed",
    "I-19 gml links": "links-not-followed",
}


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


def outcome(path, work):
    """The code of the refusal, or the codes of what was found; every feature counted is also read."""
    try:
        return None, found_in(path, work, None)
    except SourceLayerMissing as several:
        layers = several.facts["layers"]
        return None, set().union(*(found_in(path, work, layer) for layer in layers))
    except OnemapError as refusal:
        assert refusal.text("zh")
        assert str(work.parent) not in str(refusal) + refusal.text("zh")
        return refusal.code, set()


def found_in(path, work, layer):
    source = open_source(path, work=work, source_layer=layer)
    assert sum(len(batch.geometries) for batch in source.batches()) == source.count
    return {note["code"] for note in source.notes}


@pytest.mark.parametrize("name", [name for name, _ in corpus.everything()])
def test_a_broken_file_ends_in_a_refusal_or_a_finding_within_its_time(tmp_path, listener, name):
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    folder, work = tmp_path / "delivered", tmp_path / "work"
    folder.mkdir(), work.mkdir()
    path = corpus.build(name, folder, address)
    before = {item.name: item.read_bytes() for item in folder.iterdir()}
    begun = time.monotonic()
    refused, found = outcome(path, work)
    assert time.monotonic() - begun < LONGEST_S
    assert visitors(listener) == 0
    assert {item.name: item.read_bytes() for item in folder.iterdir()} == before
    if REFUSED.get(name):
        assert refused == REFUSED[name]
    if name in FOUND:
        assert FOUND[name] in found


@pytest.mark.parametrize("row", [f"I-{number:02d}" for number in range(1, 20)])
def test_every_row_has_a_file(row):
    assert any(name.startswith(row) for name, _ in corpus.everything())


def test_all_of_them_in_one_delivery_are_listed_and_none_breaks_the_others(tmp_path):
    folder, work = tmp_path / "delivered", tmp_path / "work"
    work.mkdir()
    for number, (name, _) in enumerate(corpus.everything()):
        own = folder / f"{number:02d}"
        own.mkdir(parents=True)
        corpus.build(name, own, "http://127.0.0.1:9")
    found = list_layers(folder, work)
    kinds = {item.kind for item in found.items}
    assert kinds == {"layer", "table", "raster"}
    assert len(found.items) > 30
    assert all(item.path.exists() for item in found.items)
