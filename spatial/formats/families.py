"""One layer per family of geometries, for formats that mix points, lines and areas in one drawing."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from spatial.formats.columns import ARROW_TYPES
from spatial.formats.placing import type_name, typed
from spatial.formats.refusals import SourceLayerMissing
from spatial.formats.source import Batch, Geometries, SourceField
from spatial.validity import GEOMETRIC, Family, of_family

LAYER_NAMES = {Family.POLYGON: "polygons", Family.LINE: "lines", Family.POINT: "points"}


def split(geometries: Geometries) -> dict[str, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Which features each layer holds; every feature is in exactly one.

    Features without a geometry, and those whose geometry is of no family, go with the largest layer, where
    the checks of an import name them. Without any geometry at all there is one layer, 'rows'.
    """
    masks = {LAYER_NAMES[family]: of_family(geometries, family) for family in GEOMETRIC}
    layers = {name: mask for name, mask in masks.items() if mask.any()}
    if not layers:
        return {"rows": np.ones(len(geometries), dtype=bool)}
    largest = max(layers, key=lambda name: int(layers[name].sum()))
    layers[largest] = layers[largest] | ~np.logical_or.reduce(list(layers.values()))
    return layers


def choose(names: Sequence[str], wanted: str | None) -> str:
    """The layer asked for, or the only one there is.

    Raises
    ------
    SourceLayerMissing
        Several, and none or an unknown one was asked for.
    """
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted is None or wanted not in names:
        raise SourceLayerMissing(layers=list(names))
    return wanted


def text_table(columns: dict[str, list[str | None]]) -> tuple[tuple[SourceField, ...], pa.Table]:
    """Columns of text as fields and table; numbers where every value is one in its usual form."""
    arrays = {
        name: typed(pa.chunked_array([pa.array(values, pa.string())])) for name, values in columns.items()
    }
    fields = tuple(SourceField(name, type_name(array.type)) for name, array in arrays.items())
    return fields, pa.table(list(arrays.values()), names=list(arrays))


def empty_table(fields: Sequence[SourceField]) -> pa.Table:
    """A table of these fields without rows."""
    return pa.table(
        [pa.array([], ARROW_TYPES[one.type]) for one in fields], names=[one.name for one in fields]
    )


def batches(geometries: Geometries, table: pa.Table, size: int) -> Iterator[Batch]:
    """Features held in memory, `size` at a time."""
    for start in range(0, len(geometries), size):
        yield Batch(start, geometries[start : start + size], table.slice(start, size))


def as_array(shapes: Sequence[Any]) -> Geometries:
    """Shapes as an array of objects, whatever their number."""
    found: Geometries = np.full(len(shapes), None, dtype=object)
    found[:] = shapes
    return found


def ring_closed(points: "np.ndarray[Any, np.dtype[np.float64]]") -> bool:
    """Whether a ring ends where it began."""
    return len(points) > 0 and bool(np.array_equal(points[0], points[-1]))


def polygon(rings: Sequence["np.ndarray[Any, np.dtype[np.float64]]"]) -> Any:
    """A polygon of an outer ring and its holes; None where the outer ring has fewer than three corners."""
    closed = [ring if ring_closed(ring) else np.vstack([ring, ring[:1]]) for ring in rings if len(ring) >= 3]
    if not closed or len(rings[0]) < 3 or any(len(ring) < 4 for ring in closed):
        return None
    return shapely.Polygon(closed[0], closed[1:])
