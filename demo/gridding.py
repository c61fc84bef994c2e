"""Unit grids and duty areas: every community cut along its streets, seamless to the millimetre."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import STRtree

from demo.cutting import running, stretched
from demo.frames import areas, as_multi, frame
from demo.ground import Geometries, Ground, Labels, merge
from demo.shape import GRID_M

MOST_IN_COMMUNITY = 999  # three digits of the code
SMALLEST_M2 = 1_500.0  # a smaller face goes to the neighbour it shares most of its edge with
GRIDS_PER_COLLECTOR = 12


@dataclass(frozen=True)
class Units:
    """The unit grids: shape, community, fifteen-digit code, and the index of their duty area."""

    geometry: Geometries
    community: Labels
    code: NDArray[np.object_]
    duty: Labels

    def holding(self, points: Geometries) -> NDArray[np.object_]:
        """The code of the grid each point lies in; None beyond the city."""
        found = np.full(len(points), None, dtype=object)
        place, unit = STRtree(self.geometry).query(points, predicate="intersects")
        found[place] = self.code[unit]
        return found


def units(ground: Ground, cuts: Geometries, codes: list[str]) -> Units:
    """Cut the city's ground along the streets, within its communities.

    Parameters
    ----------
    cuts
        Straight lines along which streets run.
    codes
        The twelve digits of each community.
    """
    edges = shapely.union_all(shapely.boundary(ground.faces), grid_size=GRID_M)
    net = shapely.union_all([edges, *stretched(cuts)], grid_size=GRID_M)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(net)))
    inner = shapely.point_on_surface(faces)
    which, owner = STRtree(ground.faces).query(inner, predicate="intersects")
    which, first = np.unique(which, return_index=True)
    faces, community = faces[which], ground.community[owner[first]]
    label = _joined(faces, community)
    shapes = merge(faces, label, int(label.max()) + 1)
    keeper = np.empty(len(shapes), dtype=np.int64)
    keeper[label] = community
    middle = shapely.get_coordinates(shapely.centroid(shapes))
    order = np.lexsort((middle[:, 0], -middle[:, 1], keeper))
    shapes, keeper = shapes[order], keeper[order]
    code = np.array(
        [f"{codes[at]}{number:03d}" for at, number in zip(keeper, running(keeper) + 1, strict=True)],
        dtype=object,
    )
    return Units(shapes, keeper, code, _duty(keeper))


def _joined(faces: Geometries, community: Labels) -> Labels:
    """Labels that give small faces to a neighbour of the same community; numbered from 0."""
    label = np.arange(len(faces))
    small = shapely.area(faces) < SMALLEST_M2
    places = np.flatnonzero(small)
    which, near = STRtree(faces).query(faces[places], predicate="intersects")
    allowed = (places[which] != near) & (community[places[which]] == community[near]) & ~small[near]
    which, near = which[allowed], near[allowed]
    shared = shapely.length(shapely.intersection(faces[places[which]], faces[near]))
    order = np.argsort(shared)  # the longest edge is written last
    label[places[which[order]]] = near[order]
    found: Labels = np.unique(label, return_inverse=True)[1].astype(np.int64)
    return found


def _duty(community: Labels) -> Labels:
    """Duty areas: so many unit grids of a community that follow one another."""
    turn = running(community) // GRIDS_PER_COLLECTOR
    found: Labels = np.unique(community * 1_000 + turn, return_inverse=True)[1].astype(np.int64)
    return found


def duty_codes(made: Units, codes: list[str]) -> NDArray[np.object_]:
    """The code of each duty area: its community's twelve digits, Z and two digits."""
    keeper = np.empty(int(made.duty.max()) + 1, dtype=np.int64)
    keeper[made.duty] = made.community
    number = running(keeper) + 1
    return np.array([f"{codes[at]}Z{n:02d}" for at, n in zip(keeper, number, strict=True)], dtype=object)


def grid_units(made: Units, codes: list[str]) -> gpd.GeoDataFrame:
    """Features of `grid_unit`."""
    return frame(
        as_multi(made.geometry),
        code=made.code,
        community=np.array(codes, dtype=object)[made.community],
        duty_area=duty_codes(made, codes)[made.duty],
        area_m2=areas(made.geometry),
    )


def duty_areas(made: Units, codes: list[str]) -> gpd.GeoDataFrame:
    """Features of `duty_area`."""
    own = duty_codes(made, codes)
    shapes = merge(made.geometry, made.duty, len(own))
    return frame(
        as_multi(shapes),
        code=own,
        community=[code[:12] for code in own],
        grids=np.bincount(made.duty, minlength=len(own)),
        area_m2=areas(shapes),
    )
