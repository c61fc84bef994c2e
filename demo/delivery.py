"""A district's yearly land survey, made from the demonstration city: forty shapefiles as surveyors hand them over.

GBK, zone 38 (EPSG:4526), no .prj and no .cpg: encoding and coordinate system have to be asked. Beside them a table
of people, a table of control areas and an elevation raster. With faults planted, or as next year's with a few
per cent changed.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from demo.city import generate
from demo.elevation import write_elevation
from demo.seeds import stream
from demo.shape import GRID_M
from demo.tables import rows
from spatial.crs import transformation
from spatial.measure import geodesic_area

ZONE_M = 38_000_000.0  # what zone 38 puts before an easting
STORAGE = 4547
COMPONENT_CLASSES = 19
# Source name, layer of the city, and the names a dBase file can hold (ten bytes).
SOURCES: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("XZQ", "division_district", {"code": "XZQDM", "name": "XZQMC", "area_m2": "JSMJ"}),
    ("JDXZQ", "division_street", {"code": "XZQDM", "name": "XZQMC", "area_m2": "JSMJ"}),
    ("SQ", "division_community", {"code": "SQDM", "name": "SQMC", "area_m2": "JSMJ"}),
    ("DLTB", "landuse_status", {"land_use": "DLBM", "land_use_name": "DLMC", "survey_year": "SJNF"}),
    ("GHTB", "landuse_plan", {"land_use": "GHYT", "land_use_name": "YTMC", "parcel": "ZDDM", "far": "RJL"}),
    ("ZD", "parcel", {"code": "ZDDM", "block": "JFDM", "land_use": "YTDM", "land_use_name": "YTMC"}),
    ("JF", "block", {"code": "JFDM", "community": "SQDM", "area_m2": "JSMJ"}),
    ("JZW", "building", {"code": "JZWBM", "name": "JZWMC", "floors": "CS", "height_m": "GD", "use": "YT"}),
    ("DLZX", "road", {"name": "LM", "class": "DJ", "width_m": "HXKD"}),
    ("SX", "water_area", {"name": "MC", "kind": "LB", "area_m2": "JSMJ"}),
    ("LD", "green_area", {"name": "MC", "kind": "LB", "area_m2": "JSMJ"}),
    ("STBHHX", "line_ecology", {"code": "HXBH", "name": "HXMC", "area_m2": "JSMJ"}),
    ("CZKFBJ", "line_urban", {"code": "BJBH", "name": "BJMC", "area_m2": "JSMJ"}),
    ("FDTZ", "plan_area", {"code": "TZBH", "name": "TZMC", "status": "ZT"}),
    ("TDCR", "land_sale", {"code": "HTBH", "parcel": "ZDDM", "way": "CRFS", "price": "CJJ"}),
    ("DYWG", "grid_unit", {"code": "WGBM", "community": "SQDM", "area_m2": "JSMJ"}),
    ("ZRWG", "duty_area", {"code": "WGBM", "community": "SQDM", "grids": "WGS"}),
    ("MPDZ", "address", {"code": "DZBM", "full": "BZDZ", "building": "JZWBM"}),
    ("XQD", "poi", {"code": "XQDBM", "name": "MC", "kind": "LB"}),
    ("GGSS", "facility", {"code": "SSBM", "name": "MC", "kind": "LB", "capacity": "GM", "unit": "GMDW"}),
    ("GHTZ", "plan_area", {"code": "TZBH", "name": "TZMC"}),
)
KEYS = {"GHTB": "BSM", "DLTB": "BSM"}
HOMES, GREENS = ("0701", "城镇住宅用地"), ("1401", "公园绿地")


@dataclass
class Planted:
    """A fault that was put in: the code a check gives it, where it is, and which rows (from 1) it touches."""

    code: str
    source: str
    rows: tuple[int, ...] = ()
    place: tuple[float, float] | None = None  # EPSG:4547


@dataclass
class Survey:
    """The survey before it is written: frames in EPSG:4547 by source, tables, and what was planted."""

    frames: dict[str, gpd.GeoDataFrame]
    tables: dict[str, pd.DataFrame]
    planted: list[Planted] = field(default_factory=list)


def survey(district: str, year: int, seed: int, size: str = "small") -> Survey:
    """The district's survey without a fault."""
    whole: dict[str, list[pd.DataFrame]] = {}
    for spec, part in generate(size, seed):
        whole.setdefault(spec.name, []).append(part)
    city = {name: pd.concat(parts, ignore_index=True) for name, parts in whole.items()}
    shape = city["division_district"].set_index("code").geometry[district]
    inside = {name: _inside(frame, shape) for name, frame in city.items() if "geometry" in frame}
    inside["division_district"] = city["division_district"][city["division_district"]["code"] == district]
    frames = {source: _named(inside[name], names) for source, name, names in SOURCES}
    for source in KEYS:
        frames[source].insert(0, "BSM", [f"{district}{n:012d}" for n in range(1, len(frames[source]) + 1)])
    frames["DLTB"]["TBMJ"] = stated_areas(frames["DLTB"])
    frames["DLTB"]["SJNF"] = year
    kinds = [one["class"] for one in rows("components.csv")][:COMPONENT_CLASSES]
    parts = inside["component"]
    for kind in kinds:
        named = {"code": "BJBM", "class": "BJLB", "name": "BJMC", "grid": "WGBM", "state": "ZT"}
        frames[f"BJ{kind}"] = _named(parts[parts["class"] == kind], named)
    people = city["population"][city["population"]["building"].isin(set(frames["JZW"]["JZWBM"]))]
    totals = frames["DLTB"].groupby("DLBM", as_index=False)["TBMJ"].sum().rename(columns={"TBMJ": "KZMJ"})
    tables = {
        "RK": people.rename(columns={"building": "JZWBM", "households": "HS", "residents": "RKS"})[
            ["JZWBM", "HS", "RKS"]
        ].reset_index(drop=True),
        "KZMJ": totals.round({"KZMJ": 2}),
    }
    return Survey(frames, tables)


def _inside(frame: gpd.GeoDataFrame, shape: Any) -> gpd.GeoDataFrame:
    """What lies in the district, whole: told by a point on each feature."""
    found = gpd.GeoDataFrame(frame, geometry="geometry", crs=STORAGE)
    spot = shapely.point_on_surface(found.geometry.array)
    shapely.prepare(shape)
    return found[shapely.contains(shape, spot)].reset_index(drop=True)


def _named(frame: gpd.GeoDataFrame, names: dict[str, str]) -> gpd.GeoDataFrame:
    return frame[[*names, "geometry"]].rename(columns=names).reset_index(drop=True)


def stated_areas(frame: gpd.GeoDataFrame) -> np.ndarray:
    """Areas on the CGCS2000 ellipsoid in m², to the second decimal: what a survey states."""
    degrees = shapely.transform(frame.geometry.array, transformation(STORAGE, 4490, {}).apply)
    return np.round([geodesic_area(one) for one in degrees], 2)


def change_some(made: Survey, share: float, year: int) -> dict[str, set[str]]:
    """Next year: a share of the land parcels changes; two thirds get another class, the others are cut in two.

    Returns
    -------
    dict
        For `DLTB`, the keys that were updated and inserted.
    """
    random = stream(year, "next year")
    frame = made.frames["DLTB"]
    count = max(int(share * len(frame)), 3)
    shuffled = random.permutation(len(frame))
    cut = [at for at in shuffled if _in_two(frame.geometry.array[at]) is not None][: count // 3]
    other = [at for at in shuffled if at not in set(cut)][: count - len(cut)]
    homes = frame["DLBM"] == HOMES[0]
    frame.loc[other, "DLBM"] = np.where(homes[other], GREENS[0], HOMES[0])
    frame.loc[other, "DLMC"] = np.where(homes[other], GREENS[1], HOMES[1])
    more = frame.iloc[cut].copy()
    more["BSM"] = [f"{code[:6]}9{n:011d}" for n, code in enumerate(more["BSM"], start=1)]
    pairs = [_in_two(frame.geometry.array[at]) or (None, None) for at in cut]
    frame.loc[cut, "geometry"] = gpd.GeoSeries([one for one, _ in pairs], index=cut, crs=STORAGE)
    more["geometry"] = gpd.GeoSeries([two for _, two in pairs], index=more.index, crs=STORAGE)
    frame.loc[[*cut, *other], "SJNF"] = more["SJNF"] = year
    made.frames["DLTB"] = gpd.GeoDataFrame(pd.concat([frame, more], ignore_index=True), crs=STORAGE)
    _restate(made)
    return {"updated": set(frame["BSM"].iloc[[*cut, *other]]), "inserted": set(more["BSM"])}


def _in_two(shape: Any) -> tuple[Any, Any] | None:
    """Both halves, if each is one sound polygon."""
    pair = halves(shape)
    sound = all(one.geom_type == "Polygon" and one.is_valid and one.area > 100 for one in pair)
    return pair if sound and shapely.get_num_geometries(shape) == 1 else None


def halves(shape: Any) -> tuple[Any, Any]:
    """The western and the eastern half of a shape."""
    west, south, east, north = shape.bounds
    middle = round((west + east) / 2, 3)
    west_side = shapely.box(west - 1, south - 1, middle, north + 1)
    left = shapely.intersection(shape, west_side, grid_size=GRID_M)
    return left, shapely.difference(shape, west_side, grid_size=GRID_M)


def _restate(made: Survey) -> None:
    """Areas and control totals follow the shapes."""
    frame = made.frames["DLTB"]
    frame["TBMJ"] = stated_areas(frame)
    totals = frame.groupby("DLBM", as_index=False)["TBMJ"].sum().rename(columns={"TBMJ": "KZMJ"})
    made.tables["KZMJ"] = totals.round({"KZMJ": 2})


def write_survey(made: Survey, folder: Path, seed: int) -> None:
    """Write the folder a surveyor would hand over."""
    folder.mkdir(parents=True, exist_ok=True)
    for source, frame in made.frames.items():
        shifted = shapely.transform(frame.geometry.array, lambda xy: xy + np.array([ZONE_M, 0.0]))
        plain = gpd.GeoDataFrame(frame.drop(columns="geometry"), geometry=shifted, crs="EPSG:4526")
        pyogrio.write_dataframe(
            plain, folder / f"{source}.shp", driver="ESRI Shapefile", encoding="GBK", promote_to_multi=False
        )
        for suffix in (".cpg", ".prj"):
            (folder / f"{source}{suffix}").unlink(missing_ok=True)
    for name, table in made.tables.items():
        table.to_excel(folder / f"{name}.xlsx", index=False, sheet_name=name)
    west, south, east, north = made.frames["XZQ"].total_bounds
    write_elevation(folder / "DEM.tif", seed, (west, south, east, north))
