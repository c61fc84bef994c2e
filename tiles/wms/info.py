"""What GetFeatureInfo tells, in each of its formats."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from django.conf import settings
from django.template.loader import render_to_string

from layers.identifying import features_at
from layers.moments import Moment
from layers.ogc import axes
from layers.rights import Scope
from layers.styles.model import Line, Marker, rules_of
from layers.styles.reading import AnyStyle
from spatial.crs import CRS84, transformation
from tiles.reports import NO_XML
from tiles.wms.asking import InfoAsked

LEAST_PX = 3.0


@dataclass(frozen=True, slots=True)
class Found:
    """The features of one layer at the place."""

    name: str
    title: str
    features: list[dict[str, Any]]


def place_of(asked: InfoAsked) -> tuple[tuple[float, float], float]:
    """The middle of the pixel asked about, in the storage CRS, and how many metres a pixel is there."""
    box, (width, height) = asked.map.box, asked.map.size
    across, down = (box.xmax - box.xmin) / width, (box.ymax - box.ymin) / height
    x, y = box.xmin + (asked.place[0] + 0.5) * across, box.ymax - (asked.place[1] + 0.5) * down
    points = np.array([[x, y], [x + across, y], [x, y + down]])
    if asked.map.crs.srid != axes.STORAGE:
        change = transformation(asked.map.crs.srid, axes.STORAGE, settings.ONEMAP_CRS_PARAMETERS)
        points = change.apply(points)
    sides = np.hypot(*(points[1:] - points[0]).T)
    return (float(points[0, 0]), float(points[0, 1])), float(sides.max())


def reach_px(style: AnyStyle) -> float:
    """How far from a feature's geometry its symbols reach, pixels."""
    symbols = [one for rule in rules_of(style) for one in rule.symbols]
    sizes = [one.size / 2 + one.stroke_width for one in symbols if isinstance(one, Marker)]
    sizes += [one.width / 2 for one in symbols if isinstance(one, Line)]
    return max([LEAST_PX, *sizes])


def found_at(asked: InfoAsked, scope: Scope, moment: Moment, style: AnyStyle, title: str) -> Found:
    """The features of a layer whose symbols may lie under the pixel."""
    place, metres = place_of(asked)
    if not np.isfinite([*place, metres]).all():
        return Found(scope.layer.name, title, [])
    reach = reach_px(style) * metres
    return Found(scope.layer.name, title, features_at(scope, moment, CRS84, place, reach, asked.most))


def written(found: list[Found], media: str) -> str:
    """The answer's body."""
    return WRITERS[media](found)


def _plain(found: list[Found]) -> str:
    lines = []
    for one in found:
        for feature in one.features:
            lines.append(f"{one.name} {feature['fid']} ({one.title})")
            lines += [
                f"  {name} = {'' if value is None else value}"
                for name, value in feature["properties"].items()
            ]
    return "\n".join(lines) + "\n" if lines else ""


def _html(found: list[Found]) -> str:
    # Pairs: a field may be called `items`, and a template would take it for the method.
    told = [(one.title, [list(feature["properties"].items()) for feature in one.features]) for one in found]
    return render_to_string("wms/info.html", {"found": told})


def _json(found: list[Found]) -> str:
    features = [
        {
            "type": "Feature",
            "id": f"{one.name}.{feature['fid']}",
            "geometry": feature["geometry"],
            "properties": feature["properties"],
        }
        for one in found
        for feature in one.features
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)


def _gml(found: list[Found]) -> str:
    """Features with their fields; names that are no XML names are told as `field` with an attribute `name`."""
    parts = ['<?xml version="1.0" encoding="UTF-8"?>']
    parts.append(
        '<onemap:FeatureCollection xmlns:onemap="http://onemap" xmlns:gml="http://www.opengis.net/gml">'
    )
    for one in found:
        for feature in one.features:
            fields = "".join(
                f"<onemap:field name={quoteattr(name)}>{escape(str(value))}</onemap:field>"
                for name, value in feature["properties"].items()
                if value is not None
            )
            label = f'fid="{one.name}.{feature["fid"]}"'
            parts.append(
                f"<gml:featureMember><onemap:{one.name} {label}>{fields}</onemap:{one.name}></gml:featureMember>"
            )
    return NO_XML.sub("\ufffd", "".join([*parts, "</onemap:FeatureCollection>"]))


WRITERS: dict[str, Callable[[list[Found]], str]] = {
    "text/plain": _plain,
    "text/html": _html,
    "application/json": _json,
    "application/geo+json": _json,
    "application/vnd.ogc.gml": _gml,
}
