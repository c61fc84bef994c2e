"""A dBASE table by itself: rows without geometry."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from spatial.formats.dbf import DbfTable
from spatial.formats.shapefile import encoding_of
from spatial.formats.source import Batch, Notes, Source, note


def open_dbf(members: dict[str, Path], name: str, encoding: str | None) -> Source:
    """The rows of a .dbf.

    Parameters
    ----------
    members : dict
        '.dbf', and '.cpg' where there is one.
    name : str
        What it is called.
    encoding : str, optional
        A person's choice.

    Raises
    ------
    UnreadableSource
        Broken or cut off.
    WrongEncoding
        The choice does not decode the text.
    """
    notes: Notes = []
    table = DbfTable(members[".dbf"], name)
    verdict = encoding_of(table, members.get(".cpg"), encoding, notes)
    fields, rows = table.read(verdict.encoding, notes)
    if table.deleted.any():
        zh, en = "已标记删除的记录未读入", "records marked as deleted were not read"
        note(notes, "deleted-records", zh, en, int(np.count_nonzero(table.deleted)))
        rows = rows.filter(pa.array(~table.deleted))
    note(notes, "no-geometry", "没有图形，只有属性", "no shapes, attributes only")
    return Source(
        driver="DBF",
        layer=name,
        layers=[name],
        fields=fields,
        count=table.count - int(np.count_nonzero(table.deleted)),
        reader=partial(_batches, rows),
        crs_note="没有图形 / there are no shapes",
        encoding=verdict.encoding,
        encoding_sure=verdict.sure,
        encoding_samples=[] if verdict.sure else table.samples(),
        notes=notes,
    )


def _batches(rows: pa.Table, size: int) -> Iterator[Batch]:
    for start in range(0, rows.num_rows, size):
        part = rows.slice(start, size)
        yield Batch(start, np.full(part.num_rows, None, dtype=object), part)
