"""Who lives and works where: addresses, points of interest, public facilities, people by building."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely import STRtree

from demo.blocks import Blocks
from demo.buildings import Houses
from demo.frames import areas, frame
from demo.landuse import Uses
from demo.names import SYLLABLES
from demo.roads import Roads
from demo.seeds import stream
from demo.tables import rows

RESIDENTS_PER_M2 = 1 / 34.0  # of floor area
HOUSEHOLD = 2.6
HOMES = frozenset({"住宅", "村宅"})
POI_SHARE = 0.16  # of the buildings
COUNTED_ON = "2025-11-01"


def plates(houses: Houses, lines: Roads) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """The road on which each house has its door plate, and the number there: odd on one side, by the way along."""
    middle = shapely.centroid(houses.geometry)
    nearest = STRtree(lines.geometry).nearest(middle)
    place = shapely.line_locate_point(lines.geometry[nearest], middle)
    on = shapely.get_coordinates(shapely.line_interpolate_point(lines.geometry[nearest], place))
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(lines.geometry[nearest], place + 1.0))
    away = shapely.get_coordinates(middle) - on
    way = ahead - on
    left = (way[:, 0] * away[:, 1] - way[:, 1] * away[:, 0]) > 0
    number = (place // 12).astype(np.int64) * 2 + np.where(left, 1, 2)
    return np.array(lines.name_zh, dtype=object)[nearest], number


def addresses(
    houses: Houses, own: NDArray[np.object_], lines: Roads, community: NDArray[np.object_], place_zh: str
) -> gpd.GeoDataFrame:
    """Features of `address`: one for each building.

    Parameters
    ----------
    own
        The buildings' codes.
    community
        The code of each building's community.
    place_zh
        The district's name, with which a full address begins.
    """
    road, number = plates(houses, lines)
    return frame(
        shapely.set_precision(shapely.point_on_surface(houses.geometry), 0.001),
        code=[f"DZ{one}" for one in own],
        full=[f"深圳市{place_zh}{name}{n}号" for name, n in zip(road, number, strict=True)],
        road=road,
        number=[f"{n}号" for n in number],
        building=own,
        community=community,
    )


def points_of_interest(
    houses: Houses, own: NDArray[np.object_], address: gpd.GeoDataFrame, seed: int, district: str
) -> gpd.GeoDataFrame:
    """Features of `poi`: shops and services in some of the buildings."""
    random = stream(seed, "points of interest", district)
    chosen = np.flatnonzero(random.random(len(own)) < POI_SHARE)
    kinds = rows("poi_kinds.csv")
    weight = np.array([float(one["weight"]) for one in kinds])
    kind = random.choice(len(kinds), len(chosen), p=weight / weight.sum())
    first, second = random.integers(0, len(SYLLABLES), (2, len(chosen)))
    shift = random.uniform(-3, 3, (len(chosen), 2))
    where = shapely.get_coordinates(address.geometry.array[chosen]) + shift
    return frame(
        shapely.points(np.round(where, 3)),
        code=[f"POI{district}{number:06d}" for number in range(1, len(chosen) + 1)],
        name=[
            SYLLABLES[one][0] + SYLLABLES[two][0] + kinds[which]["suffix"]
            for one, two, which in zip(first, second, kind, strict=True)
        ],
        kind=[kinds[which]["kind"] for which in kind],
        address=address["full"].to_numpy()[chosen],
        building=own[chosen],
    )


def facilities(
    blocks: Blocks, uses: Uses, parcel: NDArray[np.object_], seed: int, district: str
) -> gpd.GeoDataFrame:
    """Features of `facility`: what the land that serves the public is used for, with its capacity."""
    random = stream(seed, "facilities", district)
    kinds = rows("facility_kinds.csv")
    chosen, kind = [], []
    for code in sorted({one["land_use"] for one in kinds}):
        fitting = [at for at, one in enumerate(kinds) if one["land_use"] == code]
        found = np.flatnonzero(uses.today == code)
        chosen.append(found)
        kind.append(np.array(fitting, dtype=np.int64)[random.integers(0, len(fitting), len(found))])
    places, which = np.concatenate(chosen), np.concatenate(kind)
    order = np.argsort(places)
    places, which = places[order], which[order]
    ground = areas(blocks.parcels[places])
    per = np.array([float(one["per_m2"]) for one in kinds])[which]
    pair = random.integers(0, len(SYLLABLES), (len(places), 2))
    return frame(
        shapely.set_precision(shapely.point_on_surface(blocks.parcels[places]), 0.001),
        code=[f"SS{district}{number:05d}" for number in range(1, len(places) + 1)],
        name=[
            SYLLABLES[one][0] + SYLLABLES[two][0] + kinds[at]["kind"]
            for (one, two), at in zip(pair, which, strict=True)
        ],
        kind=[kinds[at]["kind"] for at in which],
        capacity=np.round(ground * per, -1),
        unit=[kinds[at]["unit"] for at in which],
        parcel=parcel[places],
        area_m2=ground,
    )


def population(houses: Houses, own: NDArray[np.object_], seed: int, district: str) -> pd.DataFrame:
    """Rows of `population`: one for each building that is lived in."""
    random = stream(seed, "population", district)
    lived = np.flatnonzero([use in HOMES for use in houses.use_zh])
    floor_m2 = shapely.area(houses.geometry[lived]) * houses.floors[lived]
    residents = np.maximum((floor_m2 * RESIDENTS_PER_M2 * random.uniform(0.7, 1.05, len(lived))), 1).astype(
        np.int64
    )
    young = (residents * random.uniform(0.1, 0.2, len(lived))).astype(np.int64)
    old = (residents * random.uniform(0.05, 0.16, len(lived))).astype(np.int64)
    return pd.DataFrame(
        {
            "building": own[lived],
            "households": np.ceil(residents / HOUSEHOLD).astype(np.int64),
            "residents": residents,
            "under_15": young,
            "over_59": old,
            "counted_on": pd.to_datetime([COUNTED_ON] * len(lived)).date,
        }
    )
