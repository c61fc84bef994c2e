"""FlatGeobuf and GeoParquet: every value, null and type as it is stored; flat in memory."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyproj import CRS

from layers.exchange.exports.selection import Selection, Stream
from spatial.crs import Crs


def write_flatgeobuf(selection: Selection, path: Path) -> int:
    """Write a FlatGeobuf with its index of places; the feature id is column `fid`.

    The format packs features by place, so their order is another, and knows no days: a date comes back as its midnight.
    """
    shape = selection.free("geometry")
    schema, made = selection.table_parts(selection.free("fid"), shape)
    return Stream(selection, schema, made).write(
        path,
        "FlatGeobuf",
        layer=selection.scope.layer.name,
        geometry_name=shape,
        geometry_type="Unknown",
        crs=f"EPSG:{selection.crs.srid}",
        layer_options={"TEMPORARY_DIR": str(path.parent)},
    )


def write_parquet(selection: Selection, path: Path) -> int:
    """Write GeoParquet 1.1 by row groups of 20,000; a table is plain Parquet."""
    shape = selection.free("geometry") if selection.has_geometry else None
    schema, made = selection.table_parts(selection.free("fid"), shape)
    if shape is not None:
        schema = schema.with_metadata({b"geo": json.dumps(_geo(shape, selection.crs)).encode()})
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as file:
        for rows in selection.rows():
            file.write_batch(pa.RecordBatch.from_arrays(made(rows), schema=schema))
            count += len(rows)
    return count


def _geo(shape: str, crs: Crs) -> dict[str, object]:
    """The metadata of OGC 23-077 (GeoParquet 1.1)."""
    system = CRS.from_epsg(crs.srid).to_json_dict()
    column = {"encoding": "WKB", "geometry_types": [], "crs": system}
    return {"version": "1.1.0", "primary_column": shape, "columns": {shape: column}}
