"""Eight threads that call every native library of a process at once; imported by the processes under test."""

import math
import os
import tempfile
import threading
from pathlib import Path

import pyogrio
import pyproj
import shapely
from django.contrib.gis.geos import Point

THREADS, ROUNDS = 8, 50
DEGREES, METRES = (114.05, 22.54), (505_143.33, 2_493_597.67)
# What Debian, QGIS and ArcGIS write beside a shapefile: no code of EPSG in it, so PROJ's database is asked.
WKT = (
    'GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",DATUM["D_China_2000",SPHEROID["CGCS2000",6378137.0,'
    '298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
)


def near(found, wanted=METRES):
    assert math.dist(found, wanted) < 0.02, found


def geodjango(folder):
    point = Point(*DEGREES, srid=4490)
    point.transform(4547)
    near((point.x, point.y))


def by_pyproj(folder):
    near(pyproj.Transformer.from_crs(4490, 4547, always_xy=True).transform(*DEGREES))


def by_shapely(folder):
    square = shapely.box(0, 0, 10, 10)
    moved = shapely.transform(square, lambda xy: xy + METRES)
    near(
        shapely.get_coordinates(shapely.union(moved, moved.buffer(1)).centroid)[0],
        (METRES[0] + 5, METRES[1] + 5),
    )


def by_pyogrio(folder):
    assert pyogrio.read_info(folder / "point.shp")["crs"] == "EPSG:4490"
    (shape,) = pyogrio.raw.read(folder / "point.gpkg")[2]
    near(shapely.get_coordinates(shapely.from_wkb(shape))[0], METRES)


def write_files(folder):
    """A point in both systems; written before the threads begin."""
    for name, place, crs in (("point.shp", DEGREES, WKT), ("point.gpkg", METRES, "EPSG:4547")):
        shapes = shapely.to_wkb(shapely.points([place]))
        pyogrio.raw.write(folder / name, shapes, [], [], geometry_type="Point", crs=crs)
    # GDAL writes a code into the file where it knows one; the one delivered has none.
    (folder / "point.prj").write_text(WKT)


def failures(*more):
    """What went wrong in 8 threads of 50 rounds over every library; empty when all was right."""
    calls = (geodjango, by_pyproj, by_shapely, by_pyogrio, *more)
    wrong, done = [], []

    def rounds(folder):
        for _ in range(ROUNDS):
            for call in calls:
                try:
                    call(folder)
                    done.append(call.__name__)
                except Exception as error:
                    wrong.append(f"{call.__name__}: {type(error).__name__}: {error}"[:300])

    with tempfile.TemporaryDirectory() as place:
        write_files(Path(place))
        threads = [threading.Thread(target=rounds, args=[Path(place)]) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(done) + len(wrong) == THREADS * ROUNDS * len(calls)
    foreign = [name for name in ("PROJ_LIB", "PROJ_DATA", "GDAL_DATA", "ICU_DATA") if name in os.environ]
    return wrong + [f"{name} is set" for name in foreign]


def report(*more):
    """The outcome in a few lines."""
    wrong = failures(*more)
    return {"calls": THREADS * ROUNDS * (4 + len(more)), "wrong": len(wrong), "first": wrong[:3]}
