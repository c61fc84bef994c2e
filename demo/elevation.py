"""The ground's height above the 1985 datum: the hills of the city as smooth bells on a gently rising plain."""

from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin

from demo.seeds import stream
from demo.shape import warp
from demo.tables import nature, outline_ring

CELL_M = 30.0
MARGIN_M = 600.0
NODATA = -9999.0
HIGHEST_M = 940.0  # Wutong Mountain is 944 m
LONGEST_M = 9_500.0
SOUTH_M = 2_480_000.0

Floats = NDArray[np.float64]


def heights(east: Floats, north: Floats, seed: int) -> NDArray[np.float32]:
    """Heights in metres at positions of EPSG:4547; two arrays of one shape."""
    shifted = warp(seed).shift(np.column_stack([east.ravel(), north.ravel()]))
    moved = shifted.reshape(*east.shape, 2)
    found = 4.0 + (north - SOUTH_M) * 8e-4
    for each in nature():
        if each.kind != "hill":
            continue
        turn = np.radians(each.bearing_deg)
        dx, dy = moved[..., 0] - each.at[0], moved[..., 1] - each.at[1]
        along, across = dx * np.sin(turn) + dy * np.cos(turn), dx * np.cos(turn) - dy * np.sin(turn)
        far = (along / (each.length_m / 2)) ** 2 + (across / (each.width_m / 2)) ** 2
        found = found + HIGHEST_M * each.length_m / LONGEST_M * np.exp(-1.6 * far)
    ripple = stream(seed, "elevation").normal(0, 0.4, east.shape)
    return np.asarray(found + ripple, dtype=np.float32)


def write_elevation(path: Path, seed: int, box: tuple[float, float, float, float] | None = None) -> None:
    """Write a GeoTIFF of 30 m cells, EPSG:4547, float32: the whole city, or the cells that touch a box."""
    ring = np.array(outline_ring())
    low, high = (
        (ring.min(axis=0), ring.max(axis=0)) if box is None else (np.array(box[:2]), np.array(box[2:]))
    )
    west, south = np.floor((low - MARGIN_M) / CELL_M) * CELL_M
    east, north = np.ceil((high + MARGIN_M) / CELL_M) * CELL_M
    columns, rows = round((east - west) / CELL_M), round((north - south) / CELL_M)
    x = west + (np.arange(columns) + 0.5) * CELL_M
    y = north - (np.arange(rows) + 0.5) * CELL_M
    eastings, northings = np.meshgrid(x, y)
    with rasterio.open(
        path, "w", driver="GTiff", width=columns, height=rows, count=1, dtype="float32", crs="EPSG:4547",
        transform=from_origin(west, north, CELL_M, CELL_M), nodata=NODATA, compress="deflate", tiled=True,
    ) as file:  # fmt: skip
        file.write(heights(eastings, northings, seed), 1)
