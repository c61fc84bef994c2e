"""Read a collection with the OAPIF driver of pyogrio's GDAL; a process of its own, since the platform's own
processes put that driver away.

Arguments: address, collection, GeoPackage to write, open options as NAME=VALUE.
"""

import sys

import pyogrio

address, collection, path, *options = sys.argv[1:]
found = pyogrio.read_dataframe(
    f"OAPIF:{address}", layer=collection, **dict(option.split("=", 1) for option in options)
)
pyogrio.write_dataframe(found, path, layer=collection)
