"""Every door of the platform, and what may be read out of what comes through one.

The doors are read from the URL conf, so that a new one is noticed.
"""

import inspect
import io
import json
import re
import sqlite3
import struct
import tempfile
import zipfile
from pathlib import Path

import geopandas as gpd
import mapbox_vector_tile
import pandas as pd
import pyarrow.parquet as pq
from django.urls import URLPattern, get_resolver
from pyproj import Transformer

from tests.people import body_of

_TO = {srid: Transformer.from_crs(4547, srid, always_xy=True) for srid in (4490, 3857)}


def routes() -> set[str]:
    """Every route as 'METHOD pattern'; the pages of the administration as 'ANY admin/…'."""
    found = set()
    for path, pattern in _walk(get_resolver().url_patterns, ""):
        # A view of the JSON API encloses the object that holds the operations of its path.
        view = pattern.callback
        enclosed = inspect.getclosurevars(view).nonlocals if inspect.isfunction(view) else {}
        operations = getattr(enclosed.get("self"), "operations", None)
        if operations is not None:
            found |= {f"{method} {path}" for operation in operations for method in operation.methods}
        elif (kind := getattr(view, "view_class", None)) and not path.startswith("admin/"):
            told = ("get", "post", "put", "patch", "delete")
            found |= {f"{method.upper()} {path}" for method in told if hasattr(kind, method)}
        else:
            found.add(f"{'ANY' if path.startswith('admin/') else 'GET'} {path}")
    return found


def _walk(patterns, prefix):
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield path, pattern
        else:
            yield from _walk(pattern.url_patterns, path)


def readable(answer) -> str:
    """Everything an answer tells, as one text: headers, body, and what is packed in the body."""
    body = body_of(answer)
    parts = [str(dict(answer.headers)), body.decode("utf-8", "replace"), body.decode("latin-1")]
    unpack = next(
        (reader for media, reader in _PACKED.items() if media in answer.headers.get("Content-Type", "")), None
    )
    if unpack is not None and body and answer.status_code == 200:
        parts.append(unpack(body))
    if "json" in answer.headers.get("Content-Type", "") and body:
        parts.append(json.dumps(json.loads(body), ensure_ascii=False))
    return "\n".join(parts)


def tile(body: bytes) -> dict:
    """A vector tile, decoded."""
    return mapbox_vector_tile.decode(body, default_options={"y_coord_down": True})


def _tile(body: bytes) -> str:
    return json.dumps(tile(body), ensure_ascii=False)


def _geopackage(body: bytes) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "read.gpkg"
        path.write_bytes(body)
        with sqlite3.connect(path) as base:
            names = [row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            rows = [
                str(row)
                for name in names
                if "rtree" not in name
                for row in base.execute(f'SELECT * FROM "{name}"')
            ]
        return "\n".join([*names, *rows, _rows(gpd.read_file(path, layer=0))])


def _rows(frame: pd.DataFrame) -> str:
    """Of a layer, or of a table without geometry."""
    if isinstance(frame, gpd.GeoDataFrame):
        return frame.to_json(default=str)
    return frame.to_json(default_handler=str)


def _zip(body: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(body)) as archive, tempfile.TemporaryDirectory() as folder:
        archive.extractall(folder)
        shape = next(Path(folder).glob("*.shp"))
        texts = [archive.read(name).decode("utf-8", "replace") for name in archive.namelist()]
        return "\n".join([*archive.namelist(), *texts, _rows(gpd.read_file(shape))])


def _flatgeobuf(body: bytes) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "read.fgb"
        path.write_bytes(body)
        return _rows(gpd.read_file(path))


def _workbook(body: bytes) -> str:
    sheets = pd.read_excel(io.BytesIO(body), sheet_name=None, dtype=str)
    return "\n".join([*sheets, *(sheet.to_csv() for sheet in sheets.values())])


def _parquet(body: bytes) -> str:
    known = pq.read_schema(io.BytesIO(body)).metadata or {}
    read = gpd.read_parquet if b"geo" in known else pd.read_parquet
    return _rows(read(io.BytesIO(body)))


_PACKED = {
    "vector-tile": _tile,
    "geopackage": _geopackage,
    "application/zip": _zip,
    "flatgeobuf": _flatgeobuf,
    "parquet": _parquet,
    "spreadsheetml": _workbook,
}


def place_marks(box: tuple[float, float, float, float]) -> set[str]:
    """How the corners of a box (storage CRS, metres) would look in any answer: texts, and raw doubles."""
    found = set()
    for x, y in ((box[0], box[1]), (box[2], box[3])):
        found |= {_cut(x, 3), _cut(y, 3), _double(x), _double(y)}
        for digits, srid in ((6, 4490), (2, 3857)):
            found |= {_cut(value, digits) for value in _TO[srid].transform(x, y)}
    return found


def _cut(value: float, digits: int) -> str:
    whole, _, rest = f"{value:.10f}".partition(".")
    return f"{whole}.{rest[:digits]}"


def _double(value: float) -> str:
    return struct.pack("<d", value).decode("latin-1")


def without_identity(answer, name: str = "NAME") -> tuple:
    """Status, headers and body, but for the request's id and the name asked for."""
    body = body_of(answer).decode("utf-8", "replace").replace(name, "NAME")
    body = re.sub(r'"request_id": ?"[0-9a-f]{32}"', '"request_id": "ID"', body)
    headers = {
        key: value.replace(name, "NAME") for key, value in answer.headers.items() if key != "X-Request-Id"
    }
    return answer.status_code, headers, body
