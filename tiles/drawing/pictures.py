"""Pictures of layers: from scopes and styles to what a render process is asked."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from layers import queries
from layers.moments import Moment
from layers.rights import Scope
from layers.styles.model import Labels, fields_used, rules_of
from layers.styles.reading import AnyStyle
from layers.styles.showing import label_field
from spatial.crs import Crs
from spatial.numbers import BBox
from spatial.tilegrids import METRES_PER_DEGREE
from tiles.drawing.mapnik_xml import Drawn, Look, layer_xml, map_xml
from tiles.drawing.pool import Picture
from tiles.drawing.questions import question


@dataclass(frozen=True, slots=True)
class Part:
    """One layer of a picture."""

    scope: Scope
    moment: Moment
    style: AnyStyle


def picture(
    parts: Sequence[Part],
    crs: Crs,
    box: BBox,
    size: tuple[int, int],
    encoding: str,
    background: str = "transparent",
) -> Picture:
    """What to ask a render process for.

    Parameters
    ----------
    parts
        The layers, the lowest first.
    box
        East before north, in units of `crs`.
    size
        Width and height, pixels.
    encoding
        Mapnik's name of it.
    """
    metres = (box.xmax - box.xmin) / size[0] * (METRES_PER_DEGREE if crs.geographic else 1.0)
    drawn = [_drawn(number, part, metres) for number, part in enumerate(parts)]
    srs = f"epsg:{crs.srid}"
    digest = hashlib.sha256(" ".join([srs, *(one.digest for one in drawn)]).encode()).hexdigest()[:24]
    return Picture(
        digest, map_xml(drawn, srs), *size, (box.xmin, box.ymin, box.xmax, box.ymax), encoding, background
    )


def _drawn(number: int, part: Part, metres: float) -> Drawn:
    layer = part.scope.layer
    fields, label = fields_used(part.style), label_field(part.style, layer)
    asked = question(part.scope, part.moment, fields, label, metres, _first_level(part.scope))
    look = Look(
        layer.family,
        rules_of(part.style),
        part.style.labels or Labels(),
        asked.label,
        asked.columns,
        asked.merged,
    )
    return layer_xml(f"{layer.name}-{number}", look, asked.source, f"epsg:{asked.source['srid']}")


def _first_level(scope: Scope) -> int | None:
    state = queries.layer_states([scope.layer.id])[scope.layer.id]
    if state["overview"] is None:
        return None
    return int(json.loads(state["first_levels"]).get("CityGrid", 0))
