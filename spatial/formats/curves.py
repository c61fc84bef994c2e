"""Curves of a well-known binary geometry as straight chords.

ISO/IEC 13249-3 arcs (three points each) become chords that leave the arc by at most the tolerance. Only what
shapely cannot read comes here; heights and measures are left out.
"""

import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

Points = NDArray[np.float64]

_MOST_CHORDS = 10_000
_DEEPEST = 16
_POINT, _LINE, _POLYGON, _CIRCULAR, _COMPOUND, _CURVE_POLYGON = 1, 2, 3, 8, 9, 10
_COLLECTIONS = {4: "point", 5: "line", 6: "polygon", 7: "any", 11: "line", 12: "polygon"}


class UnknownShape(ValueError):
    """The bytes hold a type that is neither simple nor a curve."""


@dataclass(slots=True)
class _Reader:
    data: bytes
    tolerance: float
    at: int = 0

    def head(self) -> tuple[str, int, int]:
        """Byte order mark for struct, type code without dimensions, and how many numbers a point has."""
        order = "<" if self.data[self.at] == 1 else ">"
        (code,) = struct.unpack_from(order + "I", self.data, self.at + 1)
        self.at += 5
        if code & 0x20000000:  # the SRID of extended WKB
            self.at += 4
        size = 2 + bool(code & 0x80000000) + bool(code & 0x40000000)
        plain = code & 0x0FFFFFFF
        size += {0: 0, 1: 1, 2: 1, 3: 2}.get(plain // 1000, 0)
        return order, plain % 1000, size

    def count(self, order: str) -> int:
        (number,) = struct.unpack_from(order + "I", self.data, self.at)
        self.at += 4
        if number > len(self.data):
            raise UnknownShape
        return int(number)

    def points(self, order: str, size: int, number: int) -> Points:
        flat = np.frombuffer(self.data, dtype=order + "f8", count=number * size, offset=self.at)
        self.at += flat.nbytes
        return flat.reshape(number, size)[:, :2].astype(np.float64)


def linearise(wkb: bytes, tolerance: float) -> BaseGeometry:
    """The geometry with chords for arcs.

    Parameters
    ----------
    wkb : bytes
        ISO or extended WKB.
    tolerance : float
        Greatest distance between arc and chord, units of the coordinates.

    Raises
    ------
    UnknownShape
        A triangulated surface, a solid, or broken bytes.
    """
    try:
        return _shape(_Reader(wkb, tolerance), 0)
    except (struct.error, IndexError, ValueError, shapely.errors.GEOSException):
        raise UnknownShape from None


def _shape(reader: _Reader, depth: int) -> BaseGeometry:
    if depth > _DEEPEST:
        raise UnknownShape
    order, kind, size = reader.head()
    if kind == _POINT:
        return shapely.Point(reader.points(order, size, 1)[0])
    if kind in {_LINE, _CIRCULAR, _COMPOUND}:
        return shapely.LineString(_path(reader, order, kind, size))
    if kind == _POLYGON:
        return _polygon([reader.points(order, size, reader.count(order)) for _ in range(reader.count(order))])
    if kind == _CURVE_POLYGON:
        return _polygon([_path(reader, *reader.head()) for _ in range(reader.count(order))])
    if kind not in _COLLECTIONS:
        raise UnknownShape
    return _gathered(_COLLECTIONS[kind], [_shape(reader, depth + 1) for _ in range(reader.count(order))])


def _path(reader: _Reader, order: str, kind: int, size: int) -> Points:
    if kind == _COMPOUND:
        pieces = [_path(reader, *reader.head()) for _ in range(reader.count(order))]
        joined = [piece if place == 0 else piece[1:] for place, piece in enumerate(pieces)]
        return np.concatenate(joined) if joined else np.empty((0, 2))
    points = reader.points(order, size, reader.count(order))
    if kind == _LINE:
        return points
    if kind != _CIRCULAR:
        raise UnknownShape
    arcs = [_arc(points[place : place + 3], reader.tolerance) for place in range(0, len(points) - 2, 2)]
    return np.concatenate([*arcs, points[-1:]]) if arcs else points


def _arc(three: Points, tolerance: float) -> Points:
    """Chords of the arc through three points, without its last point; a full circle if the ends are one."""
    (ax, ay), (bx, by), (cx, cy) = three
    if ax == cx and ay == cy:
        centre_x, centre_y, sweep = (ax + bx) / 2, (ay + by) / 2, 2 * math.pi
    else:
        twice = 2 * (ax * (by - cy) + bx * (cy - ay) + cx * (ay - by))
        if twice == 0.0 or not math.isfinite(twice):
            return three[:2]
        a2, b2, c2 = ax * ax + ay * ay, bx * bx + by * by, cx * cx + cy * cy
        centre_x = (a2 * (by - cy) + b2 * (cy - ay) + c2 * (ay - by)) / twice
        centre_y = (a2 * (cx - bx) + b2 * (ax - cx) + c2 * (bx - ax)) / twice
        sweep = _sweep(three, centre_x, centre_y)
    radius = math.hypot(ax - centre_x, ay - centre_y)
    start = math.atan2(ay - centre_y, ax - centre_x)
    angles = start + np.linspace(0.0, sweep, _chords(radius, sweep, tolerance) + 1)[:-1]
    found = np.column_stack([centre_x + radius * np.cos(angles), centre_y + radius * np.sin(angles)])
    found[0] = three[0]
    return found


def _sweep(three: Points, centre_x: float, centre_y: float) -> float:
    """Signed angle from the first to the last point by way of the middle one, radians."""
    angles = np.arctan2(three[:, 1] - centre_y, three[:, 0] - centre_x)
    full = 2 * math.pi
    to_middle, to_end = float((angles[1] - angles[0]) % full), float((angles[2] - angles[0]) % full)
    return to_end if to_middle <= to_end else to_end - full


def _chords(radius: float, sweep: float, tolerance: float) -> int:
    """How many chords keep the height of each segment, r (1 - cos(step / 2)), within the tolerance."""
    if not math.isfinite(radius) or radius <= tolerance:
        return 4
    step = 2 * math.acos(1 - tolerance / radius)
    return min(max(math.ceil(abs(sweep) / step), 2), _MOST_CHORDS) if step > 0 else _MOST_CHORDS


def _polygon(rings: list[Points]) -> BaseGeometry:
    return shapely.Polygon(rings[0], rings[1:]) if rings else shapely.Polygon()


def _gathered(kind: str, parts: list[Any]) -> BaseGeometry:
    if kind == "point":
        return shapely.MultiPoint(parts)
    if kind == "line":
        return shapely.MultiLineString(parts)
    return shapely.MultiPolygon(parts) if kind == "polygon" else shapely.GeometryCollection(parts)
