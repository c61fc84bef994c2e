"""Hatches and point symbols as small files, which is how Mapnik takes them.

Files are named after what they show, so that the same pattern is written once and never changes.
"""

import os
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from numpy.typing import NDArray
from PIL import Image

from layers.styles.model import Hatch

FINER = 8  # strokes are drawn so much finer and reduced
SYMBOLS = Path(__file__).parent / "symbols"


def marker_file(shape: str) -> Path:
    """The file of a point symbol of the library."""
    return SYMBOLS / f"{shape}.svg"


@lru_cache(maxsize=2048)
def hatch_file(one: Hatch) -> Path:
    """The file of a hatch; written if it is not there."""
    folder = settings.ONEMAP_VAR / "patterns"
    name = f"{one.pattern}-{one.color[1:]}-{one.spacing:g}-{one.width:g}.png"
    path: Path = folder / name
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        handle, made = tempfile.mkstemp(dir=folder)
        with os.fdopen(handle, "wb") as file:
            hatch_image(one).save(file, "PNG")
        os.replace(made, path)
    return path


def hatch_image(one: Hatch) -> Image.Image:
    """One tile of a hatch, which joins with itself on every side; its side is the spacing (diagonals: times √2).

    A picture and not an SVG: of that, Mapnik takes the box around the strokes, which reach beyond the tile.
    """
    side = round(one.spacing * (2**0.5 if "diagonal" in one.pattern else 1))
    places = (np.arange(side * FINER) + 0.5) / FINER - side / 2
    x, y = np.meshgrid(places, places)
    red, green, blue, *rest = bytes.fromhex(one.color[1:])
    opacity = rest[0] / 255 if rest else 1.0
    covered = _covered(one, x, y, side).reshape(side, FINER, side, FINER).mean(axis=(1, 3))
    image = np.empty((side, side, 4), np.uint8)
    image[:] = red, green, blue, 0
    image[:, :, 3] = np.rint(covered * opacity * 255)
    return Image.fromarray(image)


def _covered(one: Hatch, x: NDArray[Any], y: NDArray[Any], side: int) -> NDArray[Any]:
    """Which places, pixels from the tile's middle, a stroke or dot covers; strokes repeat with the tile."""
    if one.pattern == "dots":
        dotted: NDArray[Any] = np.hypot(x, y) <= one.width
        return dotted
    across = {
        "diagonal": (x + y,),
        "back_diagonal": (x - y,),
        "diagonal_cross": (x + y, x - y),
        "horizontal": (y,),
        "vertical": (x,),
        "cross": (x, y),
    }[one.pattern]
    slant = 2**0.5 if "diagonal" in one.pattern else 1.0
    beside = [np.abs((part + side / 2) % side - side / 2) / slant for part in across]
    stroked: NDArray[Any] = np.minimum.reduce(beside) <= one.width / 2
    return stroked
