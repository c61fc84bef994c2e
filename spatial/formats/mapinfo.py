"""MapInfo: native tables (.tab with .dat, .map, .id) and interchange files (.mif with .mid).

A .tab may name other tables and pictures; only native tables are read, and GDAL gets a header of our own
writing in which the character set is the one that was settled here. So it opens nothing but the links beside it.
"""

import mmap
import re
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from spatial.crs import crs_of
from spatial.formats.dbf import DbfTable
from spatial.formats.encodings import Verdict, decide
from spatial.formats.gdal import GdalLayer
from spatial.formats.recoding import line_samples
from spatial.formats.refusals import NotAllowedFormat, UnreadableSource
from spatial.formats.source import Notes, Source, note

TAB_MEMBERS = (".tab", ".dat", ".map", ".id", ".ind")
MIF_MEMBERS = (".mif", ".mid")
_CHARSETS = {
    "utf-8": "UTF-8",
    "gb18030": "WindowsSimpChinese",
    "big5hkscs": "WindowsTradChinese",
    "cp1252": "WindowsLatin1",
}
_CODECS = {named.lower(): codec for codec, named in _CHARSETS.items()}
_CHARSET = re.compile(rb'(!charset[ \t]+|Charset[ \t]+")([A-Za-z0-9_-]{0,30})', re.IGNORECASE)
_TYPE = re.compile(rb"^[ \t]*Type[ \t]+([A-Za-z]+)", re.IGNORECASE | re.MULTILINE)
_ELSEWHERE = re.compile(
    rb"^[ \t]*(?:Open[ \t]+Table|File[ \t]+\"|Begin_Metadata_Seamless)", re.IGNORECASE | re.MULTILINE
)
_FIELDS = re.compile(rb"^[ \t]*Fields[ \t]+([0-9]{1,4})[ \t]*\r?\n", re.IGNORECASE | re.MULTILINE)
_CHAR = re.compile(rb"[ \t]Char[ \t]*\(", re.IGNORECASE)
_NOT_ASCII = re.compile(rb"[\x80-\xff][\x80-\xff\x30-\x7e]*")
_LONGEST_HEADER = 200_000
_LARGEST_TEXT = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Reading:
    """Where the prepared files are, and how their text is to be read."""

    path: Path
    verdict: Verdict
    samples: list[dict[str, Any]]


def open_tab(members: dict[str, Path], name: str, work: Path, encoding: str | None) -> Source:
    """The features of a native table.

    Raises
    ------
    NotAllowedFormat
        The table only refers to other tables or files.
    UnreadableSource
        A part is missing or broken.
    WrongEncoding
        The choice does not decode the text.
    """
    if ".dat" not in members:
        raise UnreadableSource(name, "the .dat file is missing", "缺少 .dat 文件")
    header = members[".tab"].read_bytes()[: _LONGEST_HEADER + 1]
    kind = _TYPE.search(header)
    if (
        len(header) > _LONGEST_HEADER
        or kind is None
        or kind[1].upper() != b"NATIVE"
        or _ELSEWHERE.search(header)
    ):
        raise NotAllowedFormat(name, "it is no native MapInfo table", "不是 MapInfo 原生表")
    table = DbfTable(members[".dat"], name)
    names = _fields(header)
    if len(names) == len(table.columns):
        table.columns = [
            replace(column, raw_name=line.split()[0])
            for column, line in zip(table.columns, names, strict=True)
            if _CHAR.search(line)
        ]
    odd = {piece for line in names for piece in _NOT_ASCII.findall(line)}
    verdict = decide(sorted({*table.texts(), *odd}), explicit=encoding, declared=_declared(header))
    path = work / "source.tab"
    path.write_bytes(_with_charset(header, verdict.encoding))
    for suffix in TAB_MEMBERS[1:]:
        if suffix in members:
            (work / f"source{suffix}").symlink_to(members[suffix].resolve())
    return _source(_Reading(path, verdict, [] if verdict.sure else table.samples()), name)


def open_mif(members: dict[str, Path], name: str, work: Path, encoding: str | None) -> Source:
    """The features of an interchange file.

    Raises
    ------
    UnreadableSource
        A part is missing, broken, or larger than 1 GB.
    WrongEncoding
        The choice does not decode the text.
    """
    path = work / "source.mif"
    texts: set[bytes] = set()
    if ".mid" not in members:
        raise UnreadableSource(name, "the .mid file is missing", "缺少 .mid 文件")
    for suffix in MIF_MEMBERS:
        texts |= _texts(members[suffix], name)
    with members[".mif"].open("rb") as source:
        head = source.read(4_096)
        if not re.match(rb"\s*Version\s+[0-9]+", head, re.IGNORECASE):
            raise UnreadableSource(name, "it does not begin as a .mif", "开头不是 mif 文件")
        verdict = decide(sorted(texts), explicit=encoding, declared=_declared(head))
        with path.open("wb") as target:
            target.write(_with_charset(head, verdict.encoding))
            while chunk := source.read(1_048_576):
                target.write(chunk)
    (work / "source.mid").symlink_to(members[".mid"].resolve())
    samples = [] if verdict.sure else line_samples(members[".mid"])
    return _source(_Reading(path, verdict, samples), name)


def _source(reading: _Reading, name: str) -> Source:
    notes: Notes = []
    if not reading.verdict.sure:
        note(notes, "encoding-doubtful", reading.verdict.doubt_zh, reading.verdict.doubt_en)
    table = GdalLayer(reading.path, name)
    srid, crs_note = table.system
    if srid is not None and crs_of(srid).geographic:
        table.measure_in_degrees()
    return Source(
        driver="MapInfo File",
        layer=name,
        layers=[name],
        fields=table.fields,
        count=table.count,
        reader=partial(table.batches, notes=notes),
        srid=srid,
        crs_note=crs_note,
        encoding=reading.verdict.encoding,
        encoding_sure=reading.verdict.sure,
        encoding_samples=reading.samples,
        bounds=table.bounds,
        family=table.family(notes),
        notes=notes,
    )


def _fields(header: bytes) -> list[bytes]:
    """The lines that describe the fields."""
    found = _FIELDS.search(header)
    return header[found.end() :].splitlines()[: int(found[1])] if found else []


def _declared(header: bytes) -> str | None:
    """Python's codec for the character set that is named; None for 'Neutral', which says nothing."""
    named = {found[2].decode("ascii").lower() for found in _CHARSET.finditer(header)}
    codecs = {_CODECS[one] for one in named if one in _CODECS}
    return codecs.pop() if len(codecs) == 1 else None


def _with_charset(header: bytes, codec: str | None) -> bytes:
    """The header naming the character set of a codec; added where it named none."""
    named = _CHARSETS.get(codec or "utf-8", "Neutral").encode()
    if _CHARSET.search(header):
        return _CHARSET.sub(lambda found: found[1] + named, header)
    if re.match(rb"\s*Version", header, re.IGNORECASE):
        return re.sub(rb"^(\s*Version[^\r\n]*)", rb'\1\nCharset "' + named + b'"', header, count=1)
    return _TYPE.sub(lambda found: found[0] + b' Charset "' + named + b'"', header, count=1)


def _texts(path: Path, name: str) -> set[bytes]:
    """The distinct runs of bytes beyond ASCII of a text file."""
    size = path.stat().st_size
    if size > _LARGEST_TEXT:
        raise UnreadableSource(name, "a text of more than 1 GB", "文本超过 1 GB")
    if size == 0:
        return set()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        return set(_NOT_ASCII.findall(text))
