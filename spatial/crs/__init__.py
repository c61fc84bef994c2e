"""Coordinate systems: the accepted codes, transforms with a stated accuracy, and what contradicts them.

Coordinates are x (east, longitude) before y (north, latitude) everywhere below this package, whatever order a
standard writes them in. No text of a sender reaches PROJ or GDAL: codes are matched by pattern and looked up,
well-known text is read by the parser in `spatial.crs.wkt`.
"""

from spatial.crs.plausible import Contradiction, Guess, contradiction, guess_crs
from spatial.crs.table import (
    CRS84,
    INPUT_SRIDS,
    OUTPUT_SRIDS,
    Crs,
    UnknownCrs,
    crs_of,
    numeric_bounds,
    parse_crs,
)
from spatial.crs.transform import BadParameters, InaccurateTransform, Transformation, transformation
from spatial.crs.wkt import ObfuscatedDatum, identify_wkt, refuse_obfuscated

__all__ = [
    "CRS84",
    "INPUT_SRIDS",
    "OUTPUT_SRIDS",
    "BadParameters",
    "Contradiction",
    "Crs",
    "Guess",
    "InaccurateTransform",
    "ObfuscatedDatum",
    "Transformation",
    "UnknownCrs",
    "contradiction",
    "crs_of",
    "guess_crs",
    "identify_wkt",
    "numeric_bounds",
    "parse_crs",
    "refuse_obfuscated",
    "transformation",
]
