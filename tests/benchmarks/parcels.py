"""The benchmark's own data: a partition of a rectangle into parcels, the same for the same seed."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import shapely

SRID = 4547
SIDE_M = 60.0  # of one parcel, about
WEST, SOUTH = 476_000.0, 2_492_000.0  # EPSG:4547, metres
ROWS_PER_COLUMNS = 3 / 4
SEED = 20261123
LAYER = "parcels"
USES = ("居住用地", "商业服务业用地", "工业用地", "公园绿地", "道路与交通设施用地", "公共管理与公共服务用地")
FIELDS = ("code", "use", "area_m2", "far", "height_m", "surveyed")
SORTED = ("code", "use", "area_m2", "surveyed")  # those with an index where a row asks for some


def lattice(count):
    """Columns and rows of about `count` parcels, three rows to four columns."""
    columns = round((count / ROWS_PER_COLUMNS) ** 0.5)
    return columns, count // columns


def polygons(columns, rows, seed=SEED):
    """Parcels without gaps or overlaps, 11 points each (10 corners), row by row from the south west."""
    random = np.random.default_rng(seed)

    def bent(shape, x, y, reach):
        away = random.uniform(-reach, reach, (*shape, 2))
        line, column = np.indices(shape)
        return np.stack([WEST + SIDE_M * (column + x), SOUTH + SIDE_M * (line + y)], axis=-1) + away

    # Points that two or four parcels share: lattice nodes, two on each level side, one on each upright side.
    node = bent((rows + 1, columns + 1), 0, 0, 6.0)
    third, other = bent((rows + 1, columns), 1 / 3, 0, 4.0), bent((rows + 1, columns), 2 / 3, 0, 4.0)
    upright = bent((rows, columns + 1), 0, 0.5, 4.0)
    corners = [
        node[:-1, :-1], third[:-1], other[:-1], node[:-1, 1:], upright[:, 1:],
        node[1:, 1:], other[1:], third[1:], node[1:, :-1], upright[:, :-1], node[:-1, :-1],
    ]  # fmt: skip
    rings = np.round(np.stack(corners, axis=2), 3).reshape(rows * columns, len(corners), 2)
    return shapely.polygons(rings)


def frame(count, seed=SEED):
    """The parcels with six attributes."""
    columns, rows = lattice(count)
    shapes = polygons(columns, rows, seed)
    random = np.random.default_rng(seed + 1)
    number = np.arange(len(shapes))
    days = 18_262 + random.integers(0, 2_000, len(shapes))  # from 2020-01-01 on
    data = {
        "code": [
            f"4403{block:05d}{one:04d}" for block, one in zip(number // 1000, number % 1000, strict=True)
        ],
        "use": np.array(USES)[random.integers(0, len(USES), len(shapes))],
        "area_m2": np.round(shapely.area(shapes), 2),
        "far": np.round(random.uniform(0.5, 8.0, len(shapes)), 2),
        "height_m": random.integers(3, 300, len(shapes)),
        "surveyed": pd.array(days.astype("datetime64[D]"), dtype=pd.ArrowDtype(pa.date32())),
    }
    return gpd.GeoDataFrame(data, geometry=shapes, crs=SRID)


def geopackage(folder: Path, count):
    """Path of the GeoPackage with `count` parcels; written on first use."""
    return _written(folder / f"parcels-{count}-{SEED}.gpkg", lambda: frame(count))


def next_year(folder: Path, count):
    """Path of the same parcels of which one in a hundred changed; written on first use."""
    return _written(folder / f"parcels-{count}-{SEED}-next.gpkg", lambda: changed(frame(count)))


def changed(parcels, seed=SEED + 2):
    """Of each 1,000 parcels about seven in another use, three drawn 10 cm smaller on all sides."""
    chosen = np.random.default_rng(seed).random(len(parcels))
    used, drawn = chosen < 0.007, (chosen >= 0.007) & (chosen < 0.01)
    after = parcels.copy()
    after.loc[used, "use"] = "混合用地"
    after.loc[drawn, "geometry"] = shapely.set_precision(shapely.buffer(after.geometry[drawn], -0.1), 0.001)
    return after


def _written(path, make):
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"unfinished-{path.name}")
        unfinished.unlink(missing_ok=True)
        options = {"VERSION": "1.3"}  # what the oldest GDAL among the peers reads without a word
        pyogrio.write_dataframe(make(), unfinished, layer=LAYER, use_arrow=True, dataset_options=options)
        unfinished.replace(path)
    return path
