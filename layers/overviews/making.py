"""Making the overviews of a layer: whole, as a job, or some of its blocks again."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, ClassVar

from django.db import connection, transaction
from django.utils import timezone
from psycopg2 import sql

from layers import catalogue, queries
from layers.catalogue import LayerInfo
from layers.models import Layer, Overview
from layers.moments import CITY_TIME
from layers.overviews.cells import Cells, boxes, choose, class_column, names
from process.context import JobContext
from spatial.errors import Kind, OnemapError
from spatial.validity import Family

KIND = "overviews"
BATCH_FEATURES = 20_000  # made by one statement: its memory, and how often progress is told
STATEMENTS = {
    Family.POLYGON: "overview_polygons",
    Family.LINE: "overview_lines",
    Family.POINT: "overview_points",
}


class NoOverviews(OnemapError):
    """The layer is gone, or has no geometry."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar = "no-overviews"
    message: ClassVar = "layer {layer} has no overviews"
    message_zh: ClassVar = "图层 {layer} 没有概览"


def today() -> date:
    """The city's day."""
    return datetime.now(CITY_TIME).date()


def info_of(layer_id: int) -> LayerInfo:
    """What the catalogue knows of a layer.

    Raises
    ------
    NoOverviews
    """
    for found in catalogue.current().layers.values():
        if found.id == layer_id and found.family in STATEMENTS:
            return found
    raise NoOverviews(layer=layer_id)


def run_build(context: JobContext) -> None:
    """The job: build the layer's overviews anew; what was there serves until it ends."""

    def tell(share: float) -> None:
        context.check_cancel()
        context.progress("overviews", share)

    with transaction.atomic():
        rows = build(info_of(context.arguments["layer"]), tell)
        context.fail_point(1)
        context.finish({"shapes": rows})


def build(layer: LayerInfo, tell: Callable[[float], None] = lambda share: None) -> int:
    """Make all overviews of a layer, in the caller's transaction; how many shapes they have.

    The revision is read before the features: what changes meanwhile is made again by `refresh`.
    """
    with connection.cursor() as cursor:
        first, revision, count = _state(cursor, layer)
        day = today()
        cursor.execute("DELETE FROM overview.shape WHERE layer = %s", [layer.id])
        run(cursor, "overview_sizes", layer, {"day": day})
        chosen = choose(cursor, layer, first) if first else []
        blocks = _occupied(cursor, layer)
        done, total = 0, max(sum(number for _, number in blocks), 1)
        for batch in _batches(blocks):
            draw(cursor, layer, [block for block, _ in batch], chosen, day)
            done += sum(number for _, number in batch)
            tell(done / total)
        levels = _counted(cursor, layer, chosen)
        facts = {"revision": revision, "day": day, "class_column": class_column(layer), "levels": levels}
        before = Overview.objects.filter(layer_id=layer.id).values_list("stamp", flat=True).first() or 0
        facts |= {"stamp": before + 1, "built_at": timezone.now(), "built_count": count}
        Overview.objects.update_or_create(layer_id=layer.id, defaults=facts)
        return sum(one["features"] + one["pieces"] for one in levels.values())


def _state(cursor: Any, layer: LayerInfo) -> tuple[int, int, int]:
    """First level, revision and count of features; the row of the overviews is this transaction's from here on."""
    Overview.objects.select_for_update().filter(layer_id=layer.id).first()
    found = Layer.objects.get(pk=layer.id)
    return first_level(found.first_levels), found.revision, found.feature_count


def first_level(levels: Mapping[str, Any]) -> int:
    """Of CityGrid: below it a layer is shown by its overviews."""
    return int(levels.get("CityGrid") or 0)


def _occupied(cursor: Any, layer: LayerInfo) -> list[tuple[int, int]]:
    """The blocks with features and how many each has, in order."""
    text = sql.SQL(
        "SELECT least({last}, greatest(0, floor((x - {x}) / {side})))::int"
        " + least({last}, greatest(0, floor(({y} - y) / {side})))::int * ({last} + 1) AS block, count(*)"
        " FROM overview_size GROUP BY block ORDER BY block"
    ).format(**names(layer))
    cursor.execute(text.as_string(connection.connection))
    found: list[tuple[int, int]] = cursor.fetchall()
    return found


def _batches(blocks: Sequence[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    found: list[list[tuple[int, int]]] = []
    room = 0
    for block, number in blocks:
        if not found or number > room:
            found.append([])
            room = BATCH_FEATURES
        found[-1].append((block, number))
        room -= number
    return found


def draw(cursor: Any, layer: LayerInfo, blocks: Sequence[int], chosen: Sequence[Cells], day: date) -> None:
    """Make the shapes of some blocks, which have none."""
    if not blocks or not chosen:
        return
    bound = {
        **boxes(blocks),
        "levels": [one.level for one in chosen],
        "cells": [one.cell for one in chosen],
        "pixels": [one.pixel for one in chosen],
        "day": day,
        "layer": layer.id,
    }
    run(cursor, STATEMENTS[layer.family], layer, bound)


def run(
    cursor: Any,
    statement: str,
    layer: LayerInfo,
    bound: Mapping[str, Any],
    more: Mapping[str, sql.Composable] | None = None,
) -> None:
    """Run one of the statements of overviews for a layer."""
    parts = {**names(layer), **(more or {})}
    parts["base"] = sql.SQL(queries.load_sql(queries.SQL, "overview_base")).format(**parts)
    text = sql.SQL(queries.load_sql(queries.SQL, statement)).format(**parts)
    cursor.execute(text.as_string(connection.connection), bound)


def _counted(cursor: Any, layer: LayerInfo, chosen: Sequence[Cells]) -> dict[str, dict[str, Any]]:
    """What is told of each level: its cells, and how many features stand for themselves, are merged, are dropped."""
    cursor.execute(
        "SELECT level, count(fid), count(*) - count(fid), coalesce(sum(number) FILTER (WHERE fid IS NULL), 0)::bigint"
        " FROM overview.shape WHERE layer = %s GROUP BY level",
        [layer.id],
    )
    counts = {level: numbers for level, *numbers in cursor.fetchall()}
    cursor.execute("SELECT count(*) FROM overview_size")
    total = cursor.fetchone()[0]
    found = {}
    for one in chosen:
        features, pieces, merged = counts.get(one.level, (0, 0, 0))
        found[str(one.level)] = {
            "cell": one.cell,
            "pixel": one.pixel,
            "features": features,
            "pieces": pieces,
            "merged": merged,
            "dropped": max(total - features - merged, 0),
        }
    return found
