"""The land ministry's coordinate text: [属性描述] with key=value lines, then [地块坐标] with parcels.

    33,1.8427,1,某地块,面,G-50-31,林地,031,@
    J1,1,2493941.246,38505955.846

A parcel is a line that ends in '@', then its points: number of the point, number of the ring, X and Y, where X is
north and Y is east, with or without the number of the zone in front. Ring 1 is the outer one, further rings are holes.
Stated areas are hectares unless a line 面积单位 says otherwise.
Source: 国土资源部《报件坐标数据交换格式》 1.01.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from shapely.geometry.base import BaseGeometry

from spatial.crs.table import MERIDIANS_3, MERIDIANS_6, ZONES_3, ZONES_6
from spatial.formats.encodings import CANDIDATES, Verdict, decide
from spatial.formats.placing import bounds_of, family_of
from spatial.formats.refusals import UnreadableSource
from spatial.formats.source import Batch, Geometries, Notes, Source, SourceField, note
from spatial.numbers import shown

FIELDS = (
    SourceField("界址点数", "integer"),
    SourceField("地块面积", "real"),
    SourceField("面积单位", "text"),
    SourceField("地块编号", "text"),
    SourceField("地块名称", "text"),
    SourceField("记录图形属性", "text"),
    SourceField("图幅号", "text"),
    SourceField("地块用途", "text"),
    SourceField("地类编码", "text"),
)
_LARGEST = 200_000_000
_LONGEST_LINE = 10_000
_MARKS = ("[属性描述]", "[地块坐标]")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)", re.ASCII)
_ZONE_WIDTH = 1_000_000.0
_EASTINGS = (1_000.0, 999_000.0)
_METRES = {"米", "m", "metre", "meter"}
_LEGACY = (("80", {38: 2383}), ("54", {38: 2435}))  # 3-degree, without the zone's number in the easting

Ring = list[tuple[float, float]]


@dataclass(slots=True)
class _Parcel:
    """One record: its heading, and its rings by number, east before north."""

    heading: list[str]
    rings: dict[str, Ring] = field(default_factory=dict)
    points: int = 0
    broken: bool = False


def is_land_text(start: bytes) -> bool:
    """Whether a file that begins like this is one of these texts, in UTF-8 or GBK."""
    return any(mark.encode(codec) in start for mark in _MARKS for codec in ("utf-8", "gb18030"))


def open_land_text(path: Path, name: str, encoding: str | None) -> Source:
    """The parcels of a coordinate text.

    Raises
    ------
    UnreadableSource
        Too large, without parcels, not in metres, or a line that is neither a parcel nor a point.
    WrongEncoding
        The choice does not decode the text.
    """
    text, verdict, samples = decoded_text(path, name, encoding)
    notes: Notes = []
    if not verdict.sure:
        note(notes, "encoding-doubtful", verdict.doubt_zh, verdict.doubt_en)
    head, parcels = _records(text, name)
    if (unit := head.get("计量单位", "米").strip().lower()) not in _METRES:
        raise UnreadableSource(
            name, f"its unit is '{shown(unit, 20)}', not metres", f"计量单位是“{shown(unit, 20)}”，应为米"
        )
    if re.search(r"[0-9]", head.get("转换参数", "")):
        zh, en = "文件中的转换参数未使用", "the transformation parameters in the file were not used"
        note(notes, "parameters-unused", zh, en)
    geometries = np.array([_geometry(parcel, notes) for parcel in parcels] + [None], dtype=object)[:-1]
    bounds = bounds_of(geometries)
    srid, crs_note = _system(head, None if bounds is None else (bounds.xmin, bounds.xmax))
    table = _table(parcels, head.get("面积单位", "").strip() or "公顷", notes)
    return Source(
        driver="LandText",
        layer=name,
        layers=[name],
        fields=FIELDS,
        count=len(parcels),
        reader=partial(_batches, geometries, table),
        srid=srid,
        crs_note=crs_note,
        encoding=verdict.encoding,
        encoding_sure=verdict.sure,
        encoding_samples=samples,
        bounds=bounds,
        family=family_of(geometries),
        notes=notes,
    )


def decoded_text(path: Path, name: str, encoding: str | None) -> tuple[str, Verdict, list[dict[str, Any]]]:
    """The whole text of a small file, how it was decoded, and samples where that is in doubt.

    Raises
    ------
    UnreadableSource
        More than 200 MB, or a line longer than 10,000 bytes.
    WrongEncoding
        The choice does not decode the text.
    """
    if path.stat().st_size > _LARGEST:
        raise UnreadableSource(name, "a coordinate text of more than 200 MB", "坐标文本超过 200 MB")
    lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").splitlines()
    if any(len(line) > _LONGEST_LINE for line in lines):
        raise UnreadableSource(name, "a line is longer than 10,000 bytes", "有一行超过 10000 字节")
    odd = [line for line in lines if not line.isascii()]
    verdict = decide(odd, explicit=encoding)
    samples = [
        {"encoding": codec, "rows": [{"text": line.decode(codec, "replace")} for line in odd[:10]]}
        for codec in (() if verdict.sure else CANDIDATES)
    ]
    text = b"\n".join(lines).decode(verdict.encoding or "latin-1", "replace")
    return text, verdict, samples


def split_cells(line: str) -> list[str]:
    """The cells of a line; the full-width comma counts as one."""
    return [cell.strip() for cell in line.replace("，", ",").split(",")]


def number_of(cell: str) -> float | None:
    """The decimal number a cell holds, None if it holds none."""
    return float(cell) if _NUMBER.fullmatch(cell) else None


def _records(text: str, name: str) -> tuple[dict[str, str], list[_Parcel]]:
    head: dict[str, str] = {}
    parcels: list[_Parcel] = []
    in_parcels = False
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line:
            continue
        if line.startswith("[") and line.endswith("]"):
            in_parcels = line == _MARKS[1]
        elif not in_parcels:
            key, _, value = line.partition("=")
            head[key.strip()] = value
        elif line.endswith("@"):
            parcels.append(_Parcel(split_cells(line)[:-1]))
        elif not parcels or not _add_point(parcels[-1], split_cells(line)):
            told = f"line {number} is neither a parcel nor a point"
            raise UnreadableSource(name, told, f"第 {number} 行既不是地块也不是界址点")
    if not parcels:
        raise UnreadableSource(name, "it holds no parcel", "没有地块记录")
    return head, parcels


def _add_point(parcel: _Parcel, cells: list[str]) -> bool:
    """Add one point; False if the line is none. A point whose numbers cannot be read spoils its parcel."""
    if len(cells) < 4 or not cells[1]:
        return False
    north, east = number_of(cells[2]), number_of(cells[3])
    parcel.points += 1
    if north is None or east is None:
        parcel.broken = True
    else:
        parcel.rings.setdefault(cells[1], []).append((east, north))
    return True


def _geometry(parcel: _Parcel, notes: Notes) -> BaseGeometry | None:
    if parcel.broken or not parcel.rings:
        zh, en = "坐标不是数或缺失，视为无坐标", "coordinates that are no numbers or lack count as missing"
        note(notes, "bad-coordinates", zh, en)
        return None
    rings = list(parcel.rings.values())
    kind = _cell(parcel, 4)
    if kind == "点":
        return shapely.multipoints(rings[0]) if len(rings[0]) > 1 else shapely.Point(rings[0][0])
    if kind == "线":
        lines = [shapely.LineString(ring) for ring in rings if len(ring) > 1]
        return shapely.multilinestrings(lines) if len(lines) > 1 else (lines or [None])[0]
    return polygon_of(rings, notes)


def polygon_of(rings: list[Ring], notes: Notes) -> BaseGeometry | None:
    """A polygon of an outer ring and holes; a ring that lies outside all before it is a part of its own.

    Parameters
    ----------
    rings : list of lists of (x, y)
        Closed by repeating the first point, or not.
    """
    closed = [ring if ring[0] == ring[-1] else [*ring, ring[0]] for ring in rings]
    if any(len(ring) < 4 for ring in closed):
        note(notes, "too-few-points", "一个环不足三点，视为无坐标", "a ring of fewer than three points")
        return None
    parts: list[tuple[Ring, list[Ring]]] = [(closed[0], [])]
    for ring in closed[1:]:
        inner = shapely.Polygon(ring)
        home = next((part for part in parts if shapely.intersects(shapely.Polygon(part[0]), inner)), None)
        if home is None:
            note(
                notes,
                "ring-outside",
                "内环在外环之外，作为另一部分",
                "a ring outside the outer one became a part",
            )
            parts.append((ring, []))
        else:
            home[1].append(ring)
    shapes = [shapely.Polygon(outer, holes) for outer, holes in parts]
    return shapely.multipolygons(shapes) if len(shapes) > 1 else shapes[0]


def _cell(parcel: _Parcel, place: int) -> str:
    return parcel.heading[place] if place < len(parcel.heading) else ""


def _table(parcels: list[_Parcel], unit: str, notes: Notes) -> pa.Table:
    rows = []
    for parcel in parcels:
        stated, area = number_of(_cell(parcel, 0)), number_of(_cell(parcel, 1))
        repeats = sum(len(ring) > 1 and ring[0] == ring[-1] for ring in parcel.rings.values())
        if stated is not None and stated not in {parcel.points, parcel.points - repeats}:
            note(
                notes,
                "point-count",
                "界址点数与实际点数不符",
                "the stated number of points is not the true one",
            )
        texts = [_cell(parcel, place) or None for place in range(2, 8)]
        rows.append([None if stated is None else int(stated), area, unit, *texts])
    columns = list(zip(*rows, strict=True))
    kinds = {"integer": pa.int64(), "real": pa.float64(), "text": pa.string()}
    arrays = [pa.array(values, kinds[one.type]) for one, values in zip(FIELDS, columns, strict=True)]
    return pa.table(arrays, names=[one.name for one in FIELDS])


def _system(head: dict[str, str], eastings: tuple[float, float] | None) -> tuple[int | None, str | None]:
    """The code that the heading and the eastings agree on; else what the heading says."""
    said = "; ".join(f"{key}={head[key].strip()}" for key in _SAID if head.get(key, "").strip())
    told = shown(said, 160) or "没有说明坐标系 / no system stated"
    if eastings is None:
        return None, told
    degrees, zone, carried = _degrees(head), _zone(head), _carried(eastings)
    if carried is None:
        return None, f"{told}; 东坐标 {eastings[0]:.0f} 与之不符 / eastings do not fit"
    zone = zone or carried or None
    if zone is None or (carried and carried != zone):
        return None, f"{told}; 东坐标带号 {carried or '-'} / zone in the eastings {carried or '-'}"
    code = _code(head, degrees or (3 if zone >= 25 else 6), zone, bool(carried))
    return code, None if code else told


_SAID = ("坐标系", "几度分带", "投影类型", "带号", "中央经线", "中央子午线")


def _code(head: dict[str, str], degrees: int, zone: int, carried: bool) -> int | None:
    projection, system = head.get("投影类型", ""), head.get("坐标系", "").upper()
    if projection.strip() and "高斯" not in projection:
        return None
    if "2000" in system:
        first, zones, meridians = (25, ZONES_3, MERIDIANS_3) if degrees == 3 else (13, ZONES_6, MERIDIANS_6)
        place = zone - first
        if not 0 <= place < len(zones):
            return None
        return zones[place] if carried else meridians[place]
    legacy = next((codes for mark, codes in _LEGACY if mark in system), {})
    return legacy.get(zone) if degrees == 3 and not carried else None


def _carried(eastings: tuple[float, float]) -> int | None:
    """The zone in front of the eastings; 0 for none, None if they are no eastings of one zone."""
    low, high = eastings
    if _EASTINGS[0] <= low and high <= _EASTINGS[1]:
        return 0
    zone = int(low // _ZONE_WIDTH)
    return zone if zone == int(high // _ZONE_WIDTH) and 13 <= zone <= 45 else None


def _degrees(head: dict[str, str]) -> int | None:
    found = re.search(r"[36]", head.get("几度分带", ""))
    return int(found[0]) if found else None


def _zone(head: dict[str, str]) -> int | None:
    """The zone as stated, or of the stated central meridian."""
    found = re.search(r"[0-9]{1,2}", head.get("带号", ""))
    if found:
        return int(found[0])
    meridian = re.search(r"[0-9]{2,3}", head.get("中央经线", "") or head.get("中央子午线", ""))
    if not meridian:
        return None
    degrees = int(meridian[0])
    return (degrees + 3) // 6 if _degrees(head) == 6 else degrees // 3


def _batches(geometries: Geometries, table: pa.Table, size: int) -> Iterator[Batch]:
    for start in range(0, table.num_rows, size):
        yield Batch(start, geometries[start : start + size], table.slice(start, size))
