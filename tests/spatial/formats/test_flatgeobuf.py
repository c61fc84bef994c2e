import os

import pytest

from spatial.formats import UnreadableSource, open_source
from spatial.validity import Family


@pytest.fixture
def buffer(tmp_path, frame):
    path = tmp_path / "data.fgb"
    frame.to_file(path, driver="FlatGeobuf")
    return path


def test_a_file_is_read(buffer):
    source = open_source(buffer)
    assert (source.driver, source.srid, source.family, source.count) == (
        "FlatGeobuf",
        4547,
        Family.POLYGON,
        2,
    )
    names = {row["名称"] for batch in source.batches() for row in batch.table.to_pylist()}
    assert names == {"深圳市福田区", "南山区"}


def test_without_a_system(tmp_path, frame):
    path = tmp_path / "none.fgb"
    frame.set_crs(None, allow_override=True).to_file(path, driver="FlatGeobuf")
    assert open_source(path).srid is None


@pytest.mark.parametrize("length", [8, 12, 60, 200])
def test_a_cut_file(buffer, length):
    buffer.write_bytes(buffer.read_bytes()[:length])
    with pytest.raises(UnreadableSource):
        list(open_source(buffer).batches())


def test_noise_after_the_magic(buffer):
    buffer.write_bytes(buffer.read_bytes()[:12] + os.urandom(4000))
    with pytest.raises(UnreadableSource):
        list(open_source(buffer).batches())
