"""The demonstration city, layer by layer and district by district."""

from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely

from demo import frames
from demo.blocks import lay_out
from demo.buildings import build
from demo.cutting import divide, long_angle
from demo.ground import Geometries, Ground, Labels, lay
from demo.landuse import assign
from demo.layers import BY_NAME, LayerSpec
from demo.roads import Roads, border_roads, cut_roads, district_of, expressways, together
from demo.seeds import stream
from demo.sizes import Size, size_named
from demo.tables import districts

Part = tuple[LayerSpec, gpd.GeoDataFrame]


@dataclass(frozen=True)
class Plan:
    """What every district is drawn on: the ground, its main roads, its communities' codes."""

    size: Size
    seed: int
    ground: Ground
    urban: Geometries
    main_roads: Roads
    border_keeper: Labels
    borders: Roads
    community_codes: list[str]


def survey(size: str, seed: int) -> Plan:
    """Lay the ground and the main roads of a city.

    Raises
    ------
    UnknownSize
        No such size.
    """
    chosen = size_named(size)
    ground = lay(seed)
    urban = ground.urban()
    borders, keeper = border_roads(seed, ground, urban)
    across = expressways(seed, ground)
    codes = frames.community_codes(ground)
    return Plan(chosen, seed, ground, urban, across, keeper, borders, codes)


def generate(size: str, seed: int) -> Iterator[Part]:
    """Yield the city in parts: a layer and some of its features, in EPSG:4547.

    The same size and seed give the same features, byte for byte. A layer comes in several parts, one per
    district, so that a large city never stands in memory whole.

    Parameters
    ----------
    size
        A name of `demo.sizes.SIZES`.
    seed
        0 or more; divisions, hills, waters and main roads of a seed are the same in every size.

    Raises
    ------
    UnknownSize
        No such size.
    """
    plan = survey(size, seed)
    for name, frame in frames.divisions(plan.ground, plan.community_codes):
        yield BY_NAME[name], frame
    yield BY_NAME["green_area"], frames.woods(plan.ground)
    yield BY_NAME["water_area"], frames.waters(plan.ground)
    yield BY_NAME["road"], frames.roads(plan.main_roads)
    for division in districts():
        yield from generate_district(plan, division.code)


def generate_district(plan: Plan, code: str) -> Iterator[Part]:
    """Yield the roads, blocks, parcels, land uses and buildings of one district."""
    grain = plan.size.grain(code)
    random = stream(plan.seed, "streets", code)
    members = district_of(plan.ground, np.arange(plan.ground.communities)) == code
    mine = np.flatnonzero(members & ~shapely.is_missing(plan.urban))
    pieces = divide(plan.urban[mine], long_angle(plan.urban[mine]), grain.block_m2, random)
    lanes = cut_roads(pieces, random)
    kept = plan.borders.some(np.isin(plan.border_keeper, mine))
    everything = together(plan.main_roads, plan.borders, lanes)
    blocks = lay_out(pieces, everything, grain.parcel_m2, random)
    community = mine[blocks.community]
    uses = assign(blocks, plan.ground.street[community], plan.seed, code)
    houses = build(blocks, uses, grain.buildings, plan.seed, code)
    rest = frames.unbuilt(plan.ground, plan.urban, np.flatnonzero(members), blocks, community)
    block_codes, parcel_codes = frames.block_and_parcel_codes(blocks, community, plan.community_codes)
    yield BY_NAME["road"], frames.roads(together(kept, lanes))
    yield BY_NAME["block"], frames.blocks(blocks, block_codes, community, plan.community_codes)
    yield BY_NAME["parcel"], frames.parcels(blocks, uses, block_codes, parcel_codes)
    yield BY_NAME["landuse_plan"], frames.planned(blocks, uses, parcel_codes, rest)
    yield BY_NAME["landuse_status"], frames.present(blocks, uses, rest, stream(plan.seed, "survey", code))
    yield BY_NAME["building"], frames.buildings(houses, parcel_codes)
    yield BY_NAME["green_area"], frames.parks(blocks, uses)
