"""Which GDAL and GEOS the processes use, and the refusal to start with unsafe ones.

GeoDjango is given the copies inside the wheels of pyogrio (GDAL, with its PROJ data) and shapely (GEOS).
Debian 12's GDAL 3.6 must not be used: Django's guard against spatial reference strings that open files and
addresses has an effect only from GDAL 3.9 on (docs/decisions/0001).
"""

import importlib.util
import re
from pathlib import Path
from typing import NamedTuple

LEAST_GDAL = (3, 9)
LEAST_GEOS = (3, 11)


class MissingLibrary(RuntimeError):
    """A wheel does not carry the shared library expected in it."""


class Versions(NamedTuple):
    """The native libraries one process uses."""

    gdal: str
    gdal_proj: str  # the PROJ inside GDAL
    geos: str
    proj: str  # pyproj's
    gdal_path: str
    geos_path: str


def bundled(package: str, pattern: str) -> str:
    """Path of the shared library that `package`'s wheel carries beside itself.

    Raises
    ------
    MissingLibrary
        The wheel has none, or more than one; installing the locked environment anew mends it.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise MissingLibrary(f"{package} is not installed")
    folder = Path(spec.origin).parent.parent / f"{package}.libs"
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise MissingLibrary(f"{package}: expected one {pattern} in its wheel, found {len(found)}")
    return str(found[0])


def gdal_library() -> str:
    """GDAL of the pyogrio wheel: one static file with its PROJ inside."""
    return bundled("pyogrio", "libgdal-*.so*")


def geos_library() -> str:
    """GEOS of the shapely wheel (its C interface)."""
    return bundled("shapely", "libgeos_c-*.so*")


def version_of(text: str) -> tuple[int, ...]:
    """The leading numbers of a version text.

    >>> version_of("3.12.4")
    (3, 12, 4)
    >>> version_of("GEOS 3.14.1-CAPI-1.20.5")
    (3, 14, 1)
    """
    found = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(part) for part in found.group().split(".")) if found else ()


def unsafe(gdal: str, geos: str) -> list[str]:
    """Reasons, in English, why these versions must not serve; empty when they may."""
    reasons = []
    if version_of(gdal)[:2] < LEAST_GDAL:
        reasons.append(
            f"GDAL {gdal} opens files and addresses named in spatial reference strings; 3.9 or newer is needed"
        )
    if version_of(geos)[:2] < LEAST_GEOS:
        reasons.append(f"GEOS {geos} is older than 3.11")
    return reasons
