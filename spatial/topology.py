"""Whether polygons divide the ground among them: no overlap, no gap, nothing outside, no sliver.

Coordinates are metres of one projected system, x before y; areas are square metres on its plane. The polygons are
valid (`spatial.validity`), missing and empty ones are passed over.

What is a fault, and what is noise of digitising:

- A piece (of an overlap, a gap, or of what lies outside) is a fault if a circle of diameter `tolerance_m` fits
  into it: its inscribed width. Narrower pieces are noise, however long they are.
- A *sliver* is a piece, or a polygon, smaller than `sliver_m2`; or a thin one: with 4πA/P² below `thinness` and a
  mean width 2A/P below √`sliver_m2` (1 m for 1 m²). The second condition keeps roads and rivers, which are
  long, thin and right.

The ground is divided into cells of some thousand polygons each. In a cell GEOS's coverage validator is asked first:
it takes microseconds a polygon, and a cell it accepts has no overlap. Only where it objects are pairs overlaid.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from spatial.pieces import (
    Geometries,
    Indexes,
    eroded,
    grown,
    is_sliver,
    is_wide,
    polygonal,
    polygons_of,
)

CELL = 4_000  # polygons of a cell, about
LARGE = 2_000  # points; a polygon of more is cut to the cells it is looked at in
MOST_FAULTS = 100_000
MOST_PAIRS = 200_000  # looked at together
NEIGHBOURS = 12  # of a gap, named at most


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a partition.

    Attributes
    ----------
    kind
        'overlap', 'gap', 'outside' or 'sliver'.
    geometry
        The piece of ground that is wrong; of a sliver among the polygons, that polygon. A gap is known to within
        the tolerance: bays narrower than it are left out.
    members
        Places in the given array: the two that overlap, the one that leaves the boundary or is a sliver, or those
        around a gap.
    area_m2
        Of the geometry.
    of
        What a sliver is a sliver of: 'overlap', 'gap', 'outside' or 'polygon'; else the kind.
    """

    kind: str
    geometry: BaseGeometry
    members: tuple[int, ...]
    area_m2: float
    of: str


@dataclass(frozen=True, slots=True)
class _Limits:
    tolerance: float
    sliver: float
    thinness: float


@dataclass(frozen=True, slots=True)
class _Cell:
    box: tuple[float, float, float, float]
    members: Indexes  # of all polygons whose bounds meet the box


def partition_faults(
    shapes: Geometries,
    boundary: BaseGeometry | None = None,
    *,
    tolerance_m: float = 0.01,
    sliver_m2: float = 1.0,
    thinness: float = 0.05,
    most: int = MOST_FAULTS,
    tick: Callable[[float], None] | None = None,
) -> list[Fault]:
    """Where polygons fail to divide the ground, in the order overlaps, outside, gaps, slivers.

    Parameters
    ----------
    shapes : array of Polygon or MultiPolygon, shape (n,)
        Valid, metres of a projected system; None and empty ones are passed over.
    boundary : Polygon or MultiPolygon, optional
        What they should cover exactly. Without one, gaps are holes of their union, and nothing lies outside.
    tolerance_m, sliver_m2, thinness : float
        See the module. Tolerance in metres, more than 0.
    most : int
        No more faults than these are looked for; an answer of this length says "at least".
    tick : callable, optional
        Told the share of the work that is done (0 to 1); may raise to stop it.

    Returns
    -------
    list of Fault

    Notes
    -----
    Cost: near linear in the points. Memory beyond the polygons given: that of one cell.

    Examples
    --------
    >>> shapes = np.array([shapely.box(0, 0, 10, 10), shapely.box(9, 0, 20, 10)])
    >>> [(one.kind, one.members, one.area_m2) for one in partition_faults(shapes)]
    [('overlap', (0, 1), 10.0)]
    """
    limits = _Limits(tolerance_m, sliver_m2, thinness)
    shapes = np.asarray(shapes, dtype=object)
    search = _Search(shapes, boundary, limits, most)
    cells = list(_cells(search))
    for number, cell in enumerate(cells):
        if tick is not None:
            tick(number / len(cells))
        search.look(cell)
        if len(search.faults) >= most:
            return search.faults[:most]
    search.conclude()
    return search.faults[:most]


class _Search:
    """The faults found so far, and what is only known when all cells were seen."""

    def __init__(self, shapes: Geometries, boundary: BaseGeometry | None, limits: _Limits, most: int) -> None:
        self.shapes, self.boundary, self.limits, self.most = shapes, boundary, limits, most
        self.large = shapely.get_num_coordinates(shapes) > LARGE
        self.present = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
        self.bounds = shapely.bounds(shapes)
        self.tree = shapely.STRtree(shapes)
        self.faults: list[Fault] = []
        self.shared: dict[tuple[int, int], list[BaseGeometry]] = defaultdict(list)  # of two large polygons
        self.beyond: dict[int, list[BaseGeometry]] = defaultdict(list)  # of large polygons
        self.open: list[BaseGeometry] = []  # pieces of gaps, eroded by half the tolerance, cut at the cells

    @property
    def frame(self) -> tuple[float, float, float, float] | None:
        """The bounds of all there is, and a margin that no polygon reaches."""
        everything = [self.bounds[self.present]]
        if self.boundary is not None and not self.boundary.is_empty:
            everything.append(np.array([self.boundary.bounds]))
        boxes = np.concatenate(everything)
        if not len(boxes):
            return None
        low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
        margin = 1.0 + 4 * self.limits.tolerance
        # Whole metres: two cells then end at the very same line, and the pieces of a gap join again.
        west, south = np.floor(low - margin)
        east, north = np.ceil(high + margin)
        return float(west), float(south), float(east), float(north)

    def look(self, cell: _Cell) -> None:
        """Find the faults of one cell."""
        local = self._cut(cell)
        valid = len(local) == 0 or bool(shapely.coverage_is_valid(local))
        if not valid:
            self._overlaps(cell, local)
        ground = self._ground(cell)
        if ground is not None:
            self._outside(cell, local, ground)
        self._gaps(cell, local, valid, ground)

    def conclude(self) -> None:
        """Put together what lay in several cells, and name the slivers among the polygons."""
        for pair, pieces in sorted(self.shared.items()):
            self._note("overlap", np.array([shapely.union_all(pieces)]), [pair])
        for one, pieces in sorted(self.beyond.items()):
            self._note("outside", np.array([shapely.union_all(pieces)]), [(one,)])
        self._join_gaps()
        chosen = self.shapes[self.present]
        slivers = self.present[is_sliver(chosen, self.limits.sliver, self.limits.thinness)]
        for place in slivers.tolist():
            shape = self.shapes[place]
            self.faults.append(Fault("sliver", shape, (place,), float(shape.area), "polygon"))

    def _cut(self, cell: _Cell) -> Geometries:
        """The polygons of a cell; large ones as far as the others of the cell reach."""
        local = self.shapes[cell.members]
        large = self.large[cell.members]
        if large.any():
            # Beyond the small ones' bounds: a cut there makes no vertex that a neighbour would lack.
            boxes = np.concatenate([self.bounds[cell.members[~large]], [cell.box]])
            reach = _widened((*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)), 1.0)
            local[large] = [polygonal(one) for one in shapely.intersection(local[large], reach)]
        return local

    def _overlaps(self, cell: _Cell, local: Geometries) -> None:
        """Overlay each polygon that the coverage validator objects to with its neighbours."""
        flagged = np.flatnonzero(~shapely.is_empty(shapely.coverage_invalid_edges(local)))
        tree = shapely.STRtree(local)
        # Polygons piled up have as many pairs as the square of their number: few are looked at together.
        step = max(1, MOST_PAIRS // len(local))
        for start in range(0, len(flagged), step):
            chunk = flagged[start : start + step]
            one, other = tree.query(local[chunk])
            one = chunk[one]
            again = np.isin(other, flagged) & (other < one)  # met already, from its other end
            pairs = np.column_stack([one, other])[(one != other) & ~again]
            self._overlay(cell, local, self._at_home(cell, pairs))
            if len(self.faults) >= self.most:
                return

    def _at_home(self, cell: _Cell, pairs: Indexes) -> Indexes:
        """The pairs that belong to this cell: a pair of large polygons to each, any other to one alone.

        That one holds the lower left corner of what their bounds share: both polygons are looked at there.
        """
        members = cell.members[pairs]
        corners = np.maximum(self.bounds[members[:, 0], :2], self.bounds[members[:, 1], :2])
        mine: Indexes = pairs[self.large[members].all(axis=1) | _holds(cell, corners)]
        return mine

    def _overlay(self, cell: _Cell, local: Geometries, pairs: Indexes) -> None:
        members = np.sort(cell.members[pairs], axis=1)
        common = shapely.intersection(local[pairs[:, 0]], local[pairs[:, 1]])
        met = shapely.area(common) > 0
        both = self.large[members].all(axis=1)
        for place in np.flatnonzero(met & both).tolist():
            piece = polygonal(shapely.intersection(common[place], shapely.box(*cell.box)))
            self.shared[int(members[place, 0]), int(members[place, 1])].append(piece)
        met &= ~both
        self._note("overlap", common[met], members[met].tolist())

    def _ground(self, cell: _Cell) -> BaseGeometry | None:
        """The boundary as far as the polygons of the cell reach."""
        if self.boundary is None:
            return None
        boxes = np.concatenate([self.bounds[cell.members[~self.large[cell.members]]], [cell.box]])
        reach = _widened((*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)), 2.0)
        return polygonal(shapely.intersection(self.boundary, reach))

    def _outside(self, cell: _Cell, local: Geometries, ground: BaseGeometry) -> None:
        """What of the polygons lies outside the boundary."""
        shapely.prepare(ground)
        candidates = np.flatnonzero(~shapely.covers(ground, local))
        members = cell.members[candidates]
        large = self.large[members]
        for place, member in zip(candidates[large].tolist(), members[large].tolist(), strict=True):
            within = shapely.intersection(local[place], shapely.box(*cell.box))
            self.beyond[member].append(polygonal(shapely.difference(within, ground)))
        home = ~large & _holds(cell, self.bounds[members, :2])
        beyond = shapely.difference(local[candidates[home]], ground)
        self._note("outside", beyond, members[home, None].tolist())

    def _gaps(self, cell: _Cell, local: Geometries, valid: bool, ground: BaseGeometry | None) -> None:
        """What no polygon covers, eroded by half the tolerance and cut at the cell's sides."""
        radius = self.limits.tolerance / 2
        target = _widened(cell.box, 4 * radius)
        if ground is not None:
            target = polygonal(shapely.intersection(ground, target))
        covered = shapely.coverage_union_all(local) if valid else shapely.union_all(local)
        pieces, _ = polygons_of(np.array([shapely.difference(target, covered)]))
        left, _ = eroded(pieces[is_wide(pieces, self.limits.tolerance)], radius)
        cut, _ = polygons_of(shapely.intersection(left, shapely.box(*cell.box)))
        self.open += cut[shapely.area(cut) > 0].tolist()

    def _join_gaps(self) -> None:
        """Join the pieces of gaps across cells; without a boundary, what reaches the frame is no gap."""
        frame = self.frame
        if frame is None or not self.open:
            return
        pieces = np.array(self.open, dtype=object)
        margin = shapely.box(*frame).exterior
        for group in _groups(pieces):
            if (
                self.boundary is None
                and shapely.dwithin(pieces[group], margin, 2.0 * self.limits.tolerance).any()
            ):
                continue
            whole = np.array([shapely.union_all(pieces[group])])
            self._note("gap", grown(whole, self.limits.tolerance / 2))

    def _note(self, kind: str, grounds: Geometries, members: Sequence[Sequence[int]] | None = None) -> None:
        """Keep the pieces of each ground that are wide enough, each as a fault; of a gap, find who is around."""
        pieces, owners = polygons_of(grounds)
        wide = is_wide(pieces, self.limits.tolerance)
        pieces, owners = pieces[wide], owners[wide]
        slivers = is_sliver(pieces, self.limits.sliver, self.limits.thinness)
        for piece, owner, sliver in zip(pieces, owners.tolist(), slivers.tolist(), strict=True):
            known = tuple(members[owner]) if members is not None else self._around(piece)
            self.faults.append(Fault("sliver" if sliver else kind, piece, known, float(piece.area), kind))

    def _around(self, gap: BaseGeometry) -> tuple[int, ...]:
        """The polygons beside a gap."""
        near = self.tree.query(gap, predicate="dwithin", distance=self.limits.tolerance)
        return tuple(sorted(near.tolist())[:NEIGHBOURS])


def _cells(search: _Search) -> Iterator[_Cell]:
    """Divide the frame until a cell has few polygons; cells are half open and end at whole metres or halves."""
    frame = search.frame
    if frame is None:
        return
    west, south, east, north = frame
    side = max(east - west, north - south)
    waiting = [_cell(search, (west, south, west + side, south + side))]
    while waiting:
        cell = waiting.pop()
        quarters = _quarters(search, cell) if len(cell.members) > CELL else []
        # Polygons on top of each other are in every quarter: cutting on would only make more cells of them.
        if quarters and sum(len(one.members) for one in quarters) < 2 * len(cell.members):
            waiting += quarters
        else:
            yield cell


def _cell(search: _Search, box: tuple[float, float, float, float]) -> _Cell:
    return _Cell(box, np.sort(search.tree.query(shapely.box(*box))))


def _quarters(search: _Search, cell: _Cell) -> list[_Cell]:
    west, south, east, north = cell.box
    x, y = (west + east) / 2, (south + north) / 2
    boxes = ((west, south, x, y), (x, south, east, y), (west, y, x, north), (x, y, east, north))
    return [_cell(search, box) for box in boxes]


def _holds(cell: _Cell, points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which points, (n, 2), lie in a cell: each point of the frame in one alone."""
    west, south, east, north = cell.box
    x, y = points[:, 0], points[:, 1]
    inside: NDArray[np.bool_] = (x >= west) & (x < east) & (y >= south) & (y < north)
    return inside


def _groups(pieces: Geometries) -> Iterator[Indexes]:
    """Which pieces belong together: those that share more than a point of their outlines."""
    tree = shapely.STRtree(pieces)
    left, right = tree.query(pieces, predicate="intersects")
    once = left < right
    left, right = left[once], right[once]
    joined = shapely.length(shapely.intersection(pieces[left], pieces[right])) > 0
    leader = np.arange(len(pieces))

    def first(place: int) -> int:
        while leader[place] != place:
            leader[place] = leader[leader[place]]
            place = int(leader[place])
        return place

    for one, other in zip(left[joined].tolist(), right[joined].tolist(), strict=True):
        low, high = sorted((first(one), first(other)))
        leader[high] = low
    leaders = np.array([first(place) for place in range(len(pieces))])
    order = np.argsort(leaders, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(leaders[order])) + 1)


def _widened(box: Any, by: float) -> BaseGeometry:
    return shapely.box(box[0] - by, box[1] - by, box[2] + by, box[3] + by)
