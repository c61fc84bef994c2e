"""The generator's arrays as tables of features, with the fields that `demo.layers` declares. EPSG:4547."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from demo.blocks import Blocks
from demo.buildings import Houses
from demo.cutting import running
from demo.ground import Geometries, Ground, Labels, merge
from demo.landuse import NATURE_USE, ROAD, Uses
from demo.names import community_name
from demo.roads import Roads
from demo.tables import DISTRICT_DIGITS, districts, land_uses, seats, streets

CRS = "EPSG:4547"
KIND_ZH = {"hill": "山林", "lake": "水库", "river": "河流"}
PARK = "1401"
PARK_M2 = 8_000.0
SURVEY_YEARS = (2020, 2024)


@dataclass(frozen=True)
class Rest:
    """Ground outside the blocks: woods, waters and the land of roads, with the code of its use."""

    geometry: Geometries
    use: NDArray[np.object_]


def frame(geometry: Geometries, **columns: object) -> gpd.GeoDataFrame:
    """A table of features with two-dimensional shapes in the storage system."""
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries(geometry, crs=CRS), crs=CRS)


def areas(shapes: Geometries) -> NDArray[np.float64]:
    """Areas on the plane in m², to the second decimal."""
    rounded: NDArray[np.float64] = np.round(shapely.area(shapes), 2)
    return rounded


def use_names(codes: NDArray[np.object_]) -> list[str]:
    """The Chinese names of land uses."""
    table = land_uses()
    return [table[code].name_zh for code in codes]


def community_codes(ground: Ground) -> list[str]:
    """Twelve digits for each community: its street's nine and its number, from north to south."""
    wholes = merge(ground.faces, ground.community, ground.communities)
    middle = shapely.get_coordinates(shapely.centroid(wholes))
    order = np.lexsort((middle[:, 0], -middle[:, 1], ground.street))
    number = np.empty(ground.communities, dtype=np.int64)
    number[order] = running(ground.street[order]) + 1
    return [f"{seats()[street].code}{count:03d}" for street, count in zip(ground.street, number, strict=True)]


def divisions(ground: Ground, codes: list[str]) -> list[tuple[str, gpd.GeoDataFrame]]:
    """The three layers of divisions, each in the order of its codes."""
    smallest = merge(ground.faces, ground.community, ground.communities)
    middle = merge(smallest, ground.street, len(seats()))
    wards = [each.code for each in districts()]
    belongs = np.array([wards.index(seat.code[:DISTRICT_DIGITS]) for seat in seats()])
    largest = merge(middle, belongs, len(wards))
    known = {each.code: each for each in (*districts(), *streets())}
    named = {code: (known[code].name_zh, known[code].name_en) for code in known}
    for code in codes:
        named[code] = community_name(*named[code[:9]], int(code[9:]))
    levels = (
        ("division_district", largest, wards, 0),
        ("division_street", middle, [seat.code for seat in seats()], DISTRICT_DIGITS),
        ("division_community", smallest, codes, 9),
    )
    return [(layer, division_frame(shapes, own, named, cut)) for layer, shapes, own, cut in levels]


def division_frame(
    shapes: Geometries, codes: list[str], named: dict[str, tuple[str, str]], parent_digits: int
) -> gpd.GeoDataFrame:
    """One layer of divisions; the parent's code is the first digits of its own."""
    order = np.argsort(codes)
    sorted_codes = [codes[at] for at in order]
    return frame(
        as_multi(shapes[order]),
        code=sorted_codes,
        name=[named[code][0] for code in sorted_codes],
        name_en=[named[code][1] for code in sorted_codes],
        parent=[code[:parent_digits] or "440300" for code in sorted_codes],
        area_m2=areas(shapes[order]),
    )


def as_multi(shapes: Geometries) -> Geometries:
    """Every polygon as a multipolygon."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    several: Geometries = shapely.multipolygons(parts, indices=owner)
    return several


def natural_frame(ground: Ground, kinds: tuple[str, ...]) -> gpd.GeoDataFrame:
    """Hills or waters as they show on the map, in the order of their names."""
    shapes = merge_nature(ground, len(ground.naturals))
    chosen = [at for at, each in enumerate(ground.naturals) if each.kind in kinds and shapes[at] is not None]
    return frame(
        as_multi(shapes[chosen]),
        name=[ground.naturals[at].name_zh for at in chosen],
        name_en=[ground.naturals[at].name_en for at in chosen],
        kind=[KIND_ZH[ground.naturals[at].kind] for at in chosen],
        area_m2=areas(shapes[chosen]),
    )


def merge_nature(ground: Ground, count: int) -> Geometries:
    """The visible ground of each hill, lake and river."""
    wild = ground.nature >= 0
    return merge(ground.faces[wild], ground.nature[wild], count)


def woods(ground: Ground) -> gpd.GeoDataFrame:
    """Features of `green_area`: the hills."""
    return natural_frame(ground, ("hill",))


def waters(ground: Ground) -> gpd.GeoDataFrame:
    """Features of `water_area`."""
    return natural_frame(ground, ("lake", "river"))


def parks(blocks: Blocks, uses: Uses) -> gpd.GeoDataFrame:
    """Features of `green_area`: ground that is a park today, block by block, the larger ones."""
    park = uses.today == PARK
    merged = merge(blocks.parcels[park], blocks.block[park], len(blocks.geometry))
    shapes = merged[shapely.area(merged) > PARK_M2]
    nothing = np.full(len(shapes), None, dtype=object)
    return frame(
        as_multi(shapes), name=nothing, name_en=nothing, kind=["公园"] * len(shapes), area_m2=areas(shapes)
    )


def roads(lines: Roads) -> gpd.GeoDataFrame:
    """Features of `road`."""
    columns = {
        "name": lines.name_zh,
        "name_en": lines.name_en,
        "class": lines.grade,
        "width_m": lines.width_m,
    }
    return frame(lines.geometry, **columns)


def block_and_parcel_codes(
    shapes: Blocks, community: Labels, codes: list[str]
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Codes of blocks (community and four digits) and of parcels (19 characters, domain GB/T 37346)."""
    ward = np.array(codes, dtype=object)[community]
    number = running(community) + 1
    block = np.array([f"{own}{count:04d}" for own, count in zip(ward, number, strict=True)], dtype=object)
    sequence = running(community[shapes.block]) + 1
    parcel = [f"{own}GB{count:05d}" for own, count in zip(ward[shapes.block], sequence, strict=True)]
    return block, np.array(parcel, dtype=object)


def blocks(shapes: Blocks, own: NDArray[np.object_], community: Labels, codes: list[str]) -> gpd.GeoDataFrame:
    """Features of `block`."""
    return frame(
        shapes.geometry,
        code=own,
        community=np.array(codes, dtype=object)[community],
        area_m2=areas(shapes.geometry),
    )


def parcels(
    shapes: Blocks, uses: Uses, block: NDArray[np.object_], own: NDArray[np.object_]
) -> gpd.GeoDataFrame:
    """Features of `parcel`; the use is today's."""
    return frame(
        shapes.parcels,
        code=own,
        block=block[shapes.block],
        land_use=uses.today,
        land_use_name=use_names(uses.today),
        area_m2=areas(shapes.parcels),
    )


def unbuilt(ground: Ground, urban: Geometries, members: Labels, shapes: Blocks, community: Labels) -> Rest:
    """What blocks leave of a district: woods and waters by community, and the land of its roads.

    Blocks lie well inside the ground they are cut from, so they become its holes, corner by corner.
    """
    here = np.isin(ground.community, members) & (ground.nature >= 0)
    kinds = np.array([NATURE_USE[each.kind] for each in ground.naturals], dtype=object)
    labels = ground.community[here] * len(ground.naturals) + ground.nature[here]
    groups, member = np.unique(labels, return_inverse=True)
    wild = merge(ground.faces[here], member, len(groups))
    wild_use = kinds[groups % len(ground.naturals)]
    built = [at for at in members if urban[at] is not None]
    inside = merge(shapes.geometry, community, len(urban))
    streets_left = [
        urban[at] if inside[at] is None else shapely.difference(urban[at], inside[at]) for at in built
    ]
    land = np.array(streets_left, dtype=object)
    use = np.concatenate([wild_use, np.full(len(land), ROAD, dtype=object)])
    return Rest(np.concatenate([wild, land]), use)


def planned(shapes: Blocks, uses: Uses, own: NDArray[np.object_], rest: Rest) -> gpd.GeoDataFrame:
    """Features of `landuse_plan`: they cover the district without a gap. Ratios in per cent."""
    geometry = np.concatenate([shapes.parcels, rest.geometry])
    use = np.concatenate([uses.plan, rest.use])
    none = np.full(len(rest.use), np.nan)
    return frame(
        as_multi(geometry),
        land_use=use,
        land_use_name=use_names(use),
        parcel=np.concatenate([own, np.full(len(rest.use), None, dtype=object)]),
        far=np.concatenate([uses.far, none]),
        density=np.concatenate([np.round(uses.density * 100, 1), none]),
        green=np.concatenate([np.round(uses.green * 100, 1), none]),
        height_m=np.concatenate([uses.height_m, none]),
        area_m2=areas(geometry),
    )


def present(shapes: Blocks, uses: Uses, rest: Rest, random: np.random.Generator) -> gpd.GeoDataFrame:
    """Features of `landuse_status`: neighbours of one use in a block are one; no gap either."""
    names, code = np.unique(uses.today.astype(str), return_inverse=True)
    label = shapes.block * len(names) + code
    groups, member = np.unique(label, return_inverse=True)
    geometry = np.concatenate([merge(shapes.parcels, member, len(groups)), rest.geometry])
    use = np.concatenate([names.astype(object)[groups % len(names)], rest.use])
    first, last = SURVEY_YEARS
    return frame(
        as_multi(geometry),
        land_use=use,
        land_use_name=use_names(use),
        survey_year=random.integers(first, last + 1, len(use)),
        area_m2=areas(geometry),
    )


def building_codes(houses: Houses, parcel: NDArray[np.object_]) -> NDArray[np.object_]:
    """Codes of buildings: the parcel's, F, the number on the parcel (4 digits), 0000."""
    pairs = zip(parcel[houses.parcel], houses.number, strict=True)
    return np.array([f"{code}F{number:04d}0000" for code, number in pairs], dtype=object)


def buildings(houses: Houses, parcel: NDArray[np.object_]) -> gpd.GeoDataFrame:
    """Features of `building`."""
    return frame(
        houses.geometry,
        code=building_codes(houses, parcel),
        name=houses.name_zh,
        floors=houses.floors,
        height_m=houses.height_m,
        use=houses.use_zh,
        year=houses.year,
    )
