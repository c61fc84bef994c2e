"""Read the city by GDAL's WMTS driver; prints the number of bands and of painted pixels.

Arguments: ADDRESS LAYER TILEMATRIXSET.
"""

import sys

import rasterio
from rasterio.warp import transform_bounds
from rasterio.windows import from_bounds

CITY = (113.75, 22.45, 114.63, 22.86)  # degrees
address, layer, grid = sys.argv[1:]
asked = f"WMTS:{address}?SERVICE=WMTS&REQUEST=GetCapabilities,layer={layer},tilematrixset={grid}"
with rasterio.open(asked) as picture:
    window = from_bounds(*transform_bounds("EPSG:4490", picture.crs, *CITY), picture.transform)
    bands = picture.read(window=window, out_shape=(picture.count, 256, 256))
print(picture.count, int(bands[3].astype(bool).sum()))
