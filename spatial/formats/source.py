"""What every reader of a file answers: one layer, its fields, and its features in batches."""

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from spatial.formats.refusals import TooManyFields
from spatial.numbers import BBox
from spatial.validity import Family

MOST_FIELDS = 250
BATCH_ROWS = 20_000

Geometries = NDArray[np.object_]
Notes = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class SourceField:
    """A column of the file.

    Attributes
    ----------
    name : str
        As the file writes it.
    type : str
        'text', 'integer', 'real', 'date', 'datetime' or 'boolean'.
    width : int or None
        Longest value the file declares, in its own count.
    alias : str or None
        What the file calls the column for people.
    codes : mapping or None
        Coded values the file declares for the column: code to what it stands for.
    """

    name: str
    type: str
    width: int | None = None
    alias: str | None = None
    codes: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive features.

    Attributes
    ----------
    start : int
        Place of the first one in the file, from 0.
    geometries : array of shapely geometries
        None where a feature has none; x before y, units of the file's own system, heights kept.
    table : pyarrow.Table
        Attributes, one column per field, in the order of the fields.
    """

    start: int
    geometries: Geometries
    table: pa.Table


@dataclass(slots=True, weakref_slot=True)
class Source:
    """One layer of a file, opened.

    Attributes
    ----------
    driver : str
        Name of the format: 'GPKG', 'ESRI Shapefile', 'GeoJSON', 'CSV', 'OpenFileGDB', 'DXF', ….
    layer : str
        The layer read.
    layers : list of str
        All layers of the file.
    fields : tuple of SourceField
        The columns.
    count : int
        Features in the layer.
    reader : callable
        Makes the batches of a given size, afresh at each call.
    srid : int or None
        EPSG code the file declares, None if it declares none that is accepted.
    crs_note : str or None
        What the file says of its system where `srid` is None.
    encoding : str or None
        How the text was decoded, None if nothing fits.
    encoding_sure : bool
        False: a person has to look at `encoding_samples` first.
    encoding_samples : list of dict
        Up to ten rows under each candidate: {'encoding': …, 'rows': [{field: text}, …]}.
    bounds : BBox or None
        Box of the coordinates, units of the file's own system.
    family : Family or None
        What most features are; None without geometry.
    notes : list of dict
        Findings: {'code', 'zh', 'en', 'count'}; some appear only while batches are read.
    """

    driver: str
    layer: str
    layers: list[str]
    fields: tuple[SourceField, ...]
    count: int
    reader: Callable[[int], Iterator[Batch]]
    srid: int | None = None
    crs_note: str | None = None
    encoding: str | None = "utf-8"
    encoding_sure: bool = True
    encoding_samples: list[dict[str, Any]] = field(default_factory=list)
    bounds: BBox | None = None
    family: Family | None = None
    notes: Notes = field(default_factory=list)
    known_before: int | None = None  # how many findings there were before the first batch

    def __post_init__(self) -> None:
        if len(self.fields) > MOST_FIELDS:
            raise TooManyFields(count=len(self.fields), limit=MOST_FIELDS)

    def batches(self, size: int = BATCH_ROWS) -> Generator[Batch, None, None]:
        """All features in the order of the file, `size` at a time; each call begins anew, findings too."""
        if self.known_before is None:
            self.known_before = len(self.notes)
        del self.notes[self.known_before :]
        yield from self.reader(size)  # the source, and with it its folder, lives until the last batch


def note(notes: Notes, code: str, zh: str, en: str, count: int = 1) -> None:
    """Add a finding, or add to the count of one with the same code."""
    for known in notes:
        if known["code"] == code and known["en"] == en:
            known["count"] += count
            return
    notes.append({"code": code, "zh": zh, "en": en, "count": count})


def internal_columns(names: list[str]) -> list[str]:
    """A column name for each field name: 'f_001', 'f_002', …; never a word of SQL, never twice the same.

    Raises
    ------
    TooManyFields
        More than 250.

    Examples
    --------
    >>> internal_columns(["select", "名称"])
    ['f_001', 'f_002']
    """
    if len(names) > MOST_FIELDS:
        raise TooManyFields(count=len(names), limit=MOST_FIELDS)
    return [f"f_{place:03d}" for place in range(1, len(names) + 1)]
