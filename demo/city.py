"""The demonstration city, layer by layer and district by district."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely

from demo import frames
from demo.blocks import lay_out
from demo.buildings import build
from demo.components import components
from demo.control_lines import control_lines
from demo.cutting import divide, long_angle
from demo.gridding import duty_areas, grid_units, units
from demo.ground import Geometries, Ground, Labels, lay
from demo.landuse import assign
from demo.layers import BY_NAME
from demo.plans import land_sales, plan_areas
from demo.roads import Roads, border_roads, cut_roads, district_of, expressways, together
from demo.seeds import stream
from demo.services import addresses, facilities, points_of_interest, population
from demo.sizes import Size, size_named
from demo.spec import LayerSpec
from demo.tables import Division, districts

Part = tuple[LayerSpec, pd.DataFrame]


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
    for name, frame in control_lines(plan.ground, plan.urban):
        yield BY_NAME[name], frame
    yield BY_NAME["plan_area"], plan_areas(plan.ground, plan.urban, seed)
    cuts: list[Geometries] = []
    streets: dict[str, Roads] = {}
    for division in districts():
        yield from generate_district(plan, division, cuts, streets)
    made = units(plan.ground, np.concatenate(cuts), plan.community_codes)
    yield BY_NAME["grid_unit"], grid_units(made, plan.community_codes)
    yield BY_NAME["duty_area"], duty_areas(made, plan.community_codes)
    for code, lines in streets.items():
        spacing = plan.size.component_m(code)
        yield BY_NAME["component"], components(lines, made, spacing, seed, code)


def generate_district(
    plan: Plan, division: Division, cuts: list[Geometries], streets: dict[str, Roads]
) -> Iterator[Part]:
    """Yield the roads, blocks, parcels, land uses, buildings, addresses and services of one district.

    The cuts of its streets are added to `cuts`, its roads to `streets`: unit grids and components need all.
    """
    code = division.code
    grain = plan.size.grain(code)
    random = stream(plan.seed, "streets", code)
    members = district_of(plan.ground, np.arange(plan.ground.communities)) == code
    mine = np.flatnonzero(members & ~shapely.is_missing(plan.urban))
    pieces = divide(plan.urban[mine], long_angle(plan.urban[mine]), grain.block_m2, random)
    lanes = cut_roads(pieces, random)
    cuts.append(pieces.cuts)
    kept = plan.borders.some(np.isin(plan.border_keeper, mine))
    everything = together(plan.main_roads, plan.borders, lanes)
    blocks = lay_out(pieces, everything, grain.parcel_m2, random)
    community = mine[blocks.community]
    uses = assign(blocks, plan.ground.street[community], plan.seed, code)
    houses = build(blocks, uses, grain, plan.seed, code)
    rest = frames.unbuilt(plan.ground, plan.urban, np.flatnonzero(members), blocks, community)
    block_codes, parcel_codes = frames.block_and_parcel_codes(blocks, community, plan.community_codes)
    own_roads = together(kept, lanes)
    streets[code] = own_roads
    yield BY_NAME["road"], frames.roads(own_roads)
    yield BY_NAME["block"], frames.blocks(blocks, block_codes, community, plan.community_codes)
    yield BY_NAME["parcel"], frames.parcels(blocks, uses, block_codes, parcel_codes)
    yield BY_NAME["landuse_plan"], frames.planned(blocks, uses, parcel_codes, rest)
    yield BY_NAME["landuse_status"], frames.present(blocks, uses, rest, stream(plan.seed, "survey", code))
    yield BY_NAME["building"], frames.buildings(houses, parcel_codes)
    yield BY_NAME["green_area"], frames.parks(blocks, uses)
    yield BY_NAME["land_sale"], land_sales(blocks, uses, parcel_codes, plan.seed, code)
    yield BY_NAME["facility"], facilities(blocks, uses, parcel_codes, plan.seed, code)
    ward = np.array(plan.community_codes, dtype=object)[community[blocks.block[houses.parcel]]]
    own = frames.building_codes(houses, parcel_codes)
    plates = addresses(houses, own, own_roads, ward, division.name_zh)
    yield BY_NAME["address"], plates
    yield BY_NAME["poi"], points_of_interest(houses, own, plates, plan.seed, code)
    yield BY_NAME["population"], population(houses, own, plan.seed, code)
