"""Read, check, move and copy a source into its staging table: one pass, flat in memory.

One thread reads and judges batches, the other feeds them to COPY, so that both cores work.
"""

import io
import queue
import threading
from binascii import hexlify
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import shapely
from django.conf import settings
from numpy.typing import NDArray

from layers.catalogue import FieldInfo
from layers.exchange.constraints import column_faults
from layers.exchange.inspecting import city_outline
from layers.rules.values import FAULT_ZH, constrained
from spatial.crs import Transformation, numeric_bounds, transformation
from spatial.formats import Batch, Source
from spatial.validity import Family, examine, explain, repair

MOST_FINDINGS = 1_000
BATCH = 20_000
SAMPLE = 200  # centroids kept of a batch
ARROW = {
    "text": pa.string(),
    "integer": pa.int64(),
    "real": pa.float64(),
    "date": pa.date32(),
    "datetime": pa.timestamp("us", tz="UTC"),
    "boolean": pa.bool_(),
}
BOUNDS = numeric_bounds(settings.ONEMAP_SRID)


@dataclass
class Tally:
    """What one pass over a source found. Areas are square metres on the plane of the storage CRS."""

    read: int = 0
    staged: int = 0
    rejected: int = 0
    repaired: int = 0
    outside: int = 0
    far: int = 0  # rejected: beyond the numbers that the storage CRS can hold
    findings: list[dict[str, Any]] = field(default_factory=list)
    finding_count: int = 0
    extent: list[float] | None = None
    sample: list[tuple[float, float]] = field(default_factory=list)  # centroids, storage CRS

    def find(self, **finding: Any) -> None:
        """Note a finding; the first thousand are kept, all are counted."""
        self.finding_count += 1
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(finding)

    def widen(self, bounds: NDArray[np.float64]) -> None:
        """Grow the extent by (n, 4) boxes."""
        if not len(bounds):
            return
        low, high = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
        known = self.extent or [*low, *high]
        self.extent = [float(value) for value in (*np.minimum(known[:2], low), *np.maximum(known[2:], high))]


@dataclass(frozen=True)
class Target:
    """How rows go into the staging table."""

    family: Family
    fields: Sequence[tuple[str, str, str]]  # source name, column, type
    rules: Sequence[FieldInfo]  # what the layer, or the sender of a new one, declares of the fields
    move: Transformation
    repair: bool
    numbered: bool  # the row number goes to `fid`, which a new layer keeps (mode create), else to `row`
    valid_from: str | None

    @property
    def columns(self) -> list[str]:
        """The columns of the COPY, in order."""
        fixed = ["fid" if self.numbered else "row", "geom", *(["valid_from"] if self.valid_from else [])]
        return [*fixed, *(column for _, column, _ in self.fields)]


class Pipe(io.RawIOBase):
    """A file that COPY reads from while another thread fills it."""

    def __init__(self, tick: Callable[[], None]) -> None:
        self.chunks: queue.Queue[bytes | None | BaseException] = queue.Queue(maxsize=3)
        self.rest = b""
        self.tick = tick
        self.error: BaseException | None = None  # the driver hides what read() raises; it is kept here

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes; raises what the other thread raised."""
        try:
            return self._read(size)
        except BaseException as error:
            self.error = error
            raise

    def _read(self, size: int) -> bytes:
        while not self.rest:
            self.tick()
            chunk = self.chunks.get()
            if isinstance(chunk, BaseException):
                raise chunk
            if chunk is None:
                self.chunks.put(None)
                return b""
            self.rest = chunk
        taken, self.rest = (self.rest, b"") if size < 0 else (self.rest[:size], self.rest[size:])
        return taken


def stage(
    source: Source, target: Target, copy: Callable[[Pipe], None], progress: Callable[[int], None]
) -> Tally:
    """Run a source through the checks into COPY.

    Parameters
    ----------
    copy
        Called once, with the file that COPY reads.
    progress
        Called with the number of features read so far, in the thread of COPY; may raise to stop.
    """
    tally, stop = Tally(), threading.Event()
    pipe = Pipe(lambda: progress(tally.read))

    def fill() -> None:
        try:
            for chunk in _chunks(source, target, tally):
                if not _offer(pipe, chunk, stop):
                    return
            _offer(pipe, None, stop)
        except BaseException as error:  # noqa: BLE001 - handed over and raised in the other thread
            _offer(pipe, error, stop)

    filler = threading.Thread(target=fill, name="import-reader", daemon=True)
    filler.start()
    try:
        copy(pipe)
    except Exception:
        if pipe.error is not None:
            raise pipe.error from None
        raise
    finally:
        stop.set()
        filler.join(timeout=60)
    return tally


def _offer(pipe: Pipe, chunk: bytes | None | BaseException, stop: threading.Event) -> bool:
    while not stop.is_set():
        try:
            pipe.chunks.put(chunk, timeout=0.5)
        except queue.Full:
            continue
        return True
    return False


def _chunks(source: Source, target: Target, tally: Tally) -> Iterator[bytes]:
    outline = city_outline()
    shapely.prepare(outline)
    for batch in source.batches(BATCH):
        yield _one(batch, target, tally, outline)
    tally.findings = [
        *(
            {
                "code": one["code"],
                "level": "note",
                "message": one["en"],
                "message_zh": one["zh"],
                "count": one["count"],
            }
            for one in source.notes
        ),
        *tally.findings,
    ]


def _one(batch: Batch, target: Target, tally: Tally, outline: Any) -> bytes:
    """Judge one batch; return it as CSV for COPY."""
    count = len(batch.geometries)
    rows = np.arange(batch.start + 1, batch.start + count + 1)
    tally.read += count
    moved, good = _shapes(batch, rows, target, tally)
    good &= _values_allowed(batch.table, rows, moved, target, tally)
    moved, rows = moved[good], rows[good]
    tally.rejected += count - len(rows)
    if target.family is not Family.TABLE:
        _note_places(moved, tally, outline)
    # A table without columns has no rows to filter.
    kept = batch.table.filter(pa.array(good)) if target.fields else batch.table
    table = _csv_table(kept, moved, rows, target, tally)
    tally.staged += len(rows)
    written = io.BytesIO()
    pyarrow.csv.write_csv(table, written, pyarrow.csv.WriteOptions(include_header=False))
    return written.getvalue()


def _shapes(batch: Batch, rows: Any, target: Target, tally: Tally) -> tuple[Any, NDArray[np.bool_]]:
    """The geometries of a batch in the storage CRS, and which rows may be stored; a table has none."""
    if target.family is Family.TABLE:
        return np.full(len(rows), None, dtype=object), np.ones(len(rows), dtype=bool)
    original = _flat(batch.geometries)
    same = target.move.source == target.move.target
    moved = original if same else shapely.transform(original, target.move.apply)
    return _judge(moved, rows, target, tally)


def _flat(shapes: Any) -> Any:
    """The same geometries without height and measure; the array is a new one."""
    deep = shapely.has_z(shapes) | shapely.has_m(shapes)
    return shapely.force_2d(shapes) if deep.any() else np.array(shapes, dtype=object)


def _note_places(shapes: Any, tally: Tally, outline: Any) -> None:
    """Note where the features of a batch lie: extent, centroids of some, how many lie outside the city."""
    if not len(shapes):
        return
    boxes = shapely.bounds(shapes)
    tally.widen(boxes)
    # A batch that lies inside as a whole is the usual case, and needs no centroid of each feature.
    inside = shapely.contains(outline, shapely.box(*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)))
    centres = shapely.get_coordinates(shapely.centroid(shapes[:SAMPLE] if inside else shapes))
    if not inside:
        tally.outside += int((~shapely.contains_xy(outline, centres[:, 0], centres[:, 1])).sum())
    if len(tally.sample) < 10 * SAMPLE:
        tally.sample += [(float(x), float(y)) for x, y in centres[:SAMPLE]]


def _judge(moved: Any, rows: Any, target: Target, tally: Tally) -> tuple[Any, NDArray[np.bool_]]:
    """Geometries with repairs made, and which of them may be stored."""
    reasons = examine(moved, target.family, BOUNDS)
    bad = [index for index, reason in enumerate(reasons) if reason is not None]
    good = np.ones(len(moved), dtype=bool)
    for index in bad:
        reason, shape = reasons[index], moved[index]
        if target.repair and reason == "invalid":
            mended = repair(moved[index : index + 1], target.family)
            if mended.fixed[0] and examine(mended.geoms, target.family, BOUNDS)[0] is None:
                moved[index] = mended.geoms[0]
                tally.repaired += 1
                area = {
                    "area_before_m2": round(float(mended.area_before[0]), 3),
                    "area_after_m2": round(float(mended.area_after[0]), 3),
                }
                tally.find(code="repaired", level="repaired", row=int(rows[index]), **_place(shape), **area)
                continue
        good[index] = False
        tally.far += reason == "out-of-range"
        tally.find(
            code=_CODES.get(reason, reason), level="rejected", row=int(rows[index]), **_place(shape, reason)
        )
    return moved, good


_CODES = {
    "invalid": "invalid-geometry",
    "null": "no-geometry",
    "empty": "empty-geometry",
    "wrong-type": "wrong-geometry-type",
}
_REASONS = {
    "null": ("has no geometry", "没有几何"),
    "empty": ("its geometry is empty", "几何为空"),
    "non-finite": ("a coordinate is not a number", "坐标不是有限数"),
    "out-of-range": ("lies outside what the coordinate system can hold", "超出坐标系可表示的范围"),
    "wrong-type": ("is of another geometry type than the layer", "几何类型与图层不符"),
}


def _place(shape: Any, reason: str = "invalid") -> dict[str, Any]:
    """Why and where, in words and as longitude, latitude (degrees)."""
    if reason != "invalid":
        en, zh = _REASONS.get(reason, (reason, reason))
        return {"message": en, "message_zh": zh}
    en, zh, x, y = explain(shape)
    found: dict[str, Any] = {"message": en, "message_zh": zh}
    if x is not None and y is not None:
        degrees = transformation(settings.ONEMAP_SRID, 4490, settings.ONEMAP_CRS_PARAMETERS).apply(
            np.array([[x, y]])
        )
        found["at"] = [round(float(value), 8) for value in degrees[0]]
    return found


def _values_allowed(
    table: pa.Table, rows: Any, shapes: Any, target: Target, tally: Tally
) -> NDArray[np.bool_]:
    """Which rows meet the constraints that the layer's fields declare."""
    good = np.ones(len(rows), dtype=bool)
    names = set(table.column_names)
    for rule in (one for one in target.rules if one.name in names and constrained(one)):
        column = table.column(rule.name)
        words = column_faults(rule, column)
        broken = np.flatnonzero(words != None)  # noqa: E711 - an array is compared, element by element
        good[broken] = False
        for index in broken:
            place = spot(shapes[index]) if tally.finding_count < MOST_FINDINGS else {}
            told = (str(words[index]), int(rows[index]), column[int(index)].as_py())
            _say_broken(tally, rule, *told, place)
    return good


def spot(shape: Any) -> dict[str, Any]:
    """Where a feature is, as the `at` of a finding: longitude, latitude (degrees); nothing if that cannot be said."""
    if shape is None or shape.is_empty or not np.isfinite(shapely.bounds(shape)).all():
        return {}
    try:
        point = shapely.get_coordinates(shapely.point_on_surface(shape))
    except shapely.GEOSException:
        return {}
    degrees = transformation(settings.ONEMAP_SRID, 4490, settings.ONEMAP_CRS_PARAMETERS).apply(point)
    return {"at": [round(float(value), 8) for value in degrees[0]]}


def _say_broken(
    tally: Tally, rule: FieldInfo, word: str, row: int, value: Any, place: dict[str, Any]
) -> None:
    shown = "" if value is None else str(value)[:60]
    tally.find(
        **place,
        code=word,
        level="rejected",
        row=row,
        field=rule.name,
        value=shown,
        message=f"{rule.name} breaks its constraint: {word} ({shown})",
        message_zh=f"字段 {rule.name} {FAULT_ZH[word]}（{shown}）",
    )


def _csv_table(table: pa.Table, shapes: Any, rows: Any, target: Target, tally: Tally) -> pa.Table:
    table_only = target.family is Family.TABLE
    columns: list[Any] = [
        pa.array(rows),
        pa.nulls(len(rows), pa.large_string()) if table_only else _hexadecimal(shapes),
    ]
    if target.valid_from:
        columns.append(pa.array([target.valid_from] * len(rows)))
    columns += [_clean(table.column(name), kind, name, tally) for name, _, kind in target.fields]
    return pa.table(dict(zip(target.columns, columns, strict=True)))


def _hexadecimal(shapes: Any) -> pa.Array:
    """Geometries as PostGIS reads them in a COPY; the column's type adds the SRID.

    All bytes are turned at once: GEOS's own hexadecimal writer takes ten times as long.
    """
    binary = shapely.to_wkb(shapes)
    ends = 2 * np.cumsum([0, *map(len, binary)], dtype=np.int64)
    text = hexlify(b"".join(binary))
    return pa.LargeStringArray.from_buffers(len(binary), pa.py_buffer(ends), pa.py_buffer(text))


def _clean(column: pa.ChunkedArray, kind: str, name: str, tally: Tally) -> pa.ChunkedArray:
    """A column as its field's type; what no field can hold becomes null and a finding."""
    if kind == "real" and pa.types.is_floating(column.type):
        finite = pc.is_finite(column)
        lost = len(column) - (pc.sum(pc.fill_null(finite, True)).as_py() or 0)
        if lost:
            column = pc.if_else(finite, column, pa.scalar(None, column.type))
            _say_lost(tally, name, lost, "numbers that are not finite", "非有限数值")
    if kind == "text":
        column = column.cast(pa.string())
        damaged = pc.fill_null(pc.match_substring(column, "\x00"), False)
        if pc.any(damaged).as_py():
            column = pc.replace_substring(column, "\x00", "")
            _say_lost(tally, name, pc.sum(damaged).as_py(), "NUL characters, taken out", "NUL 字符，已去除")
        return column
    return column.cast(ARROW[kind])


def _say_lost(tally: Tally, name: str, count: int, what: str, what_zh: str) -> None:
    tally.find(
        code="value-lost",
        level="warning",
        field=name,
        count=count,
        message=f"{name}: {count} {what}",
        message_zh=f"{name}：{count} 个{what_zh}",
    )
