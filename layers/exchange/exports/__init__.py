"""Files out: what a scope shows of a layer, in the formats that departments work with."""

from layers.exchange.exports.refusals import (
    NoGeometryToWrite,
    TooLongForCell,
    TooManyRows,
    UnknownExport,
    UnwritableText,
)
from layers.exchange.exports.selection import Clip, division_clip
from layers.exchange.exports.writing import MEDIA, count_of, export, suffix_of, suffixes_for

__all__ = [
    "MEDIA",
    "Clip",
    "NoGeometryToWrite",
    "TooLongForCell",
    "TooManyRows",
    "UnknownExport",
    "UnwritableText",
    "count_of",
    "division_clip",
    "export",
    "suffix_of",
    "suffixes_for",
]
