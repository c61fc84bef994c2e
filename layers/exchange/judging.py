"""What only the whole file tells: where it lies, whether it is shifted, whether it came before, keys that repeat."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely
from django.db import connection, transaction
from psycopg2 import sql

from layers import queries
from layers.exchange.inspecting import Held, Inspection
from layers.exchange.options import ImportOptions
from layers.exchange.publishing import StagedRows
from layers.exchange.shift import suspected_shift
from layers.exchange.staging import Tally, spot
from layers.models import Layer, Lineage

OUTSIDE_SHARE = 0.5


def judge_whole(found: Inspection, tally: Tally, options: ImportOptions, origin: Mapping[str, str]) -> None:
    """Hold what lies outside the city or seems shifted; note what came before."""
    # What lies beyond the numbers of the city's projection was rejected, and lies outside the city all the more.
    outside, placed = tally.outside + tally.far, tally.staged + tally.far
    if placed and outside / placed > OUTSIDE_SHARE and "outside-city" not in options.accept:
        found.held.append(
            Held(
                "outside-city",
                f"{outside} of {placed} features lie outside the city",
                f"{placed} 个要素中有 {outside} 个位于市域之外",
                "--accept outside-city",
            )
        )
    elif outside:
        tally.find(
            code="outside-city",
            level="warning",
            count=outside,
            message=f"{outside} features lie outside the city",
            message_zh=f"{outside} 个要素位于市域之外",
        )
    if found.source is not None and found.source.family is not None:  # a table lies nowhere
        _judge_shift(found, tally, options)
    earlier = Lineage.objects.filter(sha256=origin["sha256"], layer__name=options.layer).first()
    if earlier is not None:
        tally.find(
            code="same-file",
            level="note",
            message=f"the same file made revision {earlier.revision}",
            message_zh=f"同一文件已用于修订 {earlier.revision}",
        )


def _judge_shift(found: Inspection, tally: Tally, options: ImportOptions) -> None:
    control = (
        Layer.objects.filter(control=True, demo=False, deleted_at=None)
        .exclude(name=options.layer)
        .order_by("name")
        .first()
    )
    if control is None:
        tally.find(
            code="gcj02",
            level="note",
            message="gcj02: not checked",
            message_zh="gcj02：未检查（没有控制图层）",
        )
        return
    shift = suspected_shift(np.array(tally.sample), control.name)
    if shift is None:
        tally.find(
            code="gcj02",
            level="note",
            message=f"gcj02: no shift against {control.name}",
            message_zh=f"gcj02：与 {control.name} 无偏移",
        )
        return
    why = f"positions lie about {shift:.0f} m off layer {control.name}, as those of GCJ-02 or BD-09 do"
    zh = f"位置与控制图层 {control.name} 相差约 {shift:.0f} 米，疑似 GCJ-02 或 BD-09 坐标"
    facts = {"shift_m": round(shift)}
    if "gcj02-suspected" in options.accept:
        tally.find(code="gcj02-suspected", level="warning", message=why, message_zh=zh, **facts)
    else:
        found.held.append(Held("gcj02-suspected", why, zh, "--accept gcj02-suspected", facts))


def drop_twins(rows: StagedRows, layer: Layer | None, tally: Tally) -> None:
    """A key names one feature: the first row of the file keeps it, later ones are rejected by name.

    An append adds features, so a key that the layer already has is taken, too.
    """
    key = rows.options.key or (layer.key_field if layer else "")
    column = next((column for name, column, _ in rows.fields if name == key), None)
    if column is None:
        return
    taken = sql.SQL("false")
    if layer is not None and rows.options.mode == "append":
        taken = sql.SQL("{key} IN (SELECT {key} FROM {table})").format(
            key=sql.Identifier(column), table=sql.Identifier("data", layer.name)
        )
    text = sql.SQL(queries.load_sql(queries.SQL, "drop_twins")).format(
        staged=sql.Identifier("staging", rows.table),
        number=sql.Identifier("fid" if layer is None else "row"),
        key=sql.Identifier(column),
        taken=taken,
    )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(text.as_string(connection.connection))
        for row, value, shape in sorted(cursor.fetchall(), key=lambda one: one[0]):
            tally.staged -= 1
            tally.rejected += 1
            place = spot(shapely.from_wkb(bytes(shape))) if shape is not None else {}
            _say_twin(tally, key, row, value, place)


def _say_twin(tally: Tally, key: str, row: int, value: str | None, place: Mapping[str, Any]) -> None:
    missing = value is None
    tally.find(
        code="key-missing" if missing else "duplicate-key",
        level="rejected",
        row=row,
        field=key,
        value=value,
        **place,
        message=f"{key} is empty" if missing else f"{key} {value} is there already",
        message_zh=f"{key} 为空" if missing else f"{key} {value} 重复",
    )


def note_unmatched(rows: StagedRows, layer: Layer | None, tally: Tally) -> None:
    """Note the codes of a table that no feature of the layer it joins has; the rows stay.

    A layer that comes with the same delivery is compared by the delivery's own checks.
    """
    target = layer.joins if layer else Layer.objects.filter(name=rows.options.joins, deleted_at=None).first()
    field = layer.join_field if layer else rows.options.join_field
    column = next((column for name, column, _ in rows.fields if name == field), None)
    key = target.fields.filter(name=target.key_field).first() if target else None
    if target is None or key is None or column is None or target.name in rows.options.arriving:
        return
    text = sql.SQL(queries.load_sql(queries.SQL, "unmatched_codes")).format(
        staged=sql.Identifier("staging", rows.table),
        column=sql.Identifier(column),
        table=sql.Identifier("data", target.name),
        key=sql.Identifier(key.column),
    )
    with connection.cursor() as cursor:
        cursor.execute(text.as_string(connection.connection))
        count, values = cursor.fetchone()
    if count:
        tally.find(
            code="code-unmatched",
            level="warning",
            field=field,
            count=count,
            values=values,
            message=f"{field}: {count} rows name no feature of {target.name}, such as {', '.join(values)}",
            message_zh=f"{field}：{count} 行在 {target.name} 中没有对应要素，例如 {'、'.join(values)}",
        )
