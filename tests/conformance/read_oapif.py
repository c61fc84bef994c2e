"""Read a collection with the OAPIF driver of pyogrio's GDAL; a process of its own, since the platform's own
processes put that driver away.

Arguments: address, collection, GeoPackage to write, open options as NAME=VALUE; WHERE=… is an attribute filter.
"""

import sys

import pyogrio

address, collection, path, *options = sys.argv[1:]
given = dict(option.split("=", 1) for option in options)
where = given.pop("WHERE", None)
found = pyogrio.read_dataframe(f"OAPIF:{address}", layer=collection, where=where, **given)
pyogrio.write_dataframe(found, path, layer=collection)
