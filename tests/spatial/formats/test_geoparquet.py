import json

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from spatial.crs import ObfuscatedDatum
from spatial.formats.geoparquet import open_geoparquet
from spatial.formats.refusals import UnreadableSource
from spatial.validity import Family

CODES = ["007", "440304199912310012", None, "深圳市福田区", "㐀𠮷〇"]


def frame(crs="EPSG:4547"):
    shapes = [shapely.box(505000 + n, 2494000, 505001 + n, 2494001) for n in range(5)]
    return gpd.GeoDataFrame(
        {"编码": CODES, "数": pd.array([1, None, 3, 4, 5], "Int64")}, geometry=shapes, crs=crs
    )


def told(path, change):
    table = pq.read_table(path)
    geo = json.loads(table.schema.metadata[b"geo"])
    change(geo)
    pq.write_table(table.replace_schema_metadata({b"geo": json.dumps(geo).encode()}), path)
    return path


def test_features_come_in_batches(tmp_path):
    path = tmp_path / "p.parquet"
    frame().to_parquet(path, write_covering_bbox=True, schema_version="1.1.0")
    source = open_geoparquet(path, "p")
    assert (source.srid, source.count, source.family) == (4547, 5, Family.POLYGON)
    assert tuple(source.bounds) == (505000, 2494000, 505005, 2494001)
    assert [one.name for one in source.fields] == ["编码", "数"]
    batches = list(source.batches(2))
    assert [batch.start for batch in batches] == [0, 2, 4]
    rows = [row for batch in batches for row in batch.table.to_pylist()]
    assert [row["编码"] for row in rows] == CODES
    assert [row["数"] for row in rows] == [1, None, 3, 4, 5]


def test_only_the_identifier_of_the_system_is_read(tmp_path):
    path = tmp_path / "p.parquet"
    frame().to_parquet(path)

    def without_id(geo):
        del geo["columns"]["geometry"]["crs"]["id"]

    assert open_geoparquet(told(path, without_id), "p").srid is None
    assert (
        open_geoparquet(told(path, lambda geo: geo["columns"]["geometry"].update(crs=None)), "p").srid is None
    )
    assert open_geoparquet(told(path, lambda geo: geo["columns"]["geometry"].pop("crs")), "p").srid == 4326
    with pytest.raises(ObfuscatedDatum):
        named = {"name": "GCJ-02", "id": {"authority": "EPSG", "code": 4326}}
        open_geoparquet(told(path, lambda geo: geo["columns"]["geometry"].update(crs=named)), "p")


def test_what_is_not_well_known_binary_is_refused(tmp_path):
    path = tmp_path / "p.parquet"
    frame().to_parquet(path)
    with pytest.raises(UnreadableSource, match="WKB"):
        open_geoparquet(told(path, lambda geo: geo["columns"]["geometry"].update(encoding="polygon")), "p")
    with pytest.raises(UnreadableSource, match=r"1\.x"):
        open_geoparquet(told(path, lambda geo: geo.update(version="2.0")), "p")
    with pytest.raises(UnreadableSource, match="missing"):
        open_geoparquet(told(path, lambda geo: geo.update(version="1.0.0", primary_column="x")), "p")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(UnreadableSource):
        open_geoparquet(path, "p")


def test_plain_parquet_is_a_table(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"编码": ["1"], "d": pa.array([1], pa.date32())}), path)
    source = open_geoparquet(path, "t")
    assert source.family is None
    assert [one.type for one in source.fields] == ["text", "date"]
    assert list(next(source.batches()).geometries) == [None]
