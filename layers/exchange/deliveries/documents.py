"""What a delivery leaves on paper and for the surveyor: the verdict as PDF, the faults as GeoPackage."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import shapely
import typst
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from layers.exchange.deliveries.faultfile import findings_gpkg
from layers.exchange.kinds import named
from layers.models import Delivery, DeliveryFinding, DeliveryPart
from spatial.errors import Kind, OnemapError

__all__ = ["findings_gpkg", "verdict_pdf"]

TEMPLATE = Path(__file__).with_name("verdict.typ")
MOST_LISTED = 200
MOST_POINTS = 5_000
LONGEST_TEXT = 400
# Families with the signs of Chinese, the best first.
CJK = ("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Noto Serif CJK SC", "WenQuanYi Micro Hei")
LEVELS = {"block": "必须整改 block", "warn": "提醒 warn", "note": "说明 note"}
LEVEL_COLOURS = {"block": "#b3261e", "warn": "#c98a1b", "note": "#3b5568"}
GREEN, RED, AMBER = "#1b6e3c", "#b3261e", "#8a5a00"
DECISIONS = {
    Delivery.State.ACCEPTED: ("已入库", "accepted", GREEN),
    Delivery.State.REFUSED: ("已退回", "sent back", RED),
    Delivery.State.WITHDRAWN: ("已撤回", "withdrawn", AMBER),
    Delivery.State.FAILED: ("检查未完成", "the check failed", RED),
    Delivery.State.WAITING: ("待答复", "waits for answers", AMBER),
}
COUNTS = ("read", "inserted", "updated", "unchanged", "removed", "rejected")


class FontMissing(OnemapError):
    """No font with Chinese signs is installed."""

    kind: ClassVar = Kind.UNAVAILABLE
    code: ClassVar = "font-missing"
    message: ClassVar = "no font with Chinese signs is installed on the server (Debian: fonts-noto-cjk)"
    message_zh: ClassVar = "服务器未安装中文字体（Debian：fonts-noto-cjk）"


def verdict_pdf(delivery: Delivery) -> bytes:
    """The verdict as it stands, A4 with page numbers; fonts embedded.

    Notes
    -----
    Cost: about a second; the list of faults ends at 200, the map at 5,000 points.

    Raises
    ------
    FontMissing
    """
    told = json.dumps(_facts(delivery), ensure_ascii=False, cls=DjangoJSONEncoder)
    compiler = typst.Compiler(
        TEMPLATE.read_bytes(),
        root=str(TEMPLATE.parent),
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"facts": told},
    )
    made = compiler.compile(format="pdf")
    if not isinstance(made, bytes):
        raise TypeError(type(made))
    return made


@cache
def _fonts() -> typst.Fonts:
    fonts = typst.Fonts(include_system_fonts=True, include_embedded_fonts=False)
    if not set(CJK) & set(fonts.families()):
        raise FontMissing()
    return fonts


def _facts(delivery: Delivery) -> dict[str, Any]:
    parts = list(delivery.parts.all())
    zh, en, colour = _decision(delivery)
    verdict = delivery.verdict
    places = delivery.findings.exclude(place__isnull=True).values_list("level", "place")[:MOST_POINTS]
    drawn = _map(list(places))
    listed = list(delivery.findings.select_related("part").order_by("id")[:MOST_LISTED])
    total = delivery.findings.count()
    return {
        "title": f"{delivery.name} · 验收意见 verdict",
        "name": delivery.name,
        "city": settings.ONEMAP_CITY_ZH,
        "city_en": settings.ONEMAP_CITY_EN,
        "fonts": [one for one in CJK if one in _fonts().families()],
        "sha256": delivery.sha256,
        "decision": {"zh": zh, "en": en, "colour": colour},
        "totals": [
            {"zh": name_zh, "en": name, "count": verdict.get(name, 0)}
            for name, name_zh in (("blocks", "必须整改"), ("warns", "提醒"), ("notes", "说明"))
        ],
        "about": list(_about(delivery)),
        "questions": list(_questions(delivery)),
        "parts": [_part(one) for one in parts],
        "by_code": [_kind(one) for one in verdict.get("by_code", ())],
        "map": drawn,
        "map_note": f"前 {len(places)} 处；红：必须整改，黄：提醒，蓝：说明。"
        f"The first {len(places)} places; red: block, yellow: warn, blue: note.",
        "findings": [_finding(number, one) for number, one in enumerate(listed, 1)],
        "findings_note": f"共 {total} 条，列出前 {len(listed)} 条；全部问题见 GeoPackage。"
        f"{len(listed)} of {total} are listed; the GeoPackage holds all of them.",
        "decided": list(_decided(delivery)),
    }


def _decision(delivery: Delivery) -> tuple[str, str, str]:
    known = DECISIONS.get(Delivery.State(delivery.state))
    if known is not None:
        return known
    if not delivery.verdict:
        return ("检查中", "being checked", AMBER)
    if delivery.verdict.get("passed"):
        return ("检查通过", "passed", GREEN)
    return ("检查未通过", "not passed", RED)


def _about(delivery: Delivery) -> Iterator[dict[str, Any]]:
    department = delivery.department
    rows = (
        ("编号", "number", str(delivery.pk), False),
        ("交付单位", "department", f"{department.name_zh} {department.name_en} ({department.code})", False),
        ("报送", "sent", f"{_moment(delivery.sent_at)} · {delivery.sent_by}", False),
        ("检查", "checked", _moment(delivery.verdict.get("checked_at")), False),
        ("方案", "profile", delivery.document.get("title_zh") or "—", False),
        ("SHA-256", "of all files", delivery.sha256, True),
    )
    for zh, en, value, code in rows:
        yield {"zh": zh, "en": en, "value": value, "code": code}


def _moment(value: Any) -> str:
    """A moment in the city's time, as `2026-11-23 16:05`."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return f"{timezone.localtime(value):%Y-%m-%d %H:%M}" if value else "—"


ANSWERS = {
    "encoding": ("文字编码", "encoding"),
    "source_crs": ("坐标系", "coordinate system"),
    "valid_from": ("生效日期", "valid from"),
    "conflicts": ("与图上更正冲突时", "where corrections are in the way"),
    "repair": ("修复几何", "repair geometries"),
}


def _questions(delivery: Delivery) -> Iterator[dict[str, str]]:
    """What was answered, then what is still asked."""
    answers = delivery.answers
    for name, (zh, en) in ANSWERS.items():
        if answers.get(name) not in (None, ""):
            yield {"zh": zh, "en": en, "answer": str(answers[name])}
    for code in answers.get("accept", ()):
        yield {"zh": f"确认 {code}", "en": f"{code} accepted", "answer": "是 yes"}
    for one in delivery.questions:
        yield {
            "zh": _cut(one.get("why_zh", "")),
            "en": _cut(one.get("why", "")),
            "answer": "待答复 not answered",
        }


def _part(part: DeliveryPart) -> dict[str, Any]:
    counts = [part.report.get(name, "") for name in COUNTS]
    return {
        "order": part.order,
        "source": part.source,
        "layer": part.layer_name,
        "title": part.options.get("title_zh") or part.layer_name,
        "counts": [*counts, part.findings.count()],
    }


def _kind(one: dict[str, Any]) -> dict[str, Any]:
    level = one["level"] if one["level"] in LEVELS else "note"
    return {
        "level": level,
        "level_text": LEVELS[level],
        "kind": named(one["code"]),
        "zh": _cut(one.get("message_zh", "")),
        "en": _cut(one.get("message", "")),
        "count": one["count"],
    }


def _finding(number: int, one: DeliveryFinding) -> dict[str, Any]:
    level = one.level if one.level in LEVELS else "note"
    return {
        "number": number,
        "level": level,
        "level_text": level,
        "source": one.part.source if one.part else "—",
        "row": str(one.row) if one.row is not None else "—",
        "zh": _cut(one.message_zh),
        "en": _cut(one.message),
        "place": _told(one.place),
    }


def _told(place: dict[str, Any] | None) -> str:
    shape = shape_of(place)
    if shape is None:
        return "—"
    middle = shape.representative_point()
    return f"{middle.x:.6f}, {middle.y:.6f}"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"


def _decided(delivery: Delivery) -> Iterator[dict[str, str]]:
    zh, en, _ = _decision(delivery)
    yield {"zh": "结论", "en": "decision", "value": f"{zh} {en}"}
    yield {"zh": "决定人", "en": "decided by", "value": delivery.decided_by or "—"}
    yield {"zh": "时间", "en": "at", "value": _moment(delivery.decided_at)}
    yield {"zh": "意见", "en": "reason", "value": delivery.reason or "—"}


def shape_of(place: dict[str, Any] | None) -> shapely.Geometry | None:
    """The place of a fault, longitude and latitude; None where there is none."""
    if not place:
        return None
    shape = shapely.from_geojson(json.dumps(place), on_invalid="ignore")
    return None if shape is None or shape.is_empty else shape


MAP_WIDTH, MAP_HEIGHT, MARGIN, RADIUS = 900.0, 480.0, 16.0, 4.5


def _map(places: Sequence[tuple[str, dict[str, Any] | None]]) -> str | None:
    """The faults over the city's outline as SVG; None when no fault has a place."""
    middles = [
        (level, shape.representative_point())
        for level, place in places
        if (shape := shape_of(place)) is not None
    ]
    if not middles:
        return None
    outline = np.array(settings.ONEMAP_CITY_OUTLINE, dtype=float)
    points = np.array([(one.x, one.y) for _, one in middles])
    ring, dots = _drawn(outline, points)
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in ring)
    # What fell on the same spot is drawn once.
    spots = {
        (round(x / 3), round(y / 3), level): (x, y) for (level, _), (x, y) in zip(middles, dots, strict=True)
    }
    circles = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS}" fill="{LEVEL_COLOURS.get(level, "#3b5568")}"'
        ' fill-opacity="0.8" stroke="#ffffff" stroke-width="0.8"/>'
        for (_, _, level), (x, y) in spots.items()
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {MAP_WIDTH:.0f} {MAP_HEIGHT:.0f}">'
        f'<polygon points="{path}" fill="#eef2f5" stroke="#8a97a3" stroke-width="1.5"/>{circles}</svg>'
    )


def _drawn(outline: Any, points: Any) -> tuple[Any, Any]:
    """Both in the picture's units: degrees scaled by the cosine of the latitude, north up."""
    every = np.vstack([outline, points])
    low, high = every.min(axis=0), every.max(axis=0)
    stretch = np.array([np.cos(np.radians((low[1] + high[1]) / 2)), 1.0])
    span = np.maximum((high - low) * stretch, 1e-9)
    scale = min((MAP_WIDTH - 2 * MARGIN) / span[0], (MAP_HEIGHT - 2 * MARGIN) / span[1])
    size = np.array([MAP_WIDTH, MAP_HEIGHT])

    def placed(lonlat: Any) -> Any:
        moved = (lonlat - (low + high) / 2) * stretch * scale * [1, -1]
        return moved + size / 2

    return placed(outline), placed(points)
