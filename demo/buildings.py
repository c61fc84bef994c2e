"""Houses on parcels: rows along the parcel, inside its setback and under its limits."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from demo.blocks import Blocks
from demo.cutting import boxes, long_angle, running, seen_along
from demo.ground import Geometries, Labels
from demo.landuse import OPEN, Uses
from demo.names import SYLLABLES, house_name
from demo.seeds import stream
from demo.sizes import Grain
from demo.tables import use_rules

SETBACK_M = 5.0
SMALLEST_M2 = 60.0
NAMED = 0.35  # of the houses that stand alone or are tall
TALL_STOREYS = 12
GROWN = (2.4, 1.5)  # where few houses are wanted, they may be this much longer and deeper
LARGEST_M = (240.0, 110.0)
BUILT_SHARE = (0.55, 0.97)  # of the floor-area ratio allowed


@dataclass(frozen=True)
class Houses:
    """Footprints and what is known of them; `parcel` is an index into the district's parcels."""

    geometry: Geometries
    parcel: Labels
    number: Labels  # on the parcel, from 1
    floors: Labels
    height_m: NDArray[np.float64]
    use_zh: NDArray[np.object_]
    name_zh: NDArray[np.object_]
    year: Labels


@dataclass(frozen=True)
class Sites:
    """Parcels to build on: index, setback ground, and the sizes of their houses in metres."""

    parcel: Labels
    ground: Geometries
    size: NDArray[np.float64]  # shape (n, 3): width, depth, gap
    most: Labels  # houses on each


def sites(blocks: Blocks, uses: Uses, most: int, scale: float) -> Sites:
    """The parcels that are built on today; houses, gaps and setbacks are `scale` times the usual."""
    rules = use_rules()
    built = np.array([code in rules and code not in OPEN for code in uses.today], dtype=bool)
    parcel = np.flatnonzero(built)
    ground = shapely.buffer(blocks.parcels[parcel], -SETBACK_M * scale, join_style="mitre")
    fits = shapely.area(ground) > 4 * SMALLEST_M2 * scale**2
    parcel, ground = parcel[fits], ground[fits]
    size = (
        np.array([(rules[c].width_m, rules[c].depth_m, rules[c].gap_m) for c in uses.today[parcel]]) * scale
    )
    cap = np.minimum([rules[c].most for c in uses.today[parcel]], most)
    room = shapely.area(ground) / ((size[:, 0] + size[:, 2]) * (size[:, 1] + size[:, 2]))
    grow = np.sqrt(np.maximum(room / cap, 1))
    size[:, :2] = np.minimum(size[:, :2] * np.minimum(grow[:, None], GROWN), LARGEST_M)
    return Sites(parcel, ground, size, cap)


def rectangles(site: Sites) -> tuple[Geometries, Labels]:
    """As many footprints as fit in rows, and the site each stands on."""
    frame = seen_along(site.ground, long_angle(site.ground))
    span = frame.bounds[:, 2:] - frame.bounds[:, :2]
    house, gap = site.size[:, :2], site.size[:, 2:]
    house = np.minimum(house, span * 0.9)
    count = np.maximum(np.floor((span + gap) / (house + gap)), 1).astype(np.int64)
    total = count.prod(axis=1)
    owner = np.repeat(np.arange(len(total)), total)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(total) - total, total)
    place = np.column_stack([step % count[owner, 0], step // count[owner, 0]])
    cell = span / count
    middle = frame.bounds[owner, :2] + (place + 0.5) * cell[owner]
    half = house[owner] / 2
    turned = type(frame)(frame.cos[owner], frame.sin[owner], frame.bounds[owner])
    drawn = boxes(turned, np.hstack([middle - half, middle + half]))
    shape = shapely.transform(drawn, lambda points: np.round(points, 3))
    inside = shapely.covered_by(shape, site.ground[owner])
    return shape[inside], owner[inside]


def thinned(
    shape: Geometries, owner: Labels, room_m2: NDArray[np.float64], most: Labels, random: np.random.Generator
) -> NDArray[np.int64]:
    """Choose at most so many houses of each site, and no more footprint than its density allows."""
    order = np.lexsort((random.random(len(owner)), owner))
    covered = np.cumsum(shapely.area(shape[order]))
    first = np.flatnonzero(np.diff(owner[order], prepend=-1))
    before = np.append(0, covered)[first]
    runs = np.repeat(before, np.diff(np.append(first, len(order))))
    fits = (covered - runs <= room_m2[owner[order]]) & (running(owner[order]) < most[owner[order]])
    return np.sort(order[fits])


def allowance(uses: Uses, parcel: Labels) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Floor-area ratio and height in metres allowed to what stands on each house's parcel today.

    The plan's limits where the plan is carried out, else what is usual for today's use.
    """
    rule = [use_rules()[code] for code in uses.today[parcel]]
    edge = np.array([each.far_edge for each in rule])
    centre = np.array([each.far_centre for each in rule])
    same = uses.today[parcel] == uses.plan[parcel]
    far = np.where(same, uses.far[parcel], edge + (centre - edge) * uses.central[parcel])
    height = np.where(same, uses.height_m[parcel], [each.limit_m for each in rule])
    return far, height


def storeys(
    uses: Uses,
    area_m2: NDArray[np.float64],
    parcel: Labels,
    foot_m2: NDArray[np.float64],
    random: np.random.Generator,
) -> tuple[Labels, NDArray[np.float64]]:
    """Floors and heights in metres of houses, under the limits of their parcels."""
    far, top = allowance(uses, parcel)
    storey = np.array([use_rules()[code].storey_m for code in uses.today[parcel]])
    covered = np.bincount(parcel, weights=foot_m2, minlength=len(area_m2))[parcel]
    share = random.uniform(*BUILT_SHARE, len(parcel))
    floors = np.floor(far * share * area_m2[parcel] / covered)
    floors = np.clip(floors, 1, np.maximum(np.floor(top / storey), 1)).astype(np.int64)
    return floors, np.round(floors * storey, 1)


def named(
    today: NDArray[np.object_], floors: Labels, alone: NDArray[np.bool_], random: np.random.Generator
) -> NDArray[np.object_]:
    """Names for some of the houses; None for the others."""
    rules = use_rules()
    wanted = (random.random(len(floors)) < NAMED) & (alone | (floors >= TALL_STOREYS))
    picks = random.integers(0, len(SYLLABLES), (len(floors), 2))
    name = np.full(len(floors), None, dtype=object)
    for at in np.flatnonzero(wanted):
        suffixes = rules[today[at]].suffixes
        if suffixes:
            first, second = picks[at]
            name[at] = house_name(first, second, suffixes[(first + second) % len(suffixes)])
    return name


def build(blocks: Blocks, uses: Uses, grain: Grain, seed: int, district: str) -> Houses:
    """Put up the houses of a district."""
    random = stream(seed, "buildings", district)
    site = sites(blocks, uses, grain.buildings, grain.house)
    rules = use_rules()
    area = shapely.area(blocks.parcels)
    density = np.array([rules[code].density for code in uses.today[site.parcel]])
    shape, owner = rectangles(site)
    kept = thinned(shape, owner, area[site.parcel] * density, site.most, random)
    shape, parcel = shape[kept], site.parcel[owner[kept]]
    large = shapely.area(shape) > SMALLEST_M2 * grain.house**2
    shape, parcel = shape[large], parcel[large]
    floors, height = storeys(uses, area, parcel, shapely.area(shape), random)
    alone = np.bincount(parcel, minlength=len(area))[parcel] == 1
    today = uses.today[parcel]
    use = np.array([rules[code].use_zh for code in today], dtype=object)
    year = (2023 - random.gamma(3.0, 5.0, len(parcel))).clip(1980, 2023).astype(np.int64)
    name = named(today, floors, alone, random)
    return Houses(shape, parcel, running(parcel) + 1, floors, height, use, name, year)
