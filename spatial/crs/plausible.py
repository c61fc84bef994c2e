"""What coordinates say about their own system: plausible codes where none is declared, and contradictions.

Every answer is a proposal with its reason; a person decides.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from spatial.crs.table import (
    MERIDIANS_3,
    MERIDIANS_6,
    ZONES_3,
    ZONES_6,
    crs_of,
    definition_of,
    numeric_bounds,
    parameters_of,
)
from spatial.crs.transform import transformation
from spatial.numbers import BBox

_ZONE_WIDTH = 1_000_000.0
_NORTHINGS = (0.0, 10_100_000.0)
_EASTINGS = (1_000.0, 999_000.0)


@dataclass(frozen=True, slots=True)
class Guess:
    """A code that would fit, and why."""

    srid: int
    why_zh: str
    why_en: str


@dataclass(frozen=True, slots=True)
class Contradiction:
    """How coordinates contradict their declared system.

    Attributes
    ----------
    kind : str
        'crs-contradicted' or 'axes-swapped'.
    why_zh, why_en : str
        What was seen.
    fitting : int or None
        A code the coordinates would fit.
    """

    kind: str
    why_zh: str
    why_en: str
    fitting: int | None


def guess_crs(bounds: BBox, city: BBox) -> list[Guess]:
    """Codes that coordinates without a declared system could have, the likeliest first.

    Parameters
    ----------
    bounds : BBox
        Box of the data, in its own numbers.
    city : BBox
        Box of the city, longitude and latitude, degrees.
    """
    straight = list(_guesses(bounds, city, swapped=False))
    return straight or list(_guesses(_swapped(bounds), city, swapped=True))


def contradiction(bounds: BBox, srid: int) -> Contradiction | None:
    """How `bounds` contradict the declared system, None if they do not.

    Parameters
    ----------
    bounds : BBox
        Box of the data, x/y order, in its own numbers.
    srid : int
        Declared EPSG code.
    """
    declared = crs_of(srid)
    if not all(np.isfinite(bounds)):
        return None
    if declared.geographic:
        return _against_degrees(bounds, srid)
    if _is_degrees(bounds) or _is_degrees(_swapped(bounds)):
        fitting = 4490 if _is_degrees(bounds) else None
        return _contradicted(f"坐标是度，而 EPSG:{srid} 以米为单位", f"degrees under EPSG:{srid}", fitting)
    return _against_metres(bounds, srid)


def _against_metres(bounds: BBox, srid: int) -> Contradiction | None:
    if _inside(bounds, numeric_bounds(srid)) and not _north_as_east(bounds, srid):
        return None
    if _inside(_swapped(bounds), numeric_bounds(srid)):
        return Contradiction(
            "axes-swapped",
            "X、Y 似乎颠倒（北坐标写在前面）",
            "x and y look swapped (northing comes first)",
            srid,
        )
    fitting = _fitting(bounds, srid)
    named = f"，与 EPSG:{fitting} 相符" if fitting else ""
    named_en = f"; they fit EPSG:{fitting}" if fitting else ""
    return _contradicted(
        f"坐标 {_told(bounds)} 超出 EPSG:{srid} 的数值范围{named}",
        f"coordinates {_told(bounds)} lie outside the numbers of EPSG:{srid}{named_en}",
        fitting,
    )


def _against_degrees(bounds: BBox, srid: int) -> Contradiction | None:
    if _is_degrees(bounds):
        return None
    if _is_degrees(_swapped(bounds)):
        return Contradiction(
            "axes-swapped", "经度、纬度似乎颠倒", "longitude and latitude look swapped", srid
        )
    fitting = _zone_code(bounds) or _zone_code(_swapped(bounds))
    return _contradicted(
        f"坐标 {_told(bounds)} 是米，而 EPSG:{srid} 以度为单位",
        f"metres {_told(bounds)} under EPSG:{srid}, which has degrees",
        fitting,
    )


def _contradicted(why_zh: str, why_en: str, fitting: int | None) -> Contradiction:
    return Contradiction("crs-contradicted", why_zh, why_en, fitting)


def _north_as_east(bounds: BBox, srid: int) -> bool:
    """In a system without zone number: eastings in the millions beside northings of six digits."""
    if srid not in MERIDIANS_3 and srid not in MERIDIANS_6:
        return False
    return bounds.xmin >= _ZONE_WIDTH and bounds.ymax < _ZONE_WIDTH and bounds.ymin > 0.0


def _fitting(bounds: BBox, srid: int) -> int | None:
    """The system like `srid` that differs only by the zone number in front of the easting."""
    code = _zone_code(bounds) or _zone_code(_swapped(bounds))
    if code is not None:
        return code
    if srid in ZONES_3 and _within(bounds.xmin, bounds.xmax, _EASTINGS):
        return MERIDIANS_3[srid - ZONES_3.start]
    if srid in ZONES_6 and _within(bounds.xmin, bounds.xmax, _EASTINGS):
        return MERIDIANS_6[srid - ZONES_6.start]
    return None


def _zone_code(bounds: BBox) -> int | None:
    """The code that an 8-digit easting names by its first two digits."""
    zone = int(bounds.xmin // _ZONE_WIDTH)
    if zone != int(bounds.xmax // _ZONE_WIDTH) or not _within(bounds.ymin, bounds.ymax, _NORTHINGS):
        return None
    if 25 <= zone <= 45:
        return ZONES_3[zone - 25]
    return ZONES_6[zone - 13] if 13 <= zone <= 23 else None


def _guesses(bounds: BBox, city: BBox, *, swapped: bool) -> Iterator[Guess]:
    order_zh, order_en = ("；X、Y 似乎颠倒", "; x and y look swapped") if swapped else ("", "")
    for srid, why_zh, why_en in _candidates(bounds, city):
        yield Guess(srid, why_zh + order_zh, why_en + order_en)


def _candidates(bounds: BBox, city: BBox) -> Iterable[tuple[int, str, str]]:
    if _is_degrees(bounds):
        why_zh, why_en = _where(bounds, city)
        return [(code, f"坐标是度{why_zh}", f"degrees{why_en}") for code in (4490, 4326)]
    zone = _zone_code(bounds)
    if zone is not None:
        digits = int(bounds.xmin // _ZONE_WIDTH)
        return [(zone, f"东坐标 8 位，前两位 {digits} 是带号", f"8-digit easting, {digits} is the zone")]
    if _within(bounds.xmin, bounds.xmax, _EASTINGS) and _within(bounds.ymin, bounds.ymax, _NORTHINGS):
        return list(_meridians(bounds, city))
    if _inside(bounds, numeric_bounds(3857)) and _meets(_lonlat(bounds, 3857), city):
        return [(3857, "网络墨卡托的米，落在本市", "Web Mercator metres that fall on the city")]
    return []


def _meridians(bounds: BBox, city: BBox) -> Iterator[tuple[int, str, str]]:
    """Systems without zone number in which a 6-digit easting falls on the city, nearest meridian first."""
    middle = (city.xmin + city.xmax) / 2.0
    codes = sorted((*MERIDIANS_3, *MERIDIANS_6), key=lambda code: abs(_meridian(code) - middle))
    for code in codes:
        if abs(_meridian(code) - middle) > 6.0:
            break
        if _meets(_lonlat(bounds, code), city):
            lon = f"{_meridian(code):g}"
            yield (
                code,
                f"东坐标 6 位；按中央经线 {lon}° 落在本市",
                f"6-digit easting; with central meridian {lon} it falls on the city",
            )


def _meridian(srid: int) -> float:
    parameters = parameters_of(definition_of(srid))
    return parameters[0] if parameters else 0.0


def _where(bounds: BBox, city: BBox) -> tuple[str, str]:
    return ("，落在本市", " that fall on the city") if _meets(bounds, city) else ("", "")


def _lonlat(bounds: BBox, srid: int) -> BBox:
    corners = np.array([[bounds.xmin, bounds.ymin], [bounds.xmax, bounds.ymax]], dtype=np.float64)
    found = transformation(srid, 4326).apply(corners)
    return BBox(*(float(value) for value in (*found[0], *found[1])))


def _meets(box: BBox, other: BBox) -> bool:
    if not all(np.isfinite(box)):
        return False
    beside = box.xmax < other.xmin or other.xmax < box.xmin
    return not (beside or box.ymax < other.ymin or other.ymax < box.ymin)


def _inside(box: BBox, other: BBox) -> bool:
    wide = other.xmin <= box.xmin and box.xmax <= other.xmax
    return wide and other.ymin <= box.ymin and box.ymax <= other.ymax


def _is_degrees(box: BBox) -> bool:
    return _inside(box, BBox(-180.0, -90.0, 180.0, 90.0))


def _within(low: float, high: float, span: tuple[float, float]) -> bool:
    return span[0] <= low and high <= span[1]


def _swapped(box: BBox) -> BBox:
    return BBox(box.ymin, box.xmin, box.ymax, box.xmax)


def _told(box: BBox) -> str:
    return f"({box.xmin:.0f}, {box.ymin:.0f})"
