"""Read a picture by GDAL's WMS driver; prints the number of bands and of painted pixels.

Arguments: ADDRESS LAYER SRS XMIN YMIN XMAX YMAX SIZE.
"""

import sys

import rasterio

ASKED = """<GDAL_WMS>
<Service name="WMS"><Version>1.1.1</Version><ServerUrl>{address}?</ServerUrl><SRS>{srs}</SRS>
<ImageFormat>image/png</ImageFormat><Layers>{layer}</Layers><Styles></Styles></Service>
<DataWindow><UpperLeftX>{west}</UpperLeftX><UpperLeftY>{north}</UpperLeftY><LowerRightX>{east}</LowerRightX>
<LowerRightY>{south}</LowerRightY><SizeX>{size}</SizeX><SizeY>{size}</SizeY></DataWindow>
<Projection>{srs}</Projection><BlockSizeX>{size}</BlockSizeX><BlockSizeY>{size}</BlockSizeY>
<BandsCount>3</BandsCount></GDAL_WMS>"""
names = ("address", "layer", "srs", "west", "south", "east", "north", "size")
with rasterio.open(ASKED.format(**dict(zip(names, sys.argv[1:], strict=True)))) as picture:
    bands = picture.read()
print(picture.count, int((bands < 250).any(axis=0).sum()))
