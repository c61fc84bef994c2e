"""What the land is planned for, and what it is used for today."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from demo.blocks import Blocks
from demo.ground import Geometries, Labels
from demo.seeds import stream
from demo.shape import centrality
from demo.tables import Points, land_mix, rows, seats, use_rules

FOREST, RIVER, RESERVOIR, ROAD, VILLAGE, VACANT = "0301", "1701", "1703", "1207", "0703", "2301"
NATURE_USE = {"hill": FOREST, "lake": RESERVOIR, "river": RIVER}
PORT_STREETS = ("440308403", "440308002", "440305005")
AIRPORT_STREETS = ("440306400",)
CENTRE_FROM, FRINGE_BELOW = 0.42, 0.07  # of centrality
WORKS_WAVE_M = 3100.0
FOLLOWS = 0.64  # the share of a block's parcels that follow its main use
SLENDER = 2.2  # how much taller than a house that fills its density a house may be
LIKE_ITS_NEIGHBOURS = 0.45  # the share of blocks whose main use is their community's
KEPT = 0.74  # the share of parcels already used as planned
TODAY = {  # where the plan is not carried out yet, what stands there instead
    "0701": ((VILLAGE, 0.55), ("1001", 0.2), (VACANT, 0.25)),
    "0902": (("1001", 0.4), (VILLAGE, 0.2), (VACANT, 0.4)),
    "0901": ((VILLAGE, 0.4), ("1001", 0.25), (VACANT, 0.35)),
    "1001": ((VACANT, 0.4), ("0201", 0.25), (VILLAGE, 0.35)),
    "1401": ((VACANT, 0.4), ("0201", 0.3), (FOREST, 0.3)),
}
OTHERWISE = ((VACANT, 0.6), ("0201", 0.2), (VILLAGE, 0.2))
OPEN = frozenset({"0103", "0201", FOREST, "1401", "1402", "1403", "16", VACANT, "1208"})


@dataclass(frozen=True)
class Uses:
    """Per parcel: planned code, today's code, and the limits of the plan; NaN where nothing is built.

    `far` and `density` and `green` are ratios, `height_m` is metres, `central` is 0 to 1.
    """

    plan: NDArray[np.object_]
    today: NDArray[np.object_]
    far: NDArray[np.float64]
    density: NDArray[np.float64]
    green: NDArray[np.float64]
    height_m: NDArray[np.float64]
    central: NDArray[np.float64]


def occurring() -> list[str]:
    """The codes of every use that the city may have, planned or today, in order."""
    mixed = {row["code"] for row in rows("land_mix.csv")}
    stands = {code for choices in (*TODAY.values(), OTHERWISE) for code, _ in choices}
    return sorted(mixed | stands | {ROAD, *NATURE_USE.values()})


def works_wave(points: Points, seed: int) -> NDArray[np.float64]:
    """A smooth field over the city, -1 to 1: where it is high, factories gather."""
    random = stream(seed, "works")
    angle = random.uniform(0, 2 * np.pi, 4)
    way = np.column_stack([np.cos(angle), np.sin(angle)]) * 2 * np.pi / WORKS_WAVE_M
    way *= random.uniform(0.5, 1.0, 4)[:, None]
    phase = random.uniform(0, 2 * np.pi, 4)
    height: NDArray[np.float64] = np.sin(points @ way.T + phase).mean(axis=1)
    return height


def zones(points: Points, streets: Labels, seed: int) -> NDArray[np.object_]:
    """The zone of each place, by how central it is and by the street it lies in."""
    central, wave = centrality(points), works_wave(points, seed)
    zone = np.where(wave + 0.25 - 0.9 * central > 0, "works", "town").astype(object)
    zone[central > CENTRE_FROM] = "centre"
    zone[central < FRINGE_BELOW] = "fringe"
    codes = np.array([seat.code for seat in seats()])[streets]
    zone[np.isin(codes, PORT_STREETS) & (wave > -0.1)] = "port"
    zone[np.isin(codes, AIRPORT_STREETS)] = "airport"
    return zone


def draw(zone: NDArray[np.object_], role: str, random: np.random.Generator) -> NDArray[np.object_]:
    """One use for each place, from the mix of its zone."""
    chosen = np.empty(len(zone), dtype=object)
    for name in np.unique(zone.astype(str)):
        here = np.flatnonzero(zone == name)
        codes, share = land_mix(str(name), role)
        chosen[here] = np.array(codes, dtype=object)[random.choice(len(codes), len(here), p=share)]
    return chosen


def instead(plan: NDArray[np.object_], random: np.random.Generator) -> NDArray[np.object_]:
    """What stands on land whose plan is not carried out yet."""
    today = np.empty(len(plan), dtype=object)
    for code in np.unique(plan.astype(str)):
        here = np.flatnonzero(plan == code)
        choices = TODAY.get(str(code), OTHERWISE)
        share = [weight for _, weight in choices]
        picked = random.choice(len(choices), len(here), p=share)
        today[here] = np.array([name for name, _ in choices], dtype=object)[picked]
    return today


def limits(plan: NDArray[np.object_], central: NDArray[np.float64], random: np.random.Generator) -> Points:
    """FAR, density, green ratio and height in metres of each parcel, shape (n, 4); NaN where open."""
    table = np.full((len(plan), 4), np.nan)
    swing = random.uniform(0.85, 1.15, len(plan))
    for code, rule in use_rules().items():
        here = plan == code
        far = rule.far_edge + (rule.far_centre - rule.far_edge) * central[here]
        far = np.round(far * swing[here], 1).clip(0.2)
        storeys = np.ceil(far / rule.density * SLENDER)
        height = np.minimum(np.round(storeys * rule.storey_m / 5 + 1) * 5, rule.limit_m)
        table[here] = np.column_stack([far, far * 0 + rule.density, far * 0 + rule.green, height])
    return table


def main_uses(
    zone: NDArray[np.object_], community: Labels, random: np.random.Generator
) -> NDArray[np.object_]:
    """The main use of each block: its own, or that of most of its community."""
    own = draw(zone, "main", random)
    _, first, member = np.unique(community, return_index=True, return_inverse=True)
    shared = own[first][member]
    like = (random.random(len(own)) < LIKE_ITS_NEIGHBOURS) & (zone == zone[first][member])
    return np.where(like, shared, own)


def assign(blocks: Blocks, street: Labels, seed: int, district: str) -> Uses:
    """Give every parcel of a district its uses and its limits.

    `street` is the street of each block, as an index into `tables.seats()`.
    """
    random = stream(seed, "land use", district)
    middle = centres_of(blocks.geometry)
    zone = zones(middle, street, seed)
    main = main_uses(zone, blocks.community, random)
    fill = draw(zone[blocks.block], "fill", random)
    follows = random.random(len(blocks.parcels)) < FOLLOWS
    plan = np.where(follows, main[blocks.block], fill)
    kept = random.random(len(plan)) < KEPT
    today = np.where(kept, plan, instead(plan, random))
    today[today == "16"] = VACANT
    central = centrality(centres_of(blocks.parcels))
    table = limits(plan, central, random)
    return Uses(plan, today, table[:, 0], table[:, 1], table[:, 2], table[:, 3], central)


def centres_of(shapes: Geometries) -> Points:
    """The centres of shapes, shape (n, 2)."""
    middle: Points = shapely.get_coordinates(shapely.centroid(shapes))
    return middle
