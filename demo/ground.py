"""The ground of the city: a plane cut once, by the coast, the communities, the hills and the waters.

Everything above is a union of its faces, so that communities partition streets, streets partition
districts and districts partition the city to the last square millimetre. EPSG:4547, metres.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Geometry, MultiPoint, Polygon, STRtree

from demo.seeds import stream
from demo.shape import GRID_M, Warp, blob, centrality, outline, smooth, warp
from demo.tables import Points, courses, nature, seats

URBAN = -1  # a face that is neither hill nor water
SPACING_M = (560.0, 2500.0)  # between communities: in the middle of the city, at its edge
DARTS = 24_000
EDGE_STEP_M = 100.0
HILL_RANK = {"hill": 0, "lake": 1, "river": 2}  # a river shows through a lake, a lake through a hill

Labels = NDArray[np.int64]
Geometries = NDArray[np.object_]


@dataclass(frozen=True)
class Natural:
    """A hill, a lake or a river, as drawn; its faces are what it is on the map."""

    kind: str
    name_zh: str
    name_en: str
    geometry: Geometry


@dataclass(frozen=True)
class Ground:
    """The faces of the city and what each belongs to.

    `community` numbers the communities from 0; `nature` is an index into `naturals`, or `URBAN`.
    `street` gives each community's index into `tables.seats()`.
    """

    outline: Polygon
    faces: Geometries
    community: Labels
    nature: Labels
    naturals: tuple[Natural, ...]
    street: Labels

    @property
    def communities(self) -> int:
        """How many communities there are."""
        return len(self.street)

    def urban(self) -> Geometries:
        """The ground of each community that is neither hill nor water; None where all of it is."""
        built = self.nature == URBAN
        return merge(self.faces[built], self.community[built], self.communities)


def merge(shapes: Geometries, labels: Labels, count: int) -> Geometries:
    """Unite shapes that share a label, keeping every shared corner; None where a label has none.

    Parameters
    ----------
    shapes
        Polygons whose borders meet exactly.
    labels
        One per shape, 0 to `count` - 1.
    count
        How many labels there are.
    """
    order = np.argsort(labels, kind="stable")
    cuts = np.searchsorted(labels[order], np.arange(count + 1))
    merged = np.full(count, None, dtype=object)
    for label, (start, stop) in enumerate(zip(cuts, cuts[1:], strict=False)):
        if stop > start:
            merged[label] = shapely.normalize(shapely.coverage_union_all(shapes[order[start:stop]]))
    return merged


def community_seeds(shape: Polygon, seed: int) -> Points:
    """Places for the communities: the streets' seats first, then darts that keep their distance."""
    random = stream(seed, "communities")
    west, south, east, north = shape.bounds
    darts = np.column_stack([random.uniform(west, east, DARTS), random.uniform(south, north, DARTS)])
    darts = darts[shapely.contains_xy(shape, darts)]
    narrow, wide = SPACING_M
    spacing = narrow + (wide - narrow) * (1 - centrality(darts)) ** 1.6
    placed = np.array([seat.at for seat in seats()])
    for dart, distance in zip(darts, spacing, strict=True):
        gap = placed - dart
        if (gap * gap).sum(axis=1).min() > distance * distance:
            placed = np.vstack([placed, dart])
    return placed


def street_of(places: Points) -> Labels:
    """The street of each community: the nearest seat, weighed; a seat's own place is its own."""
    at = np.array([seat.at for seat in seats()])
    weight = np.array([seat.weight for seat in seats()])
    distance = np.hypot(*(places[:, None, :] - at[None, :, :]).transpose(2, 0, 1)) * weight
    nearest: Labels = distance.argmin(axis=1).astype(np.int64)
    nearest[: len(at)] = np.arange(len(at))
    return nearest


def naturals(seed: int, bend: Warp) -> tuple[Natural, ...]:
    """Every hill, lake and river, the lowest rank first."""
    drawn = [
        Natural(spec.kind, spec.name_zh, spec.name_en, blob(spec, stream(seed, "nature", spec.name_zh)))
        for spec in nature()
    ]
    for river in (course for course in courses() if course.kind == "river"):
        bed = shapely.LineString(bend.shift(smooth(river.points))).buffer(river.width_m / 2)
        drawn.append(Natural(river.kind, river.name_zh, river.name_en, bed))
    return tuple(sorted(drawn, key=lambda each: HILL_RANK[each.kind]))


def cells(places: Points, shape: Polygon, bend: Warp) -> tuple[Geometry, Geometries]:
    """The bent borders between communities, and each community's bent cell in the same order."""
    frame = shape.buffer(8000)
    cloud = MultiPoint(places)
    borders = shapely.voronoi_polygons(cloud, extend_to=frame, only_edges=True)
    plain = shapely.get_parts(shapely.voronoi_polygons(cloud, extend_to=frame, ordered=True))
    return (
        shapely.transform(shapely.segmentize(borders, EDGE_STEP_M), bend.shift),
        shapely.transform(shapely.segmentize(plain, EDGE_STEP_M), bend.shift),
    )


def label_inside(points: Geometries, shapes: Geometries) -> Labels:
    """The last shape that covers each point, or -1."""
    found = np.full(len(points), -1, dtype=np.int64)
    which, inside = STRtree(shapes).query(points, predicate="intersects")
    np.maximum.at(found, which, inside)
    return found


def neighbour_most(at: int, shapes: Geometries, others: NDArray[np.int64]) -> int:
    """Of the other shapes, the one with the longest border shared with shape `at`."""
    shared = shapely.length(shapely.intersection(shapes[at], shapes[others]))
    return int(others[int(shared.argmax())])


def join_strays(shapes: Geometries, labels: Labels, tries: int = 4) -> Labels:
    """Give parts cut off from their label to the neighbour they lean on most.

    On return the shapes of each label hang together, save where the land itself does not.
    """
    labels = labels.copy()
    tree = STRtree(shapes)
    for _ in range(tries):
        strays = cut_off(shapes, labels, tree)
        for at in strays:
            near = tree.query(shapes[at], predicate="intersects")
            others = near[(labels[near] != labels[at]) & ~np.isin(near, strays)]
            if len(others):
                labels[at] = labels[neighbour_most(at, shapes, others)]
        if not len(strays):
            break
    return labels


def cut_off(shapes: Geometries, labels: Labels, tree: STRtree) -> NDArray[np.int64]:
    """Indices of shapes that lie apart from the largest part of their label."""
    apart: list[int] = []
    left, right = tree.query(shapes, predicate="intersects")
    shared = (labels[left] == labels[right]) & (left < right)
    left, right = left[shared], right[shared]
    edge = shapely.length(shapely.intersection(shapes[left], shapes[right])) > 0
    part = np.arange(len(shapes))
    while True:
        before = part.copy()
        np.minimum.at(part, left[edge], part[right[edge]])
        np.minimum.at(part, right[edge], part[left[edge]])
        if (before == part).all():
            break
    area = np.bincount(part, weights=shapely.area(shapes), minlength=len(shapes))
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        main = part[mine][area[part[mine]].argmax()]
        apart.extend(mine[part[mine] != main].tolist())
    return np.array(apart, dtype=np.int64)


def lay(seed: int) -> Ground:
    """Cut the plane of one city."""
    shape, bend = outline(seed), warp(seed)
    places = community_seeds(shape, seed)
    borders, wards = cells(places, shape, bend)
    wild = naturals(seed, bend)
    rings = [shape.boundary, *(each.geometry.boundary for each in wild)]
    net = shapely.union_all(np.array([borders, *rings], dtype=object), grid_size=GRID_M)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(net)))
    inner = shapely.point_on_surface(faces)
    faces, inner = (part[shapely.contains(shape, inner)] for part in (faces, inner))
    community = join_strays(faces, label_inside(inner, wards))
    natural = label_inside(inner, np.array([each.geometry for each in wild], dtype=object))
    used, community = np.unique(community, return_inverse=True)
    wholes = merge(faces, community, len(used))
    street = join_strays(wholes, street_of(places)[used])
    whole = shapely.coverage_union_all(faces)  # the ring again, with the corners the cutting gave it
    return Ground(whole, faces, community, natural, wild, street)
