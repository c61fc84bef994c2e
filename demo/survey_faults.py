"""Twelve faults that a check of the district's survey has to find, one of each kind."""

from collections.abc import Callable
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from demo.delivery import STORAGE, Planted, Survey, halves, stated_areas


def plant_faults(made: Survey) -> None:
    """Put in twelve faults, one of each kind, in features that lie apart from one another."""
    frame = made.frames["DLTB"]
    inner = shapely.buffer(made.frames["XZQ"].geometry.array[0], -300)
    area = shapely.area(frame.geometry.array)
    whole = (shapely.get_num_geometries(frame.geometry.array) == 1) & (area > 4_000) & (area < 60_000)
    places = np.flatnonzero(whole & shapely.contains(inner, frame.geometry.array))
    spread = iter(places[np.linspace(0, len(places) - 1, 24).astype(int)])
    for plant in _FAULTS:
        plant(made, int(next(spread)))


def _spot(frame: gpd.GeoDataFrame, at: int) -> tuple[float, float]:
    point = shapely.point_on_surface(frame.geometry.array[at])
    return float(point.x), float(point.y)


def _put(frame: gpd.GeoDataFrame, at: int, shape: Any) -> None:
    frame.loc[[at], "geometry"] = gpd.GeoSeries([shape], index=[at], crs=STORAGE)


def _overlap(made: Survey, at: int) -> None:
    """A feature grows four metres into its neighbours."""
    frame = made.frames["DLTB"]
    shape = frame.geometry.array[at]
    _put(frame, at, shapely.buffer(shape, 4.0, join_style="mitre"))
    frame.loc[at, "TBMJ"] = stated_areas(frame.iloc[[at]])[0]
    ring = shapely.point_on_surface(shapely.difference(frame.geometry.array[at], shape))
    made.planted.append(Planted("overlap", "DLTB", (at + 1,), (ring.x, ring.y)))


def _gap(made: Survey, at: int) -> None:
    frame = made.frames["DLTB"]
    place = _spot(frame, at)
    one, other = halves(frame.geometry.array[at])
    _put(frame, at, one)
    frame.loc[at, "TBMJ"] = stated_areas(frame.iloc[[at]])[0]
    made.planted.append(
        Planted("gap", "DLTB", (), _spot(gpd.GeoDataFrame(geometry=[other], crs=STORAGE), 0) or place)
    )


def _sliver(made: Survey, at: int) -> None:
    """A strip of thirty centimetres along one side becomes a feature of its own."""
    frame = made.frames["DLTB"]
    shape = frame.geometry.array[at]
    west, south, _, north = shape.bounds
    strip = shapely.intersection(shape, shapely.box(west - 1, south - 1, west + 0.3, north + 1))
    while strip.area < 0.05:
        west += 0.3
        strip = shapely.intersection(shape, shapely.box(west - 1, south - 1, west + 0.3, north + 1))
    _put(frame, at, shapely.difference(shape, strip))
    more = frame.iloc[[at]].copy()
    more["BSM"] = ["440304999999999999"]
    more["geometry"] = gpd.GeoSeries([strip], index=more.index, crs=STORAGE)
    frame.loc[at, "TBMJ"] = stated_areas(frame.iloc[[at]])[0]
    more["TBMJ"] = stated_areas(more)
    made.frames["DLTB"] = gpd.GeoDataFrame(pd.concat([frame, more], ignore_index=True), crs=STORAGE)
    place = strip.centroid
    made.planted.append(Planted("sliver", "DLTB", (len(frame) + 1,), (place.x, place.y)))


def _outside(made: Survey, at: int) -> None:
    """A feature of the grid reaches beyond the district."""
    frame = made.frames["DLTB"]
    border = made.frames["XZQ"].geometry.array[0].boundary
    edge = int(shapely.distance(frame.geometry.array, border).argmin())
    reach = shapely.line_interpolate_point(
        border, shapely.line_locate_point(border, frame.geometry.array[edge].centroid)
    )
    grown = shapely.union(frame.geometry.array[edge], shapely.buffer(reach, 20.0))
    out = shapely.difference(grown, made.frames["XZQ"].geometry.array[0])
    kept = shapely.union(frame.geometry.array[edge], out)
    _put(frame, edge, kept)
    frame.loc[edge, "TBMJ"] = stated_areas(frame.iloc[[edge]])[0]
    place = shapely.point_on_surface(out)
    made.planted.append(Planted("outside", "DLTB", (edge + 1,), (place.x, place.y)))


def _twin_key(made: Survey, at: int) -> None:
    frame = made.frames["ZD"]
    frame.loc[1, "ZDDM"] = frame.loc[0, "ZDDM"]
    made.planted.append(Planted("duplicate-key", "ZD", (2,), _spot(frame, 1)))


def _no_key(made: Survey, at: int) -> None:
    frame = made.frames["JZW"]
    frame.loc[4, "JZWBM"] = None
    made.planted.append(Planted("key-missing", "JZW", (5,), _spot(frame, 4)))


def _bad_code(made: Survey, at: int) -> None:
    frame = made.frames["DLTB"]
    frame.loc[at, "DLBM"] = "9999"
    made.planted.append(Planted("not-in-code-list", "DLTB", (at + 1,), _spot(frame, at)))


def _wrong_name(made: Survey, at: int) -> None:
    frame = made.frames["DLTB"]
    frame.loc[at, "DLMC"] = "水田" if frame.loc[at, "DLMC"] != "水田" else "旱地"
    made.planted.append(Planted("name-mismatch", "DLTB", (at + 1,), _spot(frame, at)))


def _wrong_area(made: Survey, at: int) -> None:
    frame = made.frames["DLTB"]
    frame.loc[at, "TBMJ"] = round(float(frame.loc[at, "TBMJ"]) * 1.05, 2)
    made.planted.append(Planted("area-mismatch", "DLTB", (at + 1,), _spot(frame, at)))


def _wrong_total(made: Survey, at: int) -> None:
    made.tables["KZMJ"].loc[0, "KZMJ"] += 5_000.0
    made.planted.append(Planted("sum-mismatch", "DLTB"))


def _stray_row(made: Survey, at: int) -> None:
    table = made.tables["RK"]
    table.loc[0, "JZWBM"] = "440304999999GB99999F00010000"
    made.planted.append(Planted("table-row-without-partner", "RK", (1,)))


def _bow_tie(made: Survey, at: int) -> None:
    frame = made.frames["JF"]
    west, south, east, north = frame.geometry.array[7].bounds
    tie = shapely.Polygon([(west, south), (east, north), (east, south), (west, north)])
    _put(frame, 7, tie)
    made.planted.append(Planted("invalid-geometry", "JF", (8,), ((west + east) / 2, (south + north) / 2)))


_FAULTS: tuple[Callable[[Survey, int], None], ...] = (
    *(_overlap, _gap, _sliver, _outside, _twin_key, _no_key),
    *(_bad_code, _wrong_name, _wrong_area, _wrong_total, _stray_row, _bow_tie),
)
