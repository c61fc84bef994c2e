"""Well-known text of a coordinate system, read here and compared with the table by its parameters.

Both generations are read (OGC 01-009 and its ESRI dialect; ISO 19162). Names help only to tell the datum; the
projection is told by its numbers. Nothing of the text is handed to a library.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from spatial.crs.table import MERIDIANS_3, MERIDIANS_6, ZONES_3, ZONES_6
from spatial.errors import Kind, OnemapError

_LONGEST = 16_384
_DEEPEST = 24
_GEOGRAPHIC = {"GEOGCS", "GEOGCRS", "GEODCRS", "GEODETICCRS", "GEOGRAPHICCRS"}
_PROJECTED = {"PROJCS", "PROJCRS", "PROJECTEDCRS"}
_COMPOUND = {"COMPD_CS", "COMPOUNDCRS", "BOUNDCRS", "SOURCECRS"}
_TOKEN = re.compile(
    r'\s*(?:"((?:[^"]|"")*)"|([A-Za-z_][A-Za-z0-9_]*)|([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)|([\[\](),]))',
    re.ASCII,
)
_OBFUSCATED = re.compile(r"GCJ|Mars(?![a-z])|BD[-_ ]?09|Baidu|火星|百度", re.IGNORECASE)

# Datum: pattern over its squeezed name, semi-major axis (m), EPSG code of the geographic system.
_DATUMS = (
    (re.compile(r"cgcs2000|china2000|chinageodeticcoordinatesystem2000"), 6_378_137.0, 4490),
    (re.compile(r"wgs(19)?84|worldgeodeticsystem1984"), 6_378_137.0, 4326),
    (re.compile(r"xian(19)?80"), 6_378_140.0, 4610),
    (re.compile(r"beijing(19)?54"), 6_378_245.0, 4214),
    (re.compile(r"hongkong1980"), 6_378_388.0, -2326),
)
_LEGACY_PLANES = {4610: 2383, 4214: 2435}
_PARAMETERS = {
    "centralmeridian": "lon",
    "longitudeofcenter": "lon",
    "longitudeofnaturalorigin": "lon",
    "latitudeoforigin": "lat",
    "latitudeofnaturalorigin": "lat",
    "scalefactor": "k",
    "scalefactoratnaturalorigin": "k",
    "falseeasting": "x",
    "falsenorthing": "y",
}
_GAUSS_METHODS = {"transversemercator", "gausskruger"}
_WEB_METHODS = {"mercatorauxiliarysphere", "popularvisualisationpseudomercator"}


class ObfuscatedDatum(OnemapError):
    """The coordinates are declared to be in a deliberately shifted datum."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar[str] = "gcj02-declared"
    message: ClassVar[str] = (
        "the coordinates are declared as GCJ-02 or BD-09, which cannot be turned back with survey accuracy; "
        "deliver them in CGCS2000"
    )
    message_zh: ClassVar[str] = "坐标声明为 GCJ-02 或 BD-09，无法按测绘精度还原；请提供 CGCS2000 坐标"


@dataclass(frozen=True, slots=True)
class _Node:
    """KEYWORD["text", 1.0, CHILD[...]]."""

    keyword: str
    values: list[str | float] = field(default_factory=list)
    children: list["_Node"] = field(default_factory=list)

    def find(self, *keywords: str) -> "_Node | None":
        """The first node of one of `keywords` below this one, nearest first."""
        level = self.children
        while level:
            for child in level:
                if child.keyword in keywords:
                    return child
            level = [below for child in level for below in child.children]
        return None

    @property
    def name(self) -> str:
        """The quoted text, squeezed to lower-case letters and digits; '' if there is none."""
        first = self.values[0] if self.values else ""
        return _squeezed(first) if isinstance(first, str) else ""


class _NotWkt(ValueError):
    """The text does not follow the grammar."""


def refuse_obfuscated(text: str) -> None:
    """Refuse a name or definition that declares GCJ-02 or BD-09.

    Raises
    ------
    ObfuscatedDatum
        It does.
    """
    if _OBFUSCATED.search(text):
        raise ObfuscatedDatum()


def identify_wkt(wkt: str) -> int | None:
    """The EPSG code of the accepted system that `wkt` describes, None if it describes another or nothing.

    Parameters
    ----------
    wkt : str
        Text of a .prj file or of a GeoPackage, at most 16 KiB. A path, an address or a code is not WKT.

    Raises
    ------
    ObfuscatedDatum
        The text declares GCJ-02 or BD-09.

    Examples
    --------
    >>> identify_wkt("EPSG:4547") is None
    True
    """
    if len(wkt) > _LONGEST:
        return None
    refuse_obfuscated(wkt)
    try:
        node = _parse(wkt.strip().strip("\x00\ufeff"))
    except _NotWkt:
        return None
    while node.keyword in _COMPOUND and node.children:
        node = node.children[0]
    if node.keyword in _GEOGRAPHIC:
        return _geographic(node)
    return _projected(node) if node.keyword in _PROJECTED else None


def _parse(text: str) -> _Node:
    if not re.match(r"[A-Za-z_]{6,13}\s*[\[(]", text, re.ASCII):
        raise _NotWkt
    root = _Node("")
    open_nodes = [root]
    pending: str | None = None
    for kind, value in _tokens(text):
        if pending is not None:
            node = _Node(pending.upper())
            if value in "[(" and kind == "mark":
                open_nodes[-1].children.append(node)
                open_nodes.append(node)
                pending = None
                continue
            open_nodes[-1].values.append(pending)  # a bare word, such as an axis direction
            pending = None
        pending = _take(kind, value, open_nodes)
        if not 1 <= len(open_nodes) <= _DEEPEST:
            raise _NotWkt
    if len(open_nodes) != 1 or len(root.children) != 1:
        raise _NotWkt
    return root.children[0]


def _take(kind: str, value: str, open_nodes: list[_Node]) -> str | None:
    """Add one token to the innermost open node; returns a word that may turn out to be a keyword."""
    if kind == "word":
        return value
    if kind == "text":
        open_nodes[-1].values.append(value.replace('""', '"'))
    elif kind == "number":
        open_nodes[-1].values.append(_number(value))
    elif value in "])":
        open_nodes.pop()
    elif value != ",":
        raise _NotWkt
    return None


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise _NotWkt
        at = token.end()
        kind = ("text", "word", "number", "mark")[(token.lastindex or 1) - 1]
        yield kind, token[token.lastindex or 1]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise _NotWkt from None


def _squeezed(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _first_number(node: _Node | None) -> float | None:
    if node is None:
        return None
    return next((value for value in node.values if isinstance(value, float)), None)


def _geographic(node: _Node) -> int | None:
    datum = _datum(node)
    prime = _first_number(node.find("PRIMEM", "PRIMEMERIDIAN"))
    unit = _first_number(node.find("UNIT", "ANGLEUNIT"))
    whole = (prime or 0.0) == 0.0 and (unit is None or abs(unit - 0.0174532925199433) < 1e-9)
    return datum if whole and datum is not None and datum > 0 else None


def _datum(node: _Node) -> int | None:
    """EPSG code of the geographic system whose datum this is; name and size of the ellipsoid must agree."""
    datum = node.find("DATUM", "ENSEMBLE", "GEODETICDATUM", "TRF")
    ellipsoid = node.find("SPHEROID", "ELLIPSOID")
    axis = _first_number(ellipsoid)
    if datum is None or ellipsoid is None or axis is None:
        return None
    base = node.find("GEOGCS", "BASEGEOGCRS", "BASEGEODCRS") if node.keyword in _PROJECTED else node
    names = [datum.name, base.name if base else "", ellipsoid.name]
    for name in names:
        for pattern, size, code in _DATUMS:
            if pattern.search(name):
                return code if abs(axis - size) < 0.01 else None
    return None


def _projected(node: _Node) -> int | None:
    datum = _datum(node)
    method = node.find("PROJECTION", "METHOD")
    if datum is None or method is None or not _in_metres(node):
        return None
    values = {"lon": 0.0, "lat": 0.0, "k": 1.0, "x": 0.0, "y": 0.0, **dict(_parameters(node))}
    if datum == 4326:
        return 3857 if _is_web_mercator(node, method.name, values) else None
    return _gauss(node.name, datum, values) if method.name in _GAUSS_METHODS else None


def _gauss(name: str, datum: int, values: dict[str, float]) -> int | None:
    if datum == -2326:
        hong_kong = {"lon": 114.178555556, "lat": 22.312133333, "k": 1.0, "x": 836694.05, "y": 819069.8}
        return 2326 if all(abs(values[key] - hong_kong[key]) < 1e-6 for key in hong_kong) else None
    if values["lat"] or values["y"] or abs(values["k"] - 1.0) > 1e-12:
        return None
    if datum == 4490:
        return _gauss_zone(name, values["lon"], values["x"])
    return _LEGACY_PLANES.get(datum) if (values["lon"], values["x"]) == (114.0, 500_000.0) else None


def _in_metres(node: _Node) -> bool:
    units = [child for child in node.children if child.keyword in {"UNIT", "LENGTHUNIT"}]
    units += [axis_unit for axis_unit in [node.find("LENGTHUNIT")] if axis_unit is not None and not units]
    return all(_first_number(unit) == 1.0 for unit in units)


def _parameters(node: _Node) -> Iterator[tuple[str, float]]:
    holders = [node, *(child for child in node.children if child.keyword == "CONVERSION")]
    for child in (child for holder in holders for child in holder.children if child.keyword == "PARAMETER"):
        key, value = _PARAMETERS.get(child.name), _first_number(child)
        if key is not None and value is not None:
            yield key, value


def _is_web_mercator(node: _Node, method: str, values: dict[str, float]) -> bool:
    centred = not (values["lon"] or values["lat"] or values["x"] or values["y"])
    extension = node.find("EXTENSION")
    spherical = extension is not None and any("nadgrids=@null" in str(value) for value in extension.values)
    return centred and (method in _WEB_METHODS or (method == "mercator1sp" and spherical))


def _gauss_zone(name: str, meridian: float, false_easting: float) -> int | None:
    """The code of the CGCS2000 zone; where 3 and 6 degrees share numbers, the name decides."""
    zone, remainder = divmod(false_easting - 500_000.0, 1_000_000.0)
    if remainder:
        return None
    third, sixth = (meridian - 75.0) / 3.0, (meridian - 75.0) / 6.0
    if zone:
        if zone == meridian / 3.0 and 25 <= zone <= 45:
            return ZONES_3[int(zone) - 25]
        return ZONES_6[int(zone) - 13] if zone == (meridian + 3.0) / 6.0 and 13 <= zone <= 23 else None
    if "3degree" not in name and "gkcm" in name.replace("gausskruger", "gk") and sixth in range(11):
        return MERIDIANS_6[int(sixth)]
    return MERIDIANS_3[int(third)] if third in range(21) else None
