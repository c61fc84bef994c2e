"""Hatches and point symbols as small SVG files, which is how Mapnik takes them.

Files are named after what they show, so that the same pattern is written once and never changes.
"""

import os
import tempfile
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from layers.styles.model import Hatch

SYMBOLS = Path(__file__).parent / "symbols"


def marker_file(shape: str) -> Path:
    """The file of a point symbol of the library."""
    return SYMBOLS / f"{shape}.svg"


@lru_cache(maxsize=2048)
def hatch_file(one: Hatch) -> Path:
    """The file of a hatch; written if it is not there."""
    folder = settings.ONEMAP_VAR / "patterns"
    name = f"{one.pattern}-{one.color[1:]}-{one.spacing:g}-{one.width:g}.svg"
    path: Path = folder / name
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        handle, made = tempfile.mkstemp(dir=folder)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(hatch_svg(one))
        os.replace(made, path)
    return path


def hatch_svg(one: Hatch) -> str:
    """One tile of a hatch, which joins with itself on every side; its side is the spacing (diagonals: times √2)."""
    side = one.spacing * (2**0.5 if "diagonal" in one.pattern else 1)
    opacity = int(one.color[7:9], 16) / 255 if len(one.color) == 9 else 1.0
    if one.pattern == "dots":
        place = f'cx="{side / 2:g}" cy="{side / 2:g}" r="{one.width:g}"'
        body = f'<circle {place} fill="{one.color[:7]}" fill-opacity="{opacity:.4g}"/>'
    else:
        lines = "".join(
            f'<line x1="{a:g}" y1="{b:g}" x2="{c:g}" y2="{d:g}"/>' for a, b, c, d in _lines(one.pattern, side)
        )
        body = f'<g stroke="{one.color[:7]}" stroke-opacity="{opacity:.4g}" stroke-width="{one.width:g}">{lines}</g>'
    size = f'width="{side:g}" height="{side:g}" viewBox="0 0 {side:g} {side:g}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{body}</svg>'


def _lines(pattern: str, side: float) -> list[tuple[float, float, float, float]]:
    """Ends of the strokes; those of diagonals reach beyond the corners, where their neighbours go on."""
    half, out = side / 2, side / 4
    rising = [(-out + k, side + out + k, side + out + k, -out + k) for k in (-side, 0.0, side)]
    falling = [(-out + k, -out - k, side + out + k, side + out - k) for k in (-side, 0.0, side)]
    flat, upright = [(0.0, half, side, half)], [(half, 0.0, half, side)]
    return {
        "diagonal": rising,
        "back_diagonal": falling,
        "diagonal_cross": rising + falling,
        "horizontal": flat,
        "vertical": upright,
        "cross": flat + upright,
    }[pattern]
