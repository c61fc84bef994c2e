"""What is looked at before anything is served: the native libraries this process really uses.

`manage.py check`, the worker and every command report the faults and refuse; so does the web application
(docs/decisions/0001).
"""

import ctypes
import logging
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyogrio
import pyproj
import shapely
from django.apps import AppConfig
from django.contrib.gis.gdal import GDALException
from django.contrib.gis.gdal.libgdal import gdal_version, lgdal
from django.contrib.gis.geos import Point
from django.contrib.gis.geos.libgeos import geos_version, lgeos
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from pyproj.exceptions import ProjError

from config import libraries
from config.libraries import Versions

log = logging.getLogger("onemap.libraries")

TAG = "onemap"
# A point of Shenzhen in EPSG:4490 (longitude, latitude, degrees) and EPSG:4547 (easting, northing, metres), to the
# centimetre; its test computes it anew by Krueger's series.
DEGREES, METRES = (114.05, 22.54), (505_143.33, 2_493_597.67)


def loaded() -> Versions:
    """The native libraries GeoDjango loaded in this process, and PROJ as GDAL and as pyproj have it."""
    # ctypes names a handle by the path it was loaded from.
    return Versions(
        gdal=gdal_version().decode(),
        gdal_proj=_proj_of_gdal(),
        geos=geos_version().decode(),
        proj=pyproj.proj_version_str,
        gdal_path=str(lgdal._name),
        geos_path=str(lgeos._name),
    )


def _proj_of_gdal() -> str:
    parts = [ctypes.c_int() for _ in range(3)]
    lgdal.OSRGetPROJVersion(*(ctypes.byref(part) for part in parts))
    return ".".join(str(part.value) for part in parts)


def faults(found: Versions) -> list[str]:
    """Reasons, in English, why a process with these libraries must not serve; empty when it may."""
    reasons = libraries.unsafe(found.gdal, found.geos)
    if not _same(found.gdal_path, libraries.gdal_library()):
        reasons.append(f"GeoDjango uses the GDAL at {found.gdal_path} and not pyogrio's own")
    if not _same(found.geos_path, libraries.geos_library()):
        reasons.append(f"GeoDjango uses the GEOS at {found.geos_path} and not shapely's own")
    if libraries.version_of(found.gdal) != pyogrio.__gdal_version__:
        reasons.append(f"GeoDjango has GDAL {found.gdal}, pyogrio has {pyogrio.__gdal_version__}")
    if libraries.version_of(found.geos) != shapely.geos_version:
        reasons.append(f"GeoDjango has GEOS {found.geos}, shapely has {shapely.geos_version}")
    return reasons


def _same(one: str, other: str) -> bool:
    return Path(one).is_absolute() and os.path.realpath(one) == os.path.realpath(other)


def misplaced() -> list[str]:
    """Reasons why transformations cannot be trusted here: each library moves one known point.

    It shows a PROJ_LIB, PROJ_DATA or GDAL_DATA in the environment that leads a library to foreign data.
    """
    moves = {"GDAL": _moved_by_gdal, "pyproj": _moved_by_pyproj}
    reasons = []
    for name, move in moves.items():
        try:
            right = math.dist(move(), METRES) < 0.02
        except (GDALException, ProjError):
            right = False
        if not right:
            reasons.append(
                f"{name} does not transform EPSG:4490 to EPSG:4547 rightly; is PROJ_LIB or PROJ_DATA set?"
            )
    return reasons


def _moved_by_gdal() -> tuple[float, float]:
    point = Point(*DEGREES, srid=4490)
    point.transform(4547)
    return point.x, point.y


def _moved_by_pyproj() -> tuple[float, float]:
    x, y = pyproj.Transformer.from_crs(4490, 4547, always_xy=True).transform(*DEGREES)
    return float(x), float(y)


def check_libraries(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """Django's system check: one error for each reason not to serve."""
    hint = "install the locked environment anew; PROJ_LIB, PROJ_DATA and GDAL_DATA must not be set"
    unsafe = [Error(reason, hint=hint, id="onemap.E001") for reason in faults(loaded())]
    return [*unsafe, *(Error(reason, hint=hint, id="onemap.E002") for reason in misplaced())]


def tell_libraries(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """Say in the log which libraries are in use; no fault comes of it."""
    found = loaded()
    log.info(
        "GDAL %s with PROJ %s, GEOS %s, pyproj's PROJ %s", found.gdal, found.gdal_proj, found.geos, found.proj
    )
    return []


def require_safe_libraries() -> None:
    """Say in the log which libraries are in use, and refuse to serve with unsafe ones.

    Raises
    ------
    django.core.exceptions.ImproperlyConfigured
        The versions, the places or the data of the libraries are not those the platform is safe with.
    """
    tell_libraries(None)
    if errors := check_libraries(None):
        raise ImproperlyConfigured("; ".join(str(error.msg) for error in errors))
