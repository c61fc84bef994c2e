"""GeoJSON (RFC 7946, and the older form with a `crs` member): read by GDAL after its text was looked through.

The `crs` member is found and judged here, wherever it stands and however its name is escaped: GDAL would
follow a link in it.
"""

import mmap
import re
from functools import partial
from pathlib import Path
from typing import Any

from spatial.crs import INPUT_SRIDS, UnknownCrs, crs_of, parse_crs, refuse_obfuscated
from spatial.formats.gdal import GdalLayer
from spatial.formats.recoding import as_utf8
from spatial.formats.refusals import UnreadableSource
from spatial.formats.source import Notes, Source, note
from spatial.strictjson import BadJson, loads

_CRS_MEMBER = re.compile(rb'"(?:c|\\u0063)(?:r|\\u0072)(?:s|\\u0073)"\s*:\s*([^\s])')
_LONG_NUMBER = re.compile(rb":\s*-?[0-9]{17,}\s*[,}\]]")
_LONGEST_CRS = 2_000
_BOM = b"\xef\xbb\xbf"


def open_geojson(path: Path, name: str, work: Path, encoding: str | None) -> Source:
    """The features of a GeoJSON file; without a `crs` member they are WGS 84 longitude and latitude.

    Raises
    ------
    UnreadableSource
        Not GeoJSON.
    UnknownCrs
        A `crs` member names a system that is not accepted, or a link.
    ObfuscatedDatum
        A `crs` member declares GCJ-02 or BD-09.
    WrongEncoding
        The choice does not decode the text.
    """
    link = work / "source.geojson"
    used, sure = as_utf8(path, link, name, encoding)
    srid, long_numbers = _look_through(link, name)
    layer = GdalLayer(link, name, DATE_AS_STRING="YES", FLATTEN_NESTED_ATTRIBUTES="NO")
    if srid is not None and crs_of(srid).geographic:
        layer.measure_in_degrees()
    notes: Notes = []
    reals = [field.name for field in layer.fields if field.type == "real"]
    if long_numbers and reals:
        zh = f"含超过 16 位的整数，实数字段 {reals} 可能损失精度"
        note(notes, "precision", zh, f"integers of more than 16 digits; real fields {reals} may lose digits")
    return Source(
        driver="GeoJSON",
        layer=name,
        layers=[name],
        fields=layer.fields,
        count=layer.count,
        reader=partial(layer.batches, notes=notes),
        srid=srid,
        crs_note=None if srid else "crs 成员为空 / the crs member is null",
        encoding=used,
        encoding_sure=sure,
        bounds=layer.bounds,
        family=layer.family(notes),
        notes=notes,
    )


def _look_through(path: Path, name: str) -> tuple[int | None, bool]:
    """The declared code (4326 where nothing is declared), and whether very long integers occur."""
    if path.stat().st_size == 0:
        raise UnreadableSource(name, "it is empty", "文件为空")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        if not text[:1000].removeprefix(_BOM).lstrip().startswith(b"{"):
            raise UnreadableSource(name, "it does not begin as a JSON object", "开头不是 JSON 对象")
        places = [place.start(1) for place in _CRS_MEMBER.finditer(text) if place[1] in {b"{", b"n"}]
        members = {text[place : place + _LONGEST_CRS] for place in places}
        long_numbers = bool(_LONG_NUMBER.search(text))
    declared = {_declared(member) for member in members}
    if len(declared) > 1:
        raise UnknownCrs(crs="several crs members", accepted="one")
    return (declared.pop() if declared else 4326), long_numbers


def _declared(text: bytes) -> int | None:
    """The code of one `crs` member, which begins `text`."""
    if text.startswith(b"n"):
        return None
    try:
        member: Any = loads(_object(text))
    except BadJson:
        raise UnknownCrs(crs="an unreadable crs member", accepted="EPSG:n") from None
    properties = member.get("properties") if isinstance(member.get("properties"), dict) else {}
    named = properties.get("name") if member.get("type") == "name" else None
    if member.get("type") == "EPSG":
        named = f"EPSG:{properties.get('code')}"
    if not isinstance(named, str):
        raise UnknownCrs(crs=f"crs member of type {str(member.get('type'))[:20]!r}", accepted="name")
    refuse_obfuscated(named)
    return parse_crs(named, INPUT_SRIDS).srid


def _object(text: bytes) -> bytes:
    """The JSON object that begins `text`, as far as its last bracket."""
    depth, quoted, escaped = 0, False, False
    for place, mark in enumerate(text):
        if escaped:
            escaped = False
        elif mark == ord("\\"):
            escaped = quoted
        elif mark == ord('"'):
            quoted = not quoted
        elif not quoted:
            depth += (mark == ord("{")) - (mark == ord("}"))
            if depth == 0:
                return text[: place + 1]
    return b""
