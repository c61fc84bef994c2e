"""Sound files with a few bytes changed: refused, or read as far as counted, never anything else."""

import random

import ezdxf
import pytest

from spatial.errors import OnemapError
from spatial.formats import open_source

SEEDS = range(30)
DRIVERS = {
    "tab": "MapInfo File",
    "mif": "MapInfo File",
    "gml": "GML",
    "shp": "ESRI Shapefile",
    "gdb": "OpenFileGDB",
}


def mutate(content, choice):
    data = bytearray(content)
    for _ in range(choice.choice([1, 1, 3, 10])):
        place = choice.randrange(max(len(data), 1))
        if choice.random() < 0.7:
            data[place : place + 1] = bytes([choice.randrange(256)])
        elif choice.random() < 0.5:
            data[place : place + 4] = choice.choice(
                [b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x00\x00\x00\x00"]
            )
        else:
            del data[place:]
    return bytes(data)


def written(folder, frame, suffix):
    path = folder / f"x.{suffix}"
    if suffix == "dxf":
        drawing = ezdxf.new("R2000")
        drawing.modelspace().add_lwpolyline([(0, 0), (9, 0), (9, 9)], close=True)
        drawing.saveas(path)
    elif suffix == "kml":
        ring = "114,22 115,22 115,23 114,22"
        shape = f"<LinearRing><coordinates>{ring}</coordinates></LinearRing>"
        path.write_text(f"<kml><Placemark><name>甲</name>{shape}</Placemark></kml>")
    elif suffix == "gpkg":
        frame.to_file(path)
    else:
        frame.to_file(path, driver=DRIVERS[suffix])
    return path


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("suffix", ["shp", "gpkg", "gdb", "tab", "mif", "gml", "kml", "dxf"])
def test_a_changed_file_is_refused_or_read_in_full(tmp_path, frame, suffix):
    path = written(tmp_path, frame, suffix)
    parts = sorted(path.iterdir() if path.is_dir() else tmp_path.iterdir())
    whole = {part: part.read_bytes() for part in parts}
    ended = 0
    for seed in SEEDS:
        choice = random.Random(seed)
        part = choice.choice([one for one in parts if whole[one]])
        part.write_bytes(mutate(whole[part], choice))
        try:
            source = open_source(path)
            assert sum(len(batch.geometries) for batch in source.batches()) == source.count
        except OnemapError as refusal:
            assert str(tmp_path) not in str(refusal)
        part.write_bytes(whole[part])
        ended += 1
    assert ended == len(SEEDS)
