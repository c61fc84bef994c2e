"""The entities of a drawing as flat shapes: blocks expanded, arcs as chords, limits kept.

A block may hold references to others, even to itself, and a reference may stand for a grid of many: so the
references on the way are remembered, and everything that blocks bring counts towards one limit. What is not
expanded, or not understood, is counted.
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from ezdxf import path as paths
from ezdxf.document import Drawing
from ezdxf.entities.dxfgfx import DXFGraphic
from ezdxf.entities.insert import Insert
from ezdxf.tools.text import plain_mtext, plain_text
from numpy.typing import NDArray

from spatial.formats import families
from spatial.formats.refusals import UnreadableSource
from spatial.validity import LINEARISE_TOLERANCE_M

MOST_ENTITIES = 2_000_000
MOST_PLACED = 200_000  # what blocks may bring in all
_MOST_RINGS = 1_000
DEEPEST = 16
_FARTHEST = 1e12
_LONGEST_TEXT = 2_000
_COARSEST = 1e-6  # of an entity's extent: an arc never has more chords than this allows
_OUTLINES = {"LWPOLYLINE", "POLYLINE", "CIRCLE", "ELLIPSE", "SPLINE", "LINE", "ARC"}
_FILLED = {"HATCH", "MPOLYGON"}
_TEXTS = {"TEXT", "MTEXT", "ATTRIB"}
_SAME_POINT = 1e-6

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Item:
    """One shape: x, y in drawing units, and where it comes from.

    `handle` is that of the entity in the drawing itself, also for what a block brought.
    """

    shape: Any
    kind: str
    layer: str
    block: str
    handle: str
    text: str = ""


@dataclass(slots=True)
class Drawn:
    """All shapes of a drawing by layer, and the count of what was left out."""

    layers: dict[str, list[Item]] = field(
        default_factory=lambda: {"polygons": [], "lines": [], "points": [], "texts": []}
    )
    unread: Counter[str] = field(default_factory=Counter)
    not_expanded: int = 0
    cut: int = 0

    def skip(self, entity: DXFGraphic, reason: str) -> None:
        """Count an entity that cannot be placed as its block is."""
        self.unread[entity.dxftype()] += 1


@dataclass(frozen=True, slots=True)
class _Found:
    """An entity on its place, with the blocks it came through."""

    entity: DXFGraphic
    handle: str
    blocks: tuple[str, ...] = ()


def draw(drawing: Drawing, name: str) -> Drawn:
    """Every entity of the model space as a shape.

    Raises
    ------
    UnreadableSource
        More than 2,000,000 entities.
    """
    drawn = Drawn()
    for number, found in enumerate(_entities(drawing, drawn)):
        if number >= MOST_ENTITIES:
            raise UnreadableSource(
                name, f"more than {MOST_ENTITIES:,} entities", f"图元超过 {MOST_ENTITIES:,} 个"
            )
        try:
            taken = _take(found, drawn)
        except Exception:  # an entity with impossible values is counted, the others are still read
            taken = False
        if not taken:
            drawn.unread[found.entity.dxftype()] += 1
    return drawn


def _entities(drawing: Drawing, drawn: Drawn) -> Iterator[_Found]:
    """The entities in their order; a reference to a block comes before what it brings."""
    blocks = _Blocks(drawing)
    waiting = [iter([_Found(one, str(one.dxf.handle or "")) for one in drawing.modelspace()])]
    while waiting:
        found = next(waiting[-1], None)
        if found is None:
            waiting.pop()
            continue
        yield found
        if isinstance(found.entity, Insert) and (found.blocks or blocks.afford(found.entity)):
            waiting.append(_expanded(found, found.entity, drawn))
        elif isinstance(found.entity, Insert):
            drawn.not_expanded += 1


class _Blocks:
    """How much each block brings, known before any of it is drawn."""

    def __init__(self, drawing: Drawing) -> None:
        self.drawing = drawing
        self.left = MOST_PLACED
        self._known: dict[str, float] = {}

    def afford(self, insert: Insert) -> bool:
        """Take what a reference brings from what is left; False if that is too much."""
        brings = self._brings(insert, ())
        if brings > self.left:
            return False
        self.left -= int(brings)
        return True

    def _brings(self, insert: Insert, above: tuple[str, ...]) -> float:
        """Entities and references; infinite for a block that holds itself or nests too deeply."""
        name = str(insert.dxf.name).lower()
        if name in above or len(above) >= DEEPEST:
            return math.inf
        if name not in self._known:
            block = self.drawing.blocks.get(name)
            inner = [one for one in block or () if isinstance(one, Insert)]
            total = float(len(block or ()))
            for one in inner:
                total += self._brings(one, (*above, name))
            self._known[name] = total
        return len(insert.attribs) + max(insert.mcount, 1) * (1 + self._known[name])


def _expanded(found: _Found, insert: Insert, drawn: Drawn) -> Iterator[_Found]:
    """What a reference brings: its attributes, and the content of its block on each place of its grid."""
    blocks = (*found.blocks, str(insert.dxf.name))
    for attribute in insert.attribs:
        yield _Found(attribute, found.handle, blocks)
    try:
        for single in insert.multi_insert() if insert.mcount > 1 else (insert,):
            for one in single.virtual_entities(skipped_entity_callback=drawn.skip):
                yield _Found(one, found.handle, blocks)
    except Exception:  # a block that cannot be placed brings no more; that it did not is counted
        drawn.not_expanded += 1


def _take(found: _Found, drawn: Drawn) -> bool:
    """Add the entity to the layer it belongs to; False where it is not understood."""
    entity, kind = found.entity, found.entity.dxftype()
    if kind == "INSERT":
        if found.blocks:
            return True
        return _add(found, drawn, "points", _point(entity.dxf.insert), str(entity.dxf.name))
    if kind == "POINT":
        return _add(found, drawn, "points", _point(entity.dxf.location))
    if kind in _TEXTS:
        return _take_text(found, drawn)
    if kind in _FILLED:
        return _add(found, drawn, "polygons", _filled(entity))
    return kind in _OUTLINES and _take_outline(found, drawn)


def _take_text(found: _Found, drawn: Drawn) -> bool:
    raw = str(found.entity.text if found.entity.dxftype() == "MTEXT" else found.entity.dxf.text)  # type: ignore[attr-defined]
    plain = plain_mtext if found.entity.dxftype() == "MTEXT" else plain_text
    text = str(plain(raw[: 4 * _LONGEST_TEXT])).strip()
    if len(raw) > 4 * _LONGEST_TEXT or len(text) > _LONGEST_TEXT:
        drawn.cut += 1
    return _add(found, drawn, "texts", _point(_anchor(found.entity)), text=text[:_LONGEST_TEXT])


def _anchor(entity: DXFGraphic) -> Any:
    """Where a text stands, in world coordinates."""
    if entity.dxftype() == "MTEXT":
        return entity.dxf.insert
    aligned = entity.dxf.get("halign", 0) or entity.dxf.get("valign", 0)
    place = entity.dxf.get("align_point") if aligned else None
    return entity.ocs().to_wcs(place if place is not None else entity.dxf.insert)


def _take_outline(found: _Found, drawn: Drawn) -> bool:
    if found.entity.dxftype() == "POLYLINE" and found.entity.is_poly_face_mesh | found.entity.is_polygon_mesh:  # type: ignore[attr-defined]
        return False
    path = paths.make_path(found.entity)
    points = _flat(path)
    if len(points) < 2:
        return False
    closed = bool(path.is_closed) or float(np.abs(points[0] - points[-1]).max()) <= _SAME_POINT
    area = families.polygon([points]) if closed else None
    if area is not None:
        return _add(found, drawn, "polygons", area)
    return _add(found, drawn, "lines", shapely.LineString(points))


def _filled(entity: DXFGraphic) -> Any:
    """The rings of a hatch put together: a ring inside another is a hole of it."""
    rings = [_flat(path) for path in paths.from_hatch(entity)]  # type: ignore[arg-type]
    areas = [area for ring in rings if len(ring) >= 3 and (area := families.polygon([ring])) is not None]
    if not areas or len(areas) > _MOST_RINGS:
        raise ValueError("a hatch without a boundary, or with too many")
    areas.sort(key=lambda one: -one.area)
    whole = areas[0]
    for area in areas[1:]:
        whole = shapely.symmetric_difference(shapely.make_valid(whole), shapely.make_valid(area))
    return whole


def _flat(path: Any) -> Points:
    """The points of a path, its arcs as chords that leave them by at most the tolerance."""
    corners = np.array([(one.x, one.y) for one in path.control_vertices()], dtype=np.float64).reshape(-1, 2)
    if not len(corners) or not np.isfinite(corners).all() or np.abs(corners).max() > _FARTHEST:
        raise ValueError("coordinates beyond every map")
    if not path.has_curves:
        return corners
    extent = float(np.ptp(corners, axis=0).max())
    distance = max(LINEARISE_TOLERANCE_M, extent * _COARSEST)
    return np.array([(one.x, one.y) for one in path.flattening(distance)], dtype=np.float64).reshape(-1, 2)


def _point(place: Any) -> Any:
    if not all(math.isfinite(one) and abs(one) <= _FARTHEST for one in (place.x, place.y)):
        raise ValueError("coordinates beyond every map")
    return shapely.Point(place.x, place.y)


def _add(found: _Found, drawn: Drawn, layer: str, shape: Any, block: str = "", text: str = "") -> bool:
    names = found.blocks[-1] if found.blocks else block
    on = str(found.entity.dxf.get("layer", "0"))
    drawn.layers[layer].append(Item(shape, found.entity.dxftype(), on, names, found.handle, text))
    return True
