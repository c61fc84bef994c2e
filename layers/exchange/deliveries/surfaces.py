"""Surfaces of a part's polygons: how large they are on the ellipsoid, and how they divide the ground."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from django.conf import settings
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from layers.exchange.deliveries.places import LON_LAT
from layers.rules.checks import BLOCK, WARN, Finding
from spatial.crs import transformation
from spatial.measure import geodesic_area
from spatial.topology import Fault, partition_faults

AT_ONCE = 10_000
_WORDS = {
    "overlap": ("overlap", "重叠"),
    "gap": ("a gap", "缝隙（漏缺）"),
    "outside": ("outside the boundary", "超出范围"),
    "polygon": ("a sliver", "碎面"),
}


def ellipsoidal_areas(shapes: NDArray[np.object_]) -> NDArray[np.float64]:
    """Areas on the CGCS2000 ellipsoid, square metres, of polygons in the storage CRS; NaN where there is none."""
    move = transformation(settings.ONEMAP_SRID, LON_LAT, settings.ONEMAP_CRS_PARAMETERS).apply
    areas = np.full(len(shapes), np.nan)
    for start in range(0, len(shapes), AT_ONCE):
        moved = shapely.transform(shapes[start : start + AT_ONCE], move)
        areas[start : start + AT_ONCE] = [np.nan if one is None else geodesic_area(one) for one in moved]
    return areas


def partition_findings(
    shapes: NDArray[np.object_],
    boundary: BaseGeometry | None,
    check: Mapping[str, Any],
    labels: Sequence[Any],
    tick: Callable[[float], None],
) -> Iterator[tuple[Finding, BaseGeometry]]:
    """The faults of a partition with the ground they lie on (storage CRS).

    Parameters
    ----------
    check
        tolerance_m, sliver_m2, thinness: see `spatial.topology`.
    labels
        What a polygon is called in the messages.
    """
    limits = {name: check[name] for name in ("tolerance_m", "sliver_m2", "thinness") if name in check}
    for fault in partition_faults(shapes, boundary, tick=tick, **limits):
        yield _finding(fault, labels), fault.geometry


def _finding(fault: Fault, labels: Sequence[Any]) -> Finding:
    """A piece that is wider than the tolerance blocks, sliver or not; a polygon that is a sliver is a warning."""
    names = [str(labels[member]) for member in fault.members]
    area = round(fault.area_m2, 4 if fault.area_m2 < 1 else 2)
    words, words_zh = _WORDS[fault.of]
    if fault.kind == "sliver" and fault.of != "polygon":
        words, words_zh = f"{words} (a sliver)", f"{words_zh}（碎面）"
    shown = ", ".join(names[:3])
    return Finding(
        fault.kind,
        f"{words}: {area} m², {shown}",
        f"{words_zh}：{area} 平方米，{'、'.join(names[:3]) or '无相邻图斑'}",
        fault.members,
        {"area_m2": area, "of": fault.of, "members": names},
        WARN if fault.of == "polygon" else BLOCK,
    )
