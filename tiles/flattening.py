"""A projection as a plane map, where a tile is small enough that nobody can see the difference.

Transforming every vertex exactly takes a quarter of a tile's time. Over a few kilometres two conformal projections
differ from a plane map (six numbers) by less than the tile's own rounding; where they do not, the exact transform
is used. Shapes that reach far beyond the tile are drawn truer this way: their edges are straight in the storage CRS.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from django.conf import settings

from layers.ogc import axes
from spatial.crs import transformation
from spatial.numbers import BBox

TOLERANCE = 0.2  # of the tile's smallest unit, which coordinates are rounded to
STEPS = 4  # points along each side of the tile on which the map is fitted


class PlaneMap(NamedTuple):
    """x' = a x + b y + c, y' = d x + e y + f: from the storage CRS (metres) to the grid's units."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float


@lru_cache(maxsize=4096)
def plane_map(box: BBox, srid: int, unit: float) -> PlaneMap | None:
    """The plane map that stands for the projection within a box; None where it would show.

    Parameters
    ----------
    box
        In the grid's CRS.
    srid
        The grid's CRS.
    unit
        The tile's smallest unit, in the units of the grid's CRS.
    """
    x, y = np.meshgrid(np.linspace(box.xmin, box.xmax, STEPS), np.linspace(box.ymin, box.ymax, STEPS))
    there = np.column_stack([x.ravel(), y.ravel()])
    here = transformation(srid, axes.STORAGE, settings.ONEMAP_CRS_PARAMETERS).apply(there)
    if not np.isfinite(here).all():
        return None
    # Fitted about the middle: the coordinates have seven digits before the point.
    middle, target = here.mean(axis=0), there.mean(axis=0)
    known = np.column_stack([here - middle, np.ones(len(here))])
    found = np.linalg.lstsq(known, there - target, rcond=None)[0]
    if np.abs(known @ found - (there - target)).max() > TOLERANCE * unit:
        return None
    (a, d), (b, e), (c, f) = found.tolist()
    (mx, my), (tx, ty) = middle.tolist(), target.tolist()
    return PlaneMap(a, b, c + tx - a * mx - b * my, d, e, f + ty - d * mx - e * my)
