"""Styles that come with the platform: of code lists by their colours, and those of data/styles.json.

Each names its edition and source; where no standard gives a colour, the source says that it is a convention.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from layers.rules.codelists import seeded
from spatial.errors import Kind, OnemapError

FILE = Path(__file__).parents[1] / "data" / "styles.json"
RIM = {"type": "line", "color": "#7a7a7a", "width": 0.5}
BLACK_RIM = {"type": "line", "color": "#000000", "width": 0.5}
PLAIN = {"type": "fill", "color": "#eeeeee"}
CODES_READ = 5_000  # largest denominator at which codes are written into parcels


class SeedNotFound(OnemapError):
    """No style of this name comes with the platform."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar = "style-seed-not-found"
    message: ClassVar = "no style {seed} comes with the platform; there are: {known}"
    message_zh: ClassVar = "平台没有内置样式 {seed}；可用：{known}"


@cache
def _file() -> Mapping[str, Mapping[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def coloured_lists() -> tuple[str, ...]:
    """The code lists, CODE@EDITION, whose codes have colours."""
    names = (f"{one['code']}@{one['edition']}" for one in seeded("lists"))
    return tuple(name for name in names if any(row["colour"] for row in seeded(name)))


def names() -> tuple[str, ...]:
    """Every style that comes with the platform."""
    return (*coloured_lists(), *_file())


def seed(name: str, field: str = "") -> dict[str, Any]:
    """A style's document; `field` is the layer's own name of the field that classes go by.

    Raises
    ------
    SeedNotFound
    """
    if name in _file():
        document = dict(_file()[name]["style"])
        return document | {"field": field} if field and "field" in document else document
    if name in coloured_lists():
        return of_codes(name, field or "code")
    raise SeedNotFound(seed=name[:60], known=", ".join(names()))


def of_codes(name: str, field: str, only: frozenset[str] | None = None) -> dict[str, Any]:
    """The colours of a code list by the code in a field; white is told from paper by a black rim."""
    classes = [
        {
            "values": [row["code"]],
            "title_zh": row["title_zh"],
            "title_en": row["title_en"],
            "symbols": [
                {"type": "fill", "color": row["colour"]},
                BLACK_RIM if row["colour"] == "#ffffff" else RIM,
            ],
        }
        for row in seeded(name)
        if row["colour"] and (only is None or row["code"] in only)
    ]
    return {
        "kind": "categorised",
        "field": field,
        "classes": classes,
        "other": {"title_zh": "", "title_en": "", "symbols": [PLAIN, RIM]},
        "labels": {"max_scale": CODES_READ, "size": 11},
    }
