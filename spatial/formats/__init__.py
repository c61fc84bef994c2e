"""Reading delivered files of the formats that are taken, and of no other."""

from spatial.formats.opening import open_source
from spatial.formats.refusals import (
    ArchiveTooBig,
    NotAllowedFormat,
    SourceLayerMissing,
    TooManyFields,
    UnreadableSource,
    WrongEncoding,
)
from spatial.formats.source import MOST_FIELDS, Batch, Source, SourceField, internal_columns

__all__ = [
    "MOST_FIELDS",
    "ArchiveTooBig",
    "Batch",
    "NotAllowedFormat",
    "Source",
    "SourceField",
    "SourceLayerMissing",
    "TooManyFields",
    "UnreadableSource",
    "WrongEncoding",
    "internal_columns",
    "open_source",
]
