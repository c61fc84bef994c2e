"""Rasters as values: which there are, what lies at a point, along a line, in a window. Always x before y."""

import json
import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from accounts.principals import who_asks
from layers import queries
from layers.models import Change, RasterVersion
from layers.moments import parse_moment
from layers.ogc import axes
from layers.ogc.features_api.parameters import BadFormat, known_only, single
from layers.rasters import centres, reading, samples, version_at
from layers.reads import note_read
from layers.rights import Action, Scope, raster_scope, visible_rasters
from spatial.crs import Crs, crs_of, transformation
from spatial.errors import Kind, OnemapError
from spatial.numbers import BadBBox, parse_bbox, parse_integer, parse_number, shown

router = Router(tags=["rasters"])

MOST_SAMPLES = 2_000
MOST_VERTICES = 1_000
MOST_SIDE = 512  # of a window, columns and rows
SAMPLES = 200  # along a line, where no step is given
RAW = "application/octet-stream"


class BadLine(OnemapError):
    """A text that should be a line is none."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "bad-line"
    message: ClassVar = "line '{value}': {reason}; write x y,x y with 2 to {most} points"
    message_zh: ClassVar = "线“{value}”有误（{reason}）；请写成 x y,x y，2 至 {most} 个点"


class Where(Schema):
    """In which coordinate system, at what time, and which band."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    crs: str = f"EPSG:{axes.STORAGE}"
    as_of: str | None = Field(None, alias="as-of")


class Spot(Where):
    """A point."""

    x: str
    y: str


class Line(Where):
    """A line, `x y,x y`, and metres between two samples."""

    line: str
    step: str | None = None
    band: str = "1"


class Window(Where):
    """A box and into how many cells it is cut."""

    bbox: str
    width: str = "256"
    height: str = "256"
    band: str = "1"
    f: str = "json"


@router.get("/rasters", summary="The rasters you may see")
def rasters(request: HttpRequest) -> HttpResponse:
    """Every raster the caller may view, with the caller's actions and its current version."""
    scopes = visible_rasters(who_asks(request))
    states = queries.layer_states([one.layer.id for one in scopes])
    known = RasterVersion.objects.filter(layer_id__in=list(states), rev_to=None)
    current = {version.layer_id: version for version in known}
    listed = [_told(one, states[one.layer.id], current.get(one.layer.id)) for one in scopes]
    return _answer({"rasters": listed})


@router.get("/rasters/{name}", summary="A raster, its statistics and its versions")
def raster(request: HttpRequest, name: str) -> HttpResponse:
    """What a raster is; where it lies and what is in it only for those who may see all of it."""
    found = raster_scope(who_asks(request), name, Action.VIEW)
    versions = list(RasterVersion.objects.filter(layer_id=found.layer.id))
    times = dict(Change.objects.filter(layer_id=found.layer.id).values_list("revision", "at"))
    state = queries.layer_states([found.layer.id])[found.layer.id]
    body = _told(found, state, next((one for one in versions if one.rev_to is None), None))
    body["abstract_zh"], body["abstract_en"] = found.layer.abstract_zh, found.layer.abstract_en
    whole = found.areas is None
    body["versions"] = [
        {
            "revision": one.rev_from,
            "until_revision": one.rev_to,
            "at": times[one.rev_from].isoformat() if one.rev_from in times else None,
            **({"size": one.size, "sha256": one.sha256, "extent": one.extent} if whole else {}),
        }
        for one in versions
    ]
    return _answer(body)


def _told(one: Scope, state: dict[str, Any], version: RasterVersion | None) -> dict[str, Any]:
    layer, whole = one.layer, one.areas is None
    body: dict[str, Any] = {
        "name": layer.name,
        "title_zh": layer.title_zh,
        "title_en": layer.title_en,
        "theme": {name: getattr(layer.theme, name) for name in ("code", "title_zh", "title_en", "order")},
        "department": dict(zip(("code", "name_zh", "name_en"), layer.department, strict=True)),
        "secrecy": layer.secrecy.value,
        "actions": sorted(action.value for action in one.actions),
        "revision": state["revision"],
        "updated_at": state["changed_at"].isoformat() if state["changed_at"] else None,
        "update_days": layer.update_days,
        "crs": crs_of(axes.STORAGE).code,
        "visible": layer.visible,
        "order": layer.order,
        "extent": list(version.extent) if version and whole else None,
    }
    if version is not None:
        body |= {name: getattr(version, name) for name in ("cell", "dtype")}
        body |= {"columns": version.columns, "rows": version.rows} if whole else {}
        body["bands"] = [
            {
                "band": number,
                **{name: told[name] for name in ("name", "unit") if not whole},
                **(told if whole else {}),
            }
            for number, told in enumerate(version.statistics, 1)
        ]
    return body


@router.get("/rasters/{name}/value", summary="The value at a point")
def value(request: HttpRequest, name: str, spot: Query[Spot]) -> HttpResponse:
    """Each band's value of the cell at a point, and for measures the value between the cells around it.

    A point without value, outside the raster or outside the area granted has the same answer: null.
    """
    found, crs, version = _asked(request, name, spot, "value")
    point = np.array([[parse_number(spot.x, name="x"), parse_number(spot.y, name="y")]])
    place = _stored(point, crs)
    bands: list[dict[str, Any]] = []
    if version is not None:
        with reading(found, version) as reader:
            heard = reader.at(float(place[0, 0]), float(place[0, 1]))
        for number, (here, told) in enumerate(zip(heard, version.statistics, strict=True), 1):
            bands.append(
                {
                    "band": number,
                    "name": told["name"],
                    "unit": told["unit"],
                    "value": _number(here.cell, version.dtype),
                    "bilinear": _number(here.smooth, version.dtype),
                }
            )
    first = bands[0] if bands else {"value": None, "bilinear": None, "unit": ""}
    facts = {name: first[name] for name in ("value", "bilinear", "unit")}
    return _answer({"raster": name, **facts, "bands": bands})


@router.get("/rasters/{name}/profile", summary="The values along a line")
def profile(request: HttpRequest, name: str, line: Query[Line]) -> HttpResponse:
    """Values every `step` metres along a line, at most 2,000; null where there is none."""
    found, crs, version = _asked(request, name, line, "profile")
    band = parse_integer(line.band, name="band", low=1)
    course = _stored(_vertices(line.line), crs)
    if not np.isfinite(course).all():
        raise BadLine(value=shown(line.line), reason="a point lies nowhere", most=MOST_VERTICES)
    length = float(np.hypot(*np.diff(course, axis=0).T).sum())
    step = length / (SAMPLES - 1)
    if line.step is not None:
        step = parse_number(line.step, name="step", low=length / (MOST_SAMPLES - 2) or 0.001, high=1e7)
    distances, points = samples(course, step, MOST_SAMPLES)
    values: Sequence[float | int | None] = [None] * len(points)
    unit = ""
    if version is not None:
        with reading(found, version) as reader:
            heard = reader.along(band, points)
        values = _numbers(heard, version.dtype)
        unit = version.statistics[band - 1]["unit"]
    body = {
        "raster": name,
        "band": band,
        "unit": unit,
        "length": round(length, 3),
        "distances": [round(one, 3) for one in distances.tolist()],
        "values": values,
    }
    return _answer(body)


@router.get("/rasters/{name}/window", summary="The values of a box")
def window(request: HttpRequest, name: str, box: Query[Window]) -> HttpResponse:
    """Values of the cells at the centres of a box cut into width × height, rows from the top.

    `f=json` gives rows of numbers and nulls; `f=raw` float32, little-endian, NaN without value. Where the box holds
    many more cells than are asked for, values come from the averages of the overviews.
    """
    found, crs, version = _asked(request, name, box, "window")
    if box.f not in {"json", "raw"}:
        raise BadFormat(offered="json, raw")
    band = parse_integer(box.band, name="band", low=1)
    width = parse_integer(box.width, name="width", low=1, high=MOST_SIDE)
    height = parse_integer(box.height, name="height", low=1, high=MOST_SIDE)
    asked = parse_bbox(box.bbox)
    if asked.xmin == asked.xmax or asked.ymin == asked.ymax:
        raise BadBBox(value=shown(box.bbox), reason="no area")
    values = np.full(width * height, np.nan)
    dtype = "float32"
    if version is not None:
        dtype = version.dtype
        with reading(found, version) as reader:
            values = reader.over(band, _stored(centres(asked, width, height), crs))
    if box.f == "raw":
        return _kept_private(HttpResponse(values.astype("<f4").tobytes(), content_type=RAW))
    cells = _numbers(values, dtype)
    rows = [cells[start : start + width] for start in range(0, len(cells), width)]
    facts = {"raster": name, "band": band, "crs": crs.code, "bbox": list(asked)}
    return _answer({**facts, "width": width, "height": height, "rows": rows})


def _asked(
    request: HttpRequest, name: str, where: Where, door: str
) -> tuple[Scope, Crs, RasterVersion | None]:
    """The caller's scope, the coordinate system and the version a question is about."""
    names = {field.alias or key for key, field in type(where).model_fields.items()}
    found = raster_scope(who_asks(request), name, Action.QUERY)
    known_only(single(request.GET), names)
    crs = axes.output_crs(where.crs)
    moment = parse_moment(found.layer, where.as_of, None)
    note_read(who_asks(request), found, door, often=True)
    return found, crs, version_at(found, moment.revision)


def _stored(points: NDArray[np.float64], crs: Crs) -> NDArray[np.float64]:
    if crs.srid == axes.STORAGE:
        return points
    return transformation(crs.srid, axes.STORAGE, settings.ONEMAP_CRS_PARAMETERS).apply(points)


def _vertices(text: str) -> NDArray[np.float64]:
    parts = text.split(",") if len(text) <= 80 * MOST_VERTICES else []
    if not 2 <= len(parts) <= MOST_VERTICES:
        raise BadLine(value=shown(text), reason=f"{len(parts)} points", most=MOST_VERTICES)
    pairs = [part.split(" ") for part in parts]
    if any(len(pair) != 2 for pair in pairs):
        raise BadLine(value=shown(text), reason="a point is not x y", most=MOST_VERTICES)
    return np.array([[parse_number(number, name="line") for number in pair] for pair in pairs])


def _number(value: float | None, dtype: str) -> float | int | None:
    return None if value is None else _numbers(np.array([value]), dtype)[0]


def _numbers(values: NDArray[np.float64], dtype: str) -> list[float | int | None]:
    """Values as JSON has them: whole numbers whole, float32 with the seven digits it has."""
    read: Callable[[float], float | int] = int
    if dtype.startswith("float"):
        read = float if dtype == "float64" else _seven_digits
    return [None if math.isnan(one) else read(one) for one in values.tolist()]


def _seven_digits(value: float) -> float:
    return float(f"{value:.7g}")


def _answer(body: dict[str, Any]) -> HttpResponse:
    return _kept_private(HttpResponse(json.dumps(body, ensure_ascii=False), content_type="application/json"))


def _kept_private(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Vary"] = "Authorization, Cookie"
    return response
