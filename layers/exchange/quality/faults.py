"""What is wrong with a layer of the one map today: its declared checks, codes, periods and promises."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import shapely
from psycopg2 import sql

from layers import queries
from layers.catalogue import FieldInfo, LayerInfo
from layers.exchange.deliveries.checking import FoundFault, check_parts, live_part
from layers.exchange.deliveries.places import ground_of
from layers.models import CodeList
from layers.moments import CITY_TIME, Moment
from layers.queries import Statement
from layers.rights import operator_scope
from layers.rules.checks import BLOCK, WARN
from spatial.validity import Family

NOTE = "note"
MOST_FIDS = 100
MOST_VALUES = 500
PLACE_DIGITS = 5  # of a degree, about a metre: by which two pieces between the same features are told apart
_OF_ALL = {"sum-mismatch", "sum-no-control"}


@dataclass(frozen=True)
class LayerFault:
    """A fault of a layer.

    Attributes
    ----------
    level
        'block', 'warn' or 'note'.
    identity
        The same fault found again has the same one: 64 hexadecimal digits.
    fids
        Up to a hundred features that take part.
    place
        GeoJSON geometry, longitude and latitude on CGCS2000 (EPSG:4490); None without one.
    """

    code: str
    level: str
    message: str
    message_zh: str
    identity: str
    fids: Sequence[int] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    place: Mapping[str, Any] | None = None


def faults_of(
    layer: LayerInfo,
    changed_at: datetime | None,
    *,
    today: date | None = None,
    tell: Callable[[float], None] | None = None,
    cancelled: Callable[[], None] | None = None,
) -> Iterator[LayerFault]:
    """Every fault of a layer, as it is now.

    Parameters
    ----------
    changed_at
        When the layer last changed; None if it never held anything.
    today
        The day by which periods, editions and promises are judged; the city's own if not given.
    tell
        Told the share that is done (0 to 1).
    cancelled
        Called often; raises to stop.
    """
    day = today or datetime.now(CITY_TIME).date()
    yield from _stale(layer, changed_at, day)
    if layer.family is Family.RASTER:
        return
    yield from _join_lost(layer)
    for info in layer.fields:
        if cancelled is not None:
            cancelled()
        if info.codes is not None:
            yield from _edition_ended(info, day)
            yield from _orphans(layer, info, [code for code, _, _ in info.codes])
    if layer.valid_time:
        yield from _periods_ended(layer, day)
    for found in check_parts([live_part(layer)], tell=tell, cancelled=cancelled):
        yield _declared(found)


def identity_of(*parts: Any) -> str:
    """What a fault is told by, as 64 hexadecimal digits."""
    text = json.dumps(parts, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _declared(found: FoundFault) -> LayerFault:
    """A fault that a declared check found."""
    facts = dict(found.facts)
    # Without a row of its own it lies in another layer, unless it is ground that features leave between them.
    ours = found.row is not None or "of" in facts
    fids = sorted(facts.pop("rows", []))[:MOST_FIDS] if ours else []
    named = [facts.get(name) for name in ("field", "of", "group", "other", "reference")]
    if found.code in _OF_ALL:
        parts: list[Any] = named
    elif "of" in facts:
        parts = [*named, fids, _near(found.place)]
    else:
        parts = [*named, fids, None if ours else facts.get("value")]
    return LayerFault(
        found.code,
        found.level,
        found.message,
        found.message_zh,
        identity_of(found.code, *parts),
        fids,
        facts,
        found.place,
    )


def _near(place: Mapping[str, Any] | None) -> list[float] | None:
    if place is None:
        return None
    west, south, east, north = shapely.from_geojson(json.dumps(place)).bounds
    return [round((west + east) / 2, PLACE_DIGITS), round((south + north) / 2, PLACE_DIGITS)]


def _stale(layer: LayerInfo, changed_at: datetime | None, day: date) -> Iterator[LayerFault]:
    """The promised rhythm against the last change."""
    if not layer.update_days or changed_at is None:
        return
    age = (day - changed_at.astimezone(CITY_TIME).date()).days
    if age > layer.update_days:
        yield LayerFault(
            "stale",
            WARN,
            f"last changed {age} days ago; {layer.update_days} days were promised",
            f"距上次更新已 {age} 天，承诺周期为 {layer.update_days} 天",
            identity_of("stale"),
            facts={"days": age, "promised_days": layer.update_days, "changed_at": changed_at},
        )


def _join_lost(layer: LayerInfo) -> Iterator[LayerFault]:
    """A table whose layer, or one of the two fields, is gone."""
    if layer.join_field and layer.join is None:
        yield LayerFault(
            "join-lost",
            BLOCK,
            f"joined by {layer.join_field}, but the layer or the field that it joins is gone",
            f"按字段 {layer.join_field} 关联，但被关联的图层或字段已不存在",
            identity_of("join-lost", layer.join_field),
            facts={"field": layer.join_field, "layer": layer.joins},
        )


def _edition_ended(info: FieldInfo, day: date) -> Iterator[LayerFault]:
    """A field that still holds to an edition that no longer does."""
    code, _, edition = (info.code_list or "").partition("@")
    ended = CodeList.objects.filter(code=code, edition=edition, valid_to__lte=day).first()
    if ended is not None:
        yield LayerFault(
            "code-list-ended",
            WARN,
            f"{info.name} holds to {info.code_list}, which ended on {ended.valid_to}",
            f"字段 {info.name} 仍使用代码表 {info.code_list}，该版本已于 {ended.valid_to} 停用",
            identity_of("code-list-ended", info.name, info.code_list),
            facts={"field": info.name, "code_list": info.code_list, "valid_to": ended.valid_to},
        )


def _orphans(layer: LayerInfo, info: FieldInfo, codes: list[str]) -> Iterator[LayerFault]:
    """Values that are no code of the field's list: one fault per value."""
    features = queries.relation(operator_scope(layer.name), Moment.today())
    text = sql.SQL(queries.load_sql(queries.SQL, "orphan_codes")).format(
        features=features.text, column=sql.Identifier(info.column)
    )
    asked = Statement(text, {**features.params, "codes": codes, "most": MOST_VALUES})
    for value, holders, fids, point in queries.rows(asked):
        yield LayerFault(
            "code-unknown",
            BLOCK,
            f"{info.name}: {value[:80]} is no code of {info.code_list}; {holders} features hold it",
            f"{info.name}：{value[:80]} 不在代码表 {info.code_list} 中，涉及 {holders} 个要素",
            identity_of("code-unknown", info.name, value),
            list(fids),
            {"field": info.name, "value": value[:80], "code_list": info.code_list, "count": holders},
            ground_of(shapely.from_wkb(bytes(point))) if point is not None else None,
        )


def _periods_ended(layer: LayerInfo, day: date) -> Iterator[LayerFault]:
    """Features that ended and that nothing follows."""
    features = queries.relation(operator_scope(layer.name), Moment())
    text = sql.SQL(queries.load_sql(queries.SQL, "periods_ended")).format(features=features.text)
    ((count, fids),) = queries.rows(Statement(text, {**features.params, "today": day}))
    if count:
        yield LayerFault(
            "period-ended",
            NOTE,
            f"the validity of {count} features has ended and nothing follows them",
            f"{count} 个要素的有效期已结束且没有后续版本",
            identity_of("period-ended"),
            list(fids),
            {"count": count, "day": day},
        )
