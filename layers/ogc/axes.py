"""The one place where x and y are swapped.

Inside the platform coordinates are x (east, longitude) before y. At the edge each coordinate system speaks in its
own order: EPSG:4326, 4490 and the Gauss-Krüger systems name north or latitude first, CRS84 and EPSG:3857 do not.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import shapely
from django.conf import settings
from numpy.typing import NDArray
from psycopg2 import sql
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from spatial.crs import CRS84, OUTPUT_SRIDS, Crs, crs_of, numeric_bounds, parse_crs, transformation
from spatial.numbers import BadBBox, BBox, parse_bbox

STORAGE = settings.ONEMAP_SRID
OUTPUT = tuple(dict.fromkeys((*OUTPUT_SRIDS, STORAGE, *settings.ONEMAP_OUTPUT_CRS)))
EDGE_STEPS = 32  # points per side of a box before it is bent into another CRS
# Sides of a filter's geometry are bent in such steps: a chord is then within a centimetre of its curve.
LITERAL_STEP_DEGREES = 0.01
LITERAL_STEP_METRES = 1_000.0
MOST_STEPS = 10_000
# Decimals written: about a millimetre in degrees, a tenth of one in metres.
DEGREE_DIGITS = 8
METRE_DIGITS = 4


def output_crs(text: str | None) -> Crs:
    """The coordinate system an answer is asked in; CRS84 if none is named.

    Raises
    ------
    spatial.crs.UnknownCrs
        Not one of those offered.
    """
    return CRS84 if text is None else parse_crs(text, OUTPUT)


def offered() -> list[Crs]:
    """The coordinate systems answers are given in, CRS84 first."""
    return [CRS84, *(crs_of(srid) for srid in OUTPUT)]


def box_from_text(text: str, crs: Crs) -> BBox:
    """A box as the sender wrote it, in x, y order (longitude may wrap: xmin greater than xmax)."""
    if not crs.north_first:
        return parse_bbox(text, wrap=crs.geographic)
    swapped = parse_bbox(_swap_text(text), wrap=crs.geographic)
    return swapped


def _swap_text(text: str) -> str:
    parts = text.split(",")
    if len(parts) == 4:
        return ",".join((parts[1], parts[0], parts[3], parts[2]))
    if len(parts) == 6:
        return ",".join((parts[1], parts[0], parts[2], parts[4], parts[3], parts[5]))
    return text


def box_to_storage(box: BBox, crs: Crs) -> bytes | None:
    """The box as WKB in the storage CRS; None when it lies wholly outside what can be stored.

    Its sides are bent with the projection, not just its corners moved.
    """
    parts = [box]
    if box.xmin > box.xmax:  # over the antimeridian
        parts = [BBox(box.xmin, box.ymin, 180.0, box.ymax), BBox(-180.0, box.ymin, box.xmax, box.ymax)]
    moved = [shape for part in parts if (shape := _move_box(part, crs)) is not None]
    return shapely.to_wkb(shapely.union_all(moved)) if moved else None


def _move_box(box: BBox, crs: Crs) -> BaseGeometry | None:
    if crs.srid == STORAGE:
        return shapely.make_valid(shapely.box(*box))  # of a box without area: its point, or its line
    limit = storable(crs)
    xmin, ymin = max(box.xmin, limit.xmin), max(box.ymin, limit.ymin)
    xmax, ymax = min(box.xmax, limit.xmax), min(box.ymax, limit.ymax)
    if xmin > xmax or ymin > ymax:
        return None
    moved = transformation(crs.srid, STORAGE, settings.ONEMAP_CRS_PARAMETERS).apply(
        _ring(BBox(xmin, ymin, xmax, ymax))
    )
    return shapely.make_valid(shapely.polygons(moved))


def _ring(box: BBox) -> NDArray[np.float64]:
    """Points along the sides of a box, counter-clockwise from its lower left corner; shape (4 * EDGE_STEPS, 2)."""
    x = np.linspace(box.xmin, box.xmax, EDGE_STEPS)
    y = np.linspace(box.ymin, box.ymax, EDGE_STEPS)
    return np.concatenate(
        [
            np.column_stack((x, np.full(EDGE_STEPS, box.ymin))),
            np.column_stack((np.full(EDGE_STEPS, box.xmax), y)),
            np.column_stack((x[::-1], np.full(EDGE_STEPS, box.ymax))),
            np.column_stack((np.full(EDGE_STEPS, box.xmin), y[::-1])),
        ]
    )


def storable(crs: Crs) -> BBox:
    """The part of a CRS that the storage CRS can hold, in the CRS's own units, x before y."""
    if crs.srid == STORAGE:
        return numeric_bounds(STORAGE)
    # Well inside ±10° of the meridian and away from the poles, where the projection stays one to one.
    meridian = 114.0 if STORAGE == 4547 else (crs_of(STORAGE).area.xmin + crs_of(STORAGE).area.xmax) / 2
    degrees = BBox(meridian - 10, -85.0, meridian + 10, 85.0)
    if crs.geographic:
        return degrees
    corners = np.array(
        [[degrees.xmin, 0.0], [degrees.xmax, 0.0], [meridian, degrees.ymin], [meridian, degrees.ymax]]
    )
    moved = transformation(4490, crs.srid, settings.ONEMAP_CRS_PARAMETERS).apply(corners)
    return BBox(
        float(moved[:, 0].min()), float(moved[:, 1].min()), float(moved[:, 0].max()), float(moved[:, 1].max())
    )


def geometry_out(crs: Crs, column: sql.Composable) -> sql.Composable:
    """SQL that turns a stored geometry into GeoJSON text in `crs`, in its axis order."""
    shape = column
    if crs.srid != STORAGE:
        shape = sql.SQL("ST_Transform({}, {})").format(shape, sql.Literal(crs.srid))
    if crs.north_first:
        shape = sql.SQL("ST_FlipCoordinates({})").format(shape)
    digits = DEGREE_DIGITS if crs.geographic else METRE_DIGITS
    return sql.SQL("ST_AsGeoJSON({}, {}, 0)").format(shape, sql.Literal(digits))


def geometry_in(shape: BaseGeometry, crs: Crs) -> BaseGeometry:
    """A geometry sent in `crs` and its axis order, in the storage CRS with x before y."""
    steps = shapely.transform(shape, lambda xy: xy[:, ::-1]) if crs.north_first else shape
    if crs.srid == STORAGE:
        return steps
    return shapely.transform(steps, transformation(crs.srid, STORAGE, settings.ONEMAP_CRS_PARAMETERS).apply)


def literal_to_storage(value: BaseGeometry | BBox, crs: Crs) -> bytes:
    """A geometry or box of a filter, in `crs` and its axis order, as WKB in the storage CRS.

    What lies beyond the reach of the storage CRS is cut off: nothing stored can touch it. Long sides are bent with
    the projection.
    """
    if isinstance(value, BBox):
        box = BBox(value.ymin, value.xmin, value.ymax, value.xmax) if crs.north_first else value
        if box.xmin > box.xmax and not crs.geographic or box.ymin > box.ymax:
            raise BadBBox(value=",".join(map(str, value)), reason="min > max")
        return box_to_storage(box, crs) or Polygon().wkb
    limit = shapely.box(*storable(crs))
    shape = shapely.transform(value, lambda xy: xy[:, ::-1]) if crs.north_first else value
    if not shapely.covers(limit, shapely.box(*shape.bounds)):
        shape = _plain(shape, lambda part: shapely.intersection(part, limit))
    if crs.srid == STORAGE or shape.is_empty:
        return bytes(shapely.to_wkb(shape))
    step = max(LITERAL_STEP_DEGREES if crs.geographic else LITERAL_STEP_METRES, shape.length / MOST_STEPS)
    bent = geometry_in(shapely.segmentize(shape, step), replace(crs, north_first=False))
    return bytes(shapely.to_wkb(bent if shapely.is_valid(bent) else _plain(bent, shapely.make_valid)))


def _plain(shape: BaseGeometry, change: Callable[[BaseGeometry], BaseGeometry]) -> BaseGeometry:
    """What `change` makes of a geometry, without pieces of lower dimension; a collection part by part.

    PostGIS relates no collections, so none may come out where none went in.
    """
    if shape.geom_type == "GeometryCollection":
        parts = [_plain(part, change) for part in shapely.get_parts(shape)]
        # GEOS 3.14 ends the process when it segmentizes a collection with an empty part.
        return shapely.GeometryCollection([part for part in parts if not part.is_empty])
    dimension = shapely.get_dimensions(shape)
    pieces = shapely.get_parts(shapely.get_parts(change(shape)))
    return shapely.union_all([one for one in pieces if shapely.get_dimensions(one) == dimension])


def extent_out(extent: Sequence[float], crs: Crs) -> list[float]:
    """A stored box (storage CRS, x before y) in `crs`, still x before y: for metadata that says so."""
    if crs.srid == STORAGE:
        return [float(value) for value in extent]
    # As numbers, not as a polygon: the extent of one point, or of points in a row, has no area.
    edge = _ring(BBox(*(float(value) for value in extent)))
    moved = transformation(STORAGE, crs.srid, settings.ONEMAP_CRS_PARAMETERS).apply(edge)
    return [float(value) for value in (*moved.min(axis=0), *moved.max(axis=0))]


def file_crs(crs: Crs, path: Path) -> Crs:
    """The coordinate system as files of that suffix write it: GeoJSON and the rest always x before y."""
    return replace(crs, north_first=False) if path.suffix else crs
