"""A table of another PostgreSQL database as a GeoPackage: read only, in one snapshot, flat in memory."""

import hashlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import psycopg2
import pyarrow as pa
import pyogrio
from psycopg2 import extensions, sql

from process.fetching import safe_name
from spatial.errors import Kind, OnemapError

log = logging.getLogger("onemap.pulls")

CONNECT_S = 10
BATCH = 10_000
# PostgreSQL's types and Arrow's; what is not here is read as text.
TYPES = {
    **dict.fromkeys(("smallint", "integer", "bigint"), pa.int64()),
    **dict.fromkeys(("real", "double precision", "numeric"), pa.float64()),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp without time zone": pa.timestamp("us"),
    "timestamp with time zone": pa.timestamp("us", tz="UTC"),
}
_COLUMNS = """
SELECT a.attname, format_type(a.atttypid, NULL)
  FROM pg_attribute AS a
 WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY a.attnum
"""


class DatabaseSilent(OnemapError):
    """The other database did not answer, or not as it should; the log says more."""

    kind: ClassVar = Kind.UNAVAILABLE
    code: ClassVar = "pull-database"
    message: ClassVar = "the source database does not give {table}"
    message_zh: ClassVar = "源数据库未能提供 {table}"


class MixedCoordinates(OnemapError):
    """One table, several coordinate systems."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "pull-mixed-crs"
    message: ClassVar = "the geometries of {table} are in several coordinate systems"
    message_zh: ClassVar = "{table} 的几何使用了多个坐标系"


class TableName(NamedTuple):
    """A table of another database."""

    schema: str
    name: str

    @property
    def text(self) -> str:
        """As people write it."""
        return f"{self.schema}.{self.name}"

    @property
    def quoted(self) -> sql.Composable:
        """As SQL takes it."""
        return sql.Identifier(self.schema, self.name)


class Column(NamedTuple):
    """A column: its name, and PostgreSQL's name of its type."""

    name: str
    type: str

    @property
    def is_geometry(self) -> bool:
        """Whether it holds shapes of PostGIS."""
        return self.type.rpartition(".")[2] in {"geometry", "geography"}


def read_table(dsn: str, table: TableName, into: Path, *, seconds: float) -> tuple[Path, str]:
    """Copy a table to a GeoPackage of its name.

    Parameters
    ----------
    dsn
        Where the database is, as libpq takes it; an operator's setting.
    into
        A folder of ours.
    seconds
        The longest any statement may take.

    Returns
    -------
    path, sha256
        The digest is of the rows whatever their order, so that an unchanged table has an unchanged digest.

    Raises
    ------
    DatabaseSilent, MixedCoordinates
    """
    path = into / f"{safe_name(table.name)}.gpkg"
    try:
        linked = psycopg2.connect(
            dsn,
            connect_timeout=CONNECT_S,
            application_name="onemap",
            options=f"-c statement_timeout={int(seconds * 1000)} -c lock_timeout=10000",
        )
        try:
            linked.set_session(
                isolation_level=extensions.ISOLATION_LEVEL_REPEATABLE_READ, readonly=True, autocommit=False
            )
            return path, _copy(linked, table, path)
        finally:
            linked.close()
    except psycopg2.Error as error:
        log.info("a source database failed: %s %s", type(error).__name__, error.pgcode)
        raise DatabaseSilent(table=table.text) from error


def _copy(linked: Any, table: TableName, path: Path) -> str:
    with linked.cursor() as cursor:
        cursor.execute(_COLUMNS, [table.quoted.as_string(linked)])
        columns = [Column(*row) for row in cursor.fetchall()]
        shape = next((one for one in columns if one.is_geometry), None)
        srid = _srid(cursor, table, shape) if shape else 0
    kept = [one for one in columns if not one.is_geometry and one.type != "bytea"]
    digest = RowsDigest(kept)
    placed = {"geometry_name": "geom", "crs": f"EPSG:{srid}" if srid else None} if shape else {}
    stream = Stream(_batches(linked, table, kept, shape, digest))
    try:
        pyogrio.write_arrow(
            pa.RecordBatchReader.from_batches(_schema(kept, shape), stream),
            path,
            driver="GPKG",
            layer=safe_name(table.name),
            geometry_type="Unknown" if shape else None,
            **placed,
        )
    except RuntimeError as error:
        raise (stream.failure or error) from error
    return digest.hexdigest()


class Stream:
    """Batches that keep what the database failed with: the writer that reads them only says that they ended."""

    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self._batches = batches
        self.failure: psycopg2.Error | None = None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The batches."""
        try:
            yield from self._batches
        except psycopg2.Error as error:
            self.failure = error
            raise


def _srid(cursor: Any, table: TableName, shape: Column) -> int:
    text = sql.SQL("SELECT DISTINCT ST_SRID({}::geometry) FROM {} WHERE {} IS NOT NULL LIMIT 2")
    column = sql.Identifier(shape.name)
    cursor.execute(text.format(column, table.quoted, column))
    found = [int(row[0]) for row in cursor.fetchall()]
    if len(found) > 1:
        raise MixedCoordinates(table=table.text)
    return found[0] if found else 0


def _schema(kept: list[Column], shape: Column | None) -> pa.Schema:
    fields = [pa.field(name, TYPES.get(one.type, pa.string())) for name, one in _names(kept)]
    return pa.schema([*fields, pa.field("geom", pa.binary())] if shape else fields)


def _names(kept: list[Column]) -> Iterator[tuple[str, Column]]:
    """The columns under names that a GeoPackage has not taken for itself."""
    for one in kept:
        yield f"{one.name}_" if one.name.lower() in {"fid", "geom"} else one.name, one


def _batches(
    linked: Any, table: TableName, kept: list[Column], shape: Column | None, digest: "RowsDigest"
) -> Iterator[pa.RecordBatch]:
    schema = _schema(kept, shape)
    listed = [
        sql.SQL("{}" if one.type in TYPES else "{}::text").format(sql.Identifier(one.name)) for one in kept
    ]
    if shape:
        listed.append(sql.SQL("ST_AsBinary(ST_Force2D({}::geometry))").format(sql.Identifier(shape.name)))
    with linked.cursor("pulled") as cursor:
        cursor.itersize = BATCH
        cursor.execute(sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(listed), table.quoted))
        while rows := cursor.fetchmany(BATCH):
            plain = [tuple(map(_plain, row)) for row in rows]
            digest.add(plain)
            values = [
                pa.array([_typed(value, kind.type) for value in column], kind.type)
                for column, kind in zip(zip(*plain, strict=True), schema, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(values, schema=schema)


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def _typed(value: Any, kind: pa.DataType) -> Any:
    return float(value) if value is not None and pa.types.is_float64(kind) else value


class RowsDigest:
    """SHA-256 of a table, whatever the order of its rows: the sum of the rows' digests."""

    def __init__(self, columns: list[Column]) -> None:
        self._sum, self._count = 0, 0
        self._head = json.dumps(columns).encode()

    def add(self, rows: list[tuple[Any, ...]]) -> None:
        """Take some rows."""
        for row in rows:
            self._sum += int.from_bytes(hashlib.sha256(repr(row).encode()).digest(), "big")
        self._count += len(rows)

    def hexdigest(self) -> str:
        """The digest of all rows so far and of the columns."""
        whole = f"{self._count} {self._sum % 2**256:x}".encode()
        return hashlib.sha256(self._head + whole).hexdigest()
