"""Whether geometries may be stored, why not, and how they can be repaired.

Everything works on whole arrays of shapely geometries. Coordinates are x before y in the units of one
coordinate system, whose numerical bounds the caller gives (`spatial.crs.numeric_bounds`).
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import GeometryType
from shapely.geometry.base import BaseGeometry

from spatial.numbers import BBox

# Curves of a source become chords that leave the arc by no more than this (see spatial.formats.curves).
LINEARISE_TOLERANCE_M = 0.01

Geometries = NDArray[np.object_]


class Family(Enum):
    """What a layer holds; each family of geometries covers the single and the multiple form."""

    POINT = "point"
    LINE = "line"
    POLYGON = "polygon"
    TABLE = "table"  # rows without a geometry
    RASTER = "raster"  # cells, no features


GEOMETRIC = (Family.POINT, Family.LINE, Family.POLYGON)
_TYPES = {
    Family.POINT: (GeometryType.POINT, GeometryType.MULTIPOINT),
    Family.LINE: (GeometryType.LINESTRING, GeometryType.LINEARRING, GeometryType.MULTILINESTRING),
    Family.POLYGON: (GeometryType.POLYGON, GeometryType.MULTIPOLYGON),
}
_SINGLE = {Family.POINT: "Point", Family.LINE: "LineString", Family.POLYGON: "Polygon"}
_GATHER = {
    Family.POINT: shapely.multipoints,
    Family.LINE: shapely.multilinestrings,
    Family.POLYGON: shapely.multipolygons,
}
_FAMILY_OF = {
    "point": Family.POINT,
    "linestring": Family.LINE,
    "linearring": Family.LINE,
    "circularstring": Family.LINE,
    "compoundcurve": Family.LINE,
    "curve": Family.LINE,
    "polygon": Family.POLYGON,
    "curvepolygon": Family.POLYGON,
    "surface": Family.POLYGON,
}
_FAULT_ZH = {
    "Self-intersection": "自相交",
    "Ring Self-intersection": "环自相交",
    "Hole lies outside shell": "洞在外环之外",
    "Nested holes": "洞嵌套",
    "Nested shells": "外环嵌套",
    "Duplicate Rings": "环重复",
    "Interior is disconnected": "内部不连通",
    "Too few points in geometry component": "点数过少",
    "Invalid Coordinate": "坐标不是有限数",
    "Ring is not closed": "环未闭合",
}
_REASON = re.compile(r"(?P<fault>[^\[]+)\[(?P<x>\S+) (?P<y>\S+?)(?: \S+)?\]")


class Fault(NamedTuple):
    """Why and where a geometry is invalid, in the coordinates of the geometry."""

    en: str
    zh: str
    x: float | None
    y: float | None


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair did, all arrays of one length.

    Attributes
    ----------
    geoms : array of geometries
        As they are now; what cannot be repaired is unchanged.
    area_before, area_after : array of float
        Plane areas in square units of the coordinate system; 0 for points and lines.
    fixed : array of bool
        Where the geometry was changed.
    reasons : array of str or None
        What was wrong where it was changed, in GEOS's words with the place.
    """

    geoms: Geometries
    area_before: NDArray[np.float64]
    area_after: NDArray[np.float64]
    fixed: NDArray[np.bool_]
    reasons: Geometries


def family_of(geometry_type_name: str) -> Family | None:
    """The family of a geometry type's name in any usual spelling.

    Examples
    --------
    >>> family_of("MultiPolygon Z")
    <Family.POLYGON: 'polygon'>
    >>> family_of("Geometry") is None
    True
    """
    name = re.sub(r"[^a-z]", "", geometry_type_name.lower().removeprefix("wkb"))
    name = re.sub(r"^(?:d|measured)?(?:multi)?(.*?)(?:zm|z|m|d)?$", r"\1", name)
    return _FAMILY_OF.get(name)


def of_family(geoms: Geometries, family: Family) -> NDArray[np.bool_]:
    """Where the geometry is of the family, single or multiple."""
    return np.isin(shapely.get_type_id(geoms), [int(kind) for kind in _TYPES[family]])


def examine(geoms: Geometries, family: Family, bounds: BBox) -> Geometries:
    """Why each geometry may not be stored.

    Parameters
    ----------
    geoms : array of geometries, shape (n,)
        None where a feature has none.
    family : Family
        What the layer holds.
    bounds : BBox
        Numbers a coordinate can have.

    Returns
    -------
    array of str or None, shape (n,)
        None where it may be stored, else the first that holds of 'null', 'wrong-type', 'empty', 'non-finite',
        'out-of-range', 'invalid'.

    Notes
    -----
    Cost: linear in the number of vertices, and the validity test of GEOS for what passed everything else.
    """
    reasons: Geometries = np.full(len(geoms), None, dtype=object)
    finite = _finite(geoms)
    checks = (
        ("null", shapely.is_missing(geoms)),
        ("wrong-type", ~of_family(geoms, family)),
        ("empty", shapely.is_empty(geoms)),
        ("non-finite", ~finite),
        ("out-of-range", ~_within(geoms, bounds)),
    )
    open_cases = np.ones(len(geoms), dtype=bool)
    for reason, found in checks:
        reasons[open_cases & found] = reason
        open_cases &= ~found
    places = np.flatnonzero(open_cases)
    reasons[places[~shapely.is_valid(geoms[places])]] = "invalid"
    return reasons


def explain(geom: BaseGeometry) -> Fault:
    """What is wrong with an invalid geometry, and where.

    Examples
    --------
    >>> explain(shapely.from_wkt("POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))"))
    Fault(en='Self-intersection', zh='自相交', x=1.0, y=1.0)
    """
    told = str(shapely.is_valid_reason(geom))
    found = _REASON.match(told)
    fault = found["fault"].strip() if found else told
    x, y = (float(found["x"]), float(found["y"])) if found else (np.nan, np.nan)
    known = bool(np.isfinite(x) and np.isfinite(y))
    told_zh = _FAULT_ZH.get(fault, f"几何无效（{fault}）")
    return Fault(fault, told_zh, x if known else None, y if known else None)


def repair(geoms: Geometries, family: Family, *, drop_z: bool = True) -> Repaired:
    """Make invalid geometries valid and keep the parts that belong to the family.

    Parameters
    ----------
    geoms : array of geometries, shape (n,)
        None, empty and non-finite ones are left as they are: nothing can be known of them.
    family : Family
        What the layer holds; parts of a collection that are of the family are kept.
    drop_z : bool
        Leave heights and measures out. A geometry that only loses its height does not count as fixed.

    Returns
    -------
    Repaired
        Examine the result again: what is still refused could not be repaired.

    Notes
    -----
    GEOS's structure method: shells are united, holes cut from them, collapsed parts dropped; where its result
    is itself invalid (rings that touch themselves along an edge), the linework method.
    """
    before = np.asarray(shapely.area(geoms), dtype=np.float64)
    result: Geometries = np.array(force_2d(geoms) if drop_z else geoms, dtype=object)
    usable = ~shapely.is_missing(result) & ~shapely.is_empty(result) & _finite(result)
    faulty = usable & (~shapely.is_valid(result) | ~of_family(result, family))
    reasons: Geometries = np.full(len(geoms), None, dtype=object)
    fixed = np.zeros(len(geoms), dtype=bool)
    for place in np.flatnonzero(faulty):
        made = _made_valid(result[place], family)
        if made is not None:
            told = str(shapely.is_valid_reason(result[place]))
            reasons[place] = told if told != "Valid Geometry" else "parts of another type"
            result[place], fixed[place] = made, True
    after = np.asarray(shapely.area(result), dtype=np.float64)
    return Repaired(result, np.nan_to_num(before), np.nan_to_num(after), fixed, reasons)


def force_2d(geoms: Geometries) -> Geometries:
    """The same geometries without height and measure."""
    flat: Geometries = shapely.force_2d(geoms)
    return flat


def count_z(geoms: Geometries) -> int:
    """How many geometries carry a height."""
    return int(np.count_nonzero(shapely.has_z(geoms)))


def _finite(geoms: Geometries) -> NDArray[np.bool_]:
    coordinates, owner = shapely.get_coordinates(geoms, return_index=True)
    broken = ~np.isfinite(coordinates).all(axis=1)
    finite = np.ones(len(geoms), dtype=bool)
    finite[owner[broken]] = False
    return finite


def _within(geoms: Geometries, bounds: BBox) -> NDArray[np.bool_]:
    boxes = shapely.bounds(geoms)
    with np.errstate(invalid="ignore"):
        low = (boxes[:, 0] >= bounds.xmin) & (boxes[:, 1] >= bounds.ymin)
        inside: NDArray[np.bool_] = low & (boxes[:, 2] <= bounds.xmax) & (boxes[:, 3] <= bounds.ymax)
    return inside


def _made_valid(geom: BaseGeometry, family: Family) -> BaseGeometry | None:
    attempts = (
        shapely.make_valid(geom, method="structure", keep_collapsed=False),
        shapely.make_valid(geom, method="linework"),
    )
    kept = (_only(attempt, family) for attempt in attempts)
    return next((found for found in kept if found is not None and shapely.is_valid(found)), None)


def _only(geom: BaseGeometry, family: Family) -> BaseGeometry | None:
    """The parts of the family, as one geometry; None if there are none."""
    parts: Any = shapely.get_parts(shapely.get_parts(geom))
    kept = parts[of_family(parts, family) & ~shapely.is_empty(parts)]
    if len(kept) == 0:
        return None
    if len(kept) == 1 and kept[0].geom_type == _SINGLE[family]:
        return kept[0]  # type: ignore[no-any-return]
    return _GATHER[family](kept)
