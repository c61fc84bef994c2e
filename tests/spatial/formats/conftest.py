"""Small files of every format, written afresh."""

import struct
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

BOX = shapely.box(506_000, 2_494_000, 506_010, 2_494_010)


@pytest.fixture
def frame():
    names = {"名称": ["深圳市福田区", "南山区"], "code": ["0001", "0002"], "n": [1, 2]}
    return gpd.GeoDataFrame(names, geometry=[BOX, shapely.affinity.translate(BOX, 20)], crs=4547)


@pytest.fixture
def gbk_shapefile(tmp_path, frame) -> Path:
    """A shapefile in GBK that says nothing of it."""
    path = tmp_path / "地块.shp"
    frame.to_file(path, encoding="gbk")
    path.with_suffix(".cpg").unlink()
    return path


@pytest.fixture
def dbf(tmp_path):
    """Writes a dBASE file from (name, kind, width, decimals) and rows of bytes."""

    def write(fields, rows, *, ldid=0, path=tmp_path / "table.dbf"):
        width = 1 + sum(field[2] for field in fields)
        head = struct.pack("<B3BIHH17xBxx", 3, 120, 1, 1, len(rows), 33 + 32 * len(fields), width, ldid)
        described = b"".join(
            struct.pack("<11sc4xBB14x", name, kind.encode(), size, decimals)
            for name, kind, size, decimals in fields
        )
        body = b"".join(
            mark + b"".join(cell.ljust(field[2]) for cell, field in zip(cells, fields, strict=True))
            for mark, *cells in rows
        )
        path.write_bytes(head + described + b"\r" + body + b"\x1a")
        return path

    return write
