"""What is written: the rows of a scope, whole or clipped to an area, in one coordinate system.

Everything is a question to `layers.queries.relation`, streamed: memory does not grow with the layer.
"""

import itertools
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyogrio
import shapely
from psycopg2 import sql
from shapely.geometry.base import BaseGeometry

from layers import queries
from layers.catalogue import FieldInfo
from layers.exchange.staging import ARROW
from layers.moments import Moment
from layers.ogc import axes
from layers.queries import Statement
from layers.rights import Scope
from spatial.crs import Crs
from spatial.errors import Kind, OnemapError
from spatial.validity import Family

BATCH = 20_000
_DIMENSION = {Family.POINT: 1, Family.LINE: 2, Family.POLYGON: 3}  # as ST_CollectionExtract counts them

Rows = list[tuple[Any, ...]]


class UnknownDivision(OnemapError):
    """No division has this code."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "unknown-division"
    message: ClassVar = "there is no division {division}"
    message_zh: ClassVar = "没有代码为 {division} 的行政区划"


@dataclass(frozen=True, slots=True)
class Clip:
    """An area to clip to.

    Attributes
    ----------
    area : bytes
        WKB, storage CRS.
    cut : bool
        Whether features are cut at its edge; else those that touch it come whole.
    """

    area: bytes
    cut: bool = False


def division_clip(code: str, *, cut: bool) -> Clip:
    """The area of an administrative division.

    Raises
    ------
    UnknownDivision
        There is none of this code.
    """
    area = queries.division_area(code, axes.STORAGE)
    if area is None:
        raise UnknownDivision(division=code)
    return Clip(area, cut)


def clip_of(area: BaseGeometry | None, *, cut: bool) -> Clip | None:
    """A clip from a geometry in the storage CRS."""
    return None if area is None else Clip(shapely.to_wkb(area), cut)


@dataclass(frozen=True)
class Selection:
    """What to write of a layer, and how.

    Attributes
    ----------
    scope : Scope
        What may be seen.
    crs : Crs
        Of the coordinates; they are written x before y.
    encoding : str
        Of a shapefile's or CSV's text, as Python calls it.
    clip : Clip or None
        Where, None for everywhere.
    told : callable
        Called with the number of rows written so far.
    """

    scope: Scope
    crs: Crs
    encoding: str = "utf-8"
    clip: Clip | None = None
    told: Callable[[int], None] = field(default=lambda count: None)

    @property
    def fields(self) -> list[FieldInfo]:
        """The visible fields."""
        return [one.field for one in self.scope.fields]

    @property
    def names(self) -> list[str]:
        """Their names."""
        return [one.name for one in self.fields]

    @property
    def has_geometry(self) -> bool:
        """Whether rows have shapes."""
        return not self.scope.layer.is_table

    def relation(self) -> Statement:
        """The rows as a parenthesised SELECT, as `layers.queries.relation` has them, clipped."""
        layer = self.scope.layer
        if self.clip is None:
            return queries.relation(self.scope, Moment.today())
        params: dict[str, Any] = {}
        where = queries.within(layer, (self.clip.area,), "clip", params)
        inner = queries.relation(self.scope, Moment.today(), where=where)
        found = Statement(inner.text, {**inner.params, **params})
        return self._cut(found) if self.clip.cut and self.has_geometry else found

    def _cut(self, inner: Statement) -> Statement:
        """The same rows cut at the area's edge; what only touches it is gone."""
        shape = sql.SQL(
            "ST_CollectionExtract(ST_Intersection(u.geom, ST_GeomFromWKB(%(clip_0)s, {})), {}) AS geom"
        ).format(sql.Literal(axes.STORAGE), sql.Literal(_DIMENSION[self.scope.layer.family]))
        kept = ["fid", "version", *(["valid_from", "valid_to"] if self.scope.layer.valid_time else [])]
        kept += [one.column for one in self.fields]
        columns = sql.SQL(", ").join([shape, *(sql.Identifier("u", name) for name in kept)])
        text = sql.SQL("(SELECT * FROM (SELECT {} FROM {} AS u) AS c WHERE NOT ST_IsEmpty(c.geom))")
        return Statement(text.format(columns, inner.text), inner.params)

    def rows(self) -> Iterator[Rows]:
        """Lists of 20,000 rows ordered by fid: fid, WKB (None in tables), then the fields' values."""
        inner = self.relation()
        columns = [sql.Identifier("r", one.column) for one in self.fields]
        listed = sql.SQL(", ").join([sql.SQL("r.fid"), self._shape(), *columns])
        text = sql.SQL("SELECT {} FROM {} AS r ORDER BY r.fid").format(listed, inner.text)
        count = 0
        for rows in queries.streamed(Statement(text, inner.params), BATCH):
            yield rows
            count += len(rows)
            self.told(count)

    def _shape(self) -> sql.Composable:
        if not self.has_geometry:
            return sql.SQL("NULL::bytea")
        if self.crs.srid == axes.STORAGE:
            return sql.SQL("ST_AsBinary(r.geom)")
        return sql.SQL("ST_AsBinary(ST_Transform(r.geom, {}))").format(sql.Literal(self.crs.srid))

    def free(self, wanted: str) -> str:
        """A column name that no field has, whatever its case."""
        return free_name(wanted, {name.lower() for name in self.names})

    def table_parts(self, fid: str, shape: str | None) -> tuple[pa.Schema, Callable[[Rows], list[pa.Array]]]:
        """The columns fid, geometry (unless `shape` is None) and fields, and what makes them of rows."""
        kinds = [ARROW[one.type] for one in self.fields]
        head = [(fid, pa.int64()), *([(shape, pa.binary())] if shape is not None else [])]
        schema = pa.schema([*head, *zip(self.names, kinds, strict=True)])

        def made(rows: Rows) -> list[pa.Array]:
            columns = list(zip(*rows, strict=True))
            kept = [columns[0], *columns[1 if shape is not None else 2 :]]
            return [
                pa.array(map(plain, values), column.type) for values, column in zip(kept, schema, strict=True)
            ]

        return schema, made


def plain(value: Any) -> Any:
    """A value without the driver's own wrapping."""
    return bytes(value) if isinstance(value, memoryview) else value


def free_name(wanted: str, taken: Collection[str]) -> str:
    """The first of NAME, NAME_1, NAME_2 … that is not taken."""
    candidates = itertools.chain([wanted], (f"{wanted}_{number}" for number in itertools.count(1)))
    return next(name for name in candidates if name.lower() not in taken)


class Stream:
    """A selection on its way to a writer that asks for record batches.

    What goes wrong while batches are made is kept: writers below report it as a failure of their own.
    """

    def __init__(
        self, selection: Selection, schema: pa.Schema, made: Callable[[Rows], list[pa.Array]]
    ) -> None:
        self.count = 0
        self._fault: BaseException | None = None
        self._selection, self._schema, self._made = selection, schema, made

    def write(self, path: Path, driver: str, **options: Any) -> int:
        """Write all rows through GDAL; the number of them.

        Raises
        ------
        OnemapError
            What stopped the rows: a refusal, or the end of the job.
        """
        reader = pa.RecordBatchReader.from_batches(self._schema, self._batches())
        try:
            pyogrio.write_arrow(reader, path, driver=driver, **options)
        except Exception:
            if self._fault is not None:
                raise self._fault from None
            raise
        if self._fault is not None:
            raise self._fault
        return self.count

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            for rows in self._selection.rows():
                yield pa.RecordBatch.from_arrays(self._made(rows), schema=self._schema)
                self.count += len(rows)
        except Exception as fault:
            self._fault = fault
            raise
