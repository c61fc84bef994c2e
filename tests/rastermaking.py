"""GeoTIFFs for tests: grounds whose height is known everywhere, and files that are not what they say."""

import numpy as np
import rasterio
from rasterio.transform import from_origin

WEST, NORTH, CELL = 505_000.0, 2_500_000.0, 10.0


def height(x, y):
    """A ground in the storage CRS: smooth, and different in every direction."""
    return (np.asarray(x) - WEST) / 50.0 + (NORTH - np.asarray(y)) / 80.0


def write(path, cells, *, west=WEST, north=NORTH, cell=CELL, crs=4547, transform=None, mask=None, **profile):
    """A GeoTIFF of cells, shape (bands, rows, columns)."""
    cells = np.atleast_3d(cells) if cells.ndim == 3 else cells[None]
    given = {
        "driver": "GTiff",
        "count": cells.shape[0],
        "height": cells.shape[1],
        "width": cells.shape[2],
        "dtype": cells.dtype,
        "crs": crs,
        "transform": transform or from_origin(west, north, cell, cell),
        **profile,
    }
    with rasterio.open(
        path, "w", **{name: value for name, value in given.items() if value is not None}
    ) as file:
        file.write(cells)
        if mask is not None:
            file.write_mask(mask)
    return path


def ground(path, columns=120, rows=90, dtype="float32", **more):
    """The known ground at the centres of its cells."""
    x = more.get("west", WEST) + (np.arange(columns) + 0.5) * CELL
    y = more.get("north", NORTH) - (np.arange(rows) + 0.5) * CELL
    return write(path, height(*np.meshgrid(x, y)).astype(dtype), **more)
