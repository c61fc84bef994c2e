"""Files out: a scope of a layer as GeoJSON, GeoPackage, Shapefile, CSV, FlatGeobuf or GeoParquet."""

import csv
import itertools
import os
import tempfile
import zipfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, ClassVar

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyogrio
import shapely
from psycopg2 import sql

from layers import queries
from layers.exchange.staging import ARROW
from layers.moments import Moment
from layers.ogc import axes
from layers.ogc.features_api.items import collection_chunks, page_statement
from layers.ogc.features_api.parameters import ItemsQuery
from layers.queries import Statement
from layers.rights import Scope
from spatial.crs import Crs
from spatial.errors import Kind, OnemapError

BATCH = 20_000
EVERYTHING = 2**62
FORMULA = ("=", "+", "-", "@", "\t", "\r")
PANDAS = {"integer": "Int64", "real": "Float64", "text": "string", "boolean": "boolean"}


class UnknownExport(OnemapError):
    """No writer for such a file."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "unknown-format"
    message: ClassVar = "layers are written as {offered}"
    message_zh: ClassVar = "可导出格式：{offered}"


def export(scope: Scope, path: Path, *, crs: Crs, encoding: str = "utf-8") -> int:
    """Write what a scope shows to a file; return the number of features.

    The file appears complete or not at all. Coordinates are x before y, as these formats have them.

    Raises
    ------
    UnknownExport
        The suffix names no format that is written.
    """
    suffix = next((one for one in WRITERS if path.name.lower().endswith(one)), None)
    if suffix is None:
        raise UnknownExport(offered=" ".join(WRITERS))
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".export-") as folder:
        written = Path(folder) / f"{scope.layer.name}{suffix}"
        count = WRITERS[suffix](scope, written, crs, encoding)
        with written.open("rb") as file:
            os.fsync(file.fileno())
        written.replace(path)
    return count


def rows_of(scope: Scope, crs: Crs) -> Iterator[list[tuple[Any, ...]]]:
    """The features in lists of 20,000, ordered by fid: fid, WKB, then the fields' values."""
    inner = queries.relation(scope, Moment.today())
    shape = (
        sql.SQL("r.geom")
        if crs.srid == axes.STORAGE
        else sql.SQL("ST_Transform(r.geom, {})").format(sql.Literal(crs.srid))
    )
    columns = [sql.Identifier("r", one.field.column) for one in scope.fields]
    listed = sql.SQL(", ").join([sql.SQL("r.fid"), sql.SQL("ST_AsBinary({})").format(shape), *columns])
    statement = Statement(
        sql.SQL("SELECT {} FROM {} AS r ORDER BY r.fid").format(listed, inner.text), inner.params
    )
    return queries.streamed(statement, BATCH)


def frames(scope: Scope, crs: Crs) -> Iterator[gpd.GeoDataFrame]:
    """The features in data frames of 20,000, ordered by fid; the id is column `fid`."""
    for rows in rows_of(scope, crs):
        yield _frame(scope, rows, crs)


def _frame(scope: Scope, rows: list[tuple[Any, ...]], crs: Crs) -> gpd.GeoDataFrame:
    fids, shapes, *values = zip(*rows, strict=True)
    names = [one.field.name for one in scope.fields]
    data: dict[str, Any] = (
        {"fid": pd.array(fids, dtype="Int64")} if "fid" not in {name.lower() for name in names} else {}
    )
    for one, column in zip(scope.fields, values, strict=True):
        kind = PANDAS.get(one.field.type)
        data[one.field.name] = pd.array(column, dtype=kind) if kind else pd.Series(column)
    geometries = shapely.from_wkb([bytes(shape) for shape in shapes])
    return gpd.GeoDataFrame(data, geometry=geometries, crs=crs.srid)


def _geojson(scope: Scope, path: Path, crs: Crs, encoding: str) -> int:
    query = ItemsQuery(limit=EVERYTHING, crs=crs, box=None, nowhere=False, moment=Moment.today())
    count = 0

    def pages() -> Iterator[list[tuple[Any, ...]]]:
        nonlocal count
        for rows in queries.streamed(page_statement(scope, query)):
            count += len(rows)
            yield rows

    with path.open("w", encoding="utf-8") as file:
        file.writelines(collection_chunks(pages(), query, None, lambda last: []))
    return count


def _geopackage(scope: Scope, path: Path, crs: Crs, encoding: str) -> int:
    """One pass, flat in memory. The file's own feature ids are the layer's."""
    names = [one.field.name for one in scope.fields]
    taken = {name.lower() for name in names}
    fid, shape = (_free(wanted, taken) for wanted in ("fid", "geom"))
    kinds = [pa.int64(), pa.binary(), *(ARROW[one.field.type] for one in scope.fields)]
    schema = pa.schema(list(zip([fid, shape, *names], kinds, strict=True)))
    count = 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal count
        for rows in rows_of(scope, crs):
            count += len(rows)
            columns = [
                pa.array(map(_plain, column), kind)
                for column, kind in zip(zip(*rows, strict=True), kinds, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    pyogrio.write_arrow(
        pa.RecordBatchReader.from_batches(schema, batches()),
        path,
        driver="GPKG",
        layer=scope.layer.name,
        geometry_name=shape,
        geometry_type="Unknown",
        crs=f"EPSG:{crs.srid}",
        FID=fid,
        GEOMETRY_NAME=shape,
    )
    return count


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def _free(wanted: str, taken: Collection[str]) -> str:
    """A column name that no field of the layer has."""
    return next(
        name
        for name in itertools.chain([wanted], (f"{wanted}_{n}" for n in itertools.count(1)))
        if name not in taken
    )


def _whole(scope: Scope, crs: Crs) -> gpd.GeoDataFrame:
    parts = list(frames(scope, crs))
    if not parts:
        return gpd.GeoDataFrame({one.field.name: [] for one in scope.fields}, geometry=[], crs=crs.srid)
    return pd.concat(parts, ignore_index=True)


def _flatgeobuf(scope: Scope, path: Path, crs: Crs, encoding: str) -> int:
    frame = _whole(scope, crs)
    pyogrio.write_dataframe(frame, path, driver="FlatGeobuf", geometry_type="Unknown")
    return len(frame)


def _parquet(scope: Scope, path: Path, crs: Crs, encoding: str) -> int:
    frame = _whole(scope, crs)
    frame.to_parquet(path, index=False)
    return len(frame)


def _shapefile(scope: Scope, path: Path, crs: Crs, encoding: str) -> int:
    frame = _whole(scope, crs)
    folder = path.parent / "shapefile"
    folder.mkdir()
    pyogrio.write_dataframe(
        frame, folder / f"{scope.layer.name}.shp", driver="ESRI Shapefile", encoding=encoding
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in sorted(folder.iterdir()):
            archive.write(member, member.name)
    return len(frame)


def _csv(scope: Scope, path: Path, crs: Crs, encoding: str) -> int:
    """Geometry as WKT; texts that a spreadsheet would run as formulas begin with an apostrophe (threats.md X-09)."""
    count = 0
    names = [one.field.name for one in scope.fields]
    with path.open("w", encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*names, "wkt"])
        for frame in frames(scope, crs):
            shapes = shapely.to_wkt(frame.geometry.array, rounding_precision=9)
            for values, shape in zip(frame[names].itertuples(index=False, name=None), shapes, strict=True):
                writer.writerow([*map(_cell, values), shape])
            count += len(frame)
    return count


def _cell(value: Any) -> Any:
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value


WRITERS: dict[str, Callable[[Scope, Path, Crs, str], int]] = {
    ".gpkg": _geopackage,
    ".geojson": _geojson,
    ".shp.zip": _shapefile,
    ".csv": _csv,
    ".fgb": _flatgeobuf,
    ".parquet": _parquet,
}
MEDIA = {
    ".gpkg": "application/geopackage+sqlite3",
    ".geojson": "application/geo+json",
    ".shp.zip": "application/zip",
    ".csv": "text/csv; charset=utf-8",
    ".fgb": "application/vnd.flatgeobuf",
    ".parquet": "application/vnd.apache.parquet",
}
