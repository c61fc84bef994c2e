"""Keeping overviews fresh: which layers are behind, and making again what their changes touched."""

from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from psycopg2 import sql

from layers import queries
from layers.catalogue import LayerInfo
from layers.models import Layer, Overview
from layers.overviews.cells import Cells, class_column, names
from layers.overviews.making import KIND, NoOverviews, build, draw, first_level, info_of, today
from process.context import fail_point
from process.jobs import enqueue
from process.models import ENDED, Job

MOST_VERSIONS = 20_000  # changed since the last look: more are made again as a job
MOST_BLOCKS = 120
DRIFT = 1.5  # times as many features, or as few: the cells are chosen again
ACTOR = "tile follower"
FAMILIES = ("point", "line", "polygon")


@dataclass(frozen=True, slots=True)
class Behind:
    """A layer whose overviews do not show its present.

    `whole`: to be built from scratch, since there are none, or the rule by which they were made has changed.
    """

    layer: int
    revision: int
    whole: bool


def behind() -> list[Behind]:
    """The layers with something to be done, those with small work first."""
    kept = {one.layer_id: one for one in Overview.objects.all()}
    layers = Layer.objects.filter(deleted_at=None, family__in=FAMILIES)
    found = [
        Behind(one.pk, one.revision, whole)
        for one in layers.only("revision", "first_levels", "valid_time", "feature_count", "style")
        if (whole := _what(one, kept.get(one.pk))) is not None
    ]
    return sorted(found, key=lambda one: one.whole)


def _what(layer: Layer, kept: Overview | None) -> bool | None:
    """Whether a layer's overviews are to be built whole; None when there is nothing to do."""
    first = first_level(layer.first_levels)
    if kept is None:
        return True if first else None
    if len(kept.levels) != first or _drifted(layer, kept):
        return True
    turned = layer.valid_time and kept.day != today()
    return False if turned or kept.revision != layer.revision else None


def _drifted(layer: Layer, kept: Overview) -> bool:
    low, high = sorted((layer.feature_count + 1, kept.built_count + 1))
    return high > low * DRIFT and high - low > MOST_VERSIONS


def catch_up(one: Behind, *, by_job: bool) -> bool:
    """Bring the overviews of one layer to its present; whether anything was done.

    Parameters
    ----------
    by_job
        Leave what takes long to a job; else do it here.
    """
    try:
        layer = info_of(one.layer)
    except NoOverviews:
        return False
    if one.whole or not refresh(layer):
        if by_job:
            return _ask(one)
        with transaction.atomic():
            build(layer)
    return True


def _ask(one: Behind) -> bool:
    """Have a job build the overviews, unless one is about to, or one for this very revision came to nothing."""
    jobs = Job.objects.filter(kind=KIND, arguments__layer=one.layer)
    open_job = jobs.exclude(state__in=ENDED).exists()
    in_vain = jobs.filter(state__in=["failed", "cancelled"], arguments__revision=one.revision).exists()
    if open_job or in_vain:
        return False
    enqueue(KIND, {"layer": one.layer, "revision": one.revision}, created_by=ACTOR)
    return True


def refresh(layer: LayerInfo) -> bool:
    """Make the touched blocks again; False when it is too much, or made by another rule: the layer is to be built.

    The cursor moves in the transaction that writes the shapes: a process that dies leaves the old ones, and the
    change is met again. A row that another process is at is left to it.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        kept = Overview.objects.select_for_update(skip_locked=True).filter(layer_id=layer.id).first()
        if kept is None:
            return True
        if kept.class_column != class_column(layer):
            return False
        # The revision before the features: what is committed in between is met again.
        revision, day = queries.revision_of(layer), today()
        touched = _touched(cursor, layer, kept, revision, day)
        if len(touched) > MOST_BLOCKS or sum(touched.values()) > MOST_VERSIONS:
            return False
        if touched:
            blocks = sorted(touched)
            cursor.execute(
                "DELETE FROM overview.shape WHERE layer = %s AND block = ANY(%s)", [layer.id, blocks]
            )
            draw(cursor, layer, blocks, cells_of(kept), day)
        kept.revision, kept.day, kept.stamp = revision, day, kept.stamp + bool(touched)
        kept.save(update_fields=["revision", "day", "stamp"])
        fail_point("follow_tiles:1")
    return True


def cells_of(kept: Overview) -> list[Cells]:
    """The cells by which a layer's overviews were made."""
    return [Cells(int(level), one["cell"], one["pixel"]) for level, one in kept.levels.items()]


def _touched(cursor: Any, layer: LayerInfo, kept: Overview, revision: int, day: Any) -> dict[int, int]:
    """How many versions changed, by block, since the overviews were last made."""
    turned = ""
    if layer.valid_time and kept.day != day:
        turned = (
            "UNION ALL SELECT geom FROM {table} WHERE valid_from BETWEEN %(low)s AND %(high)s"
            " OR valid_to BETWEEN %(low)s AND %(high)s"
        )
    parts = names(layer)
    parts["turned"] = sql.SQL(turned).format(**parts) if turned else sql.SQL("")
    text = sql.SQL(queries.load_sql(queries.SQL, "overview_touched")).format(**parts)
    bound = {"after": kept.revision, "upto": revision, "low": min(kept.day, day), "high": max(kept.day, day)}
    cursor.execute(text.as_string(connection.connection), bound)
    return dict(cursor.fetchall())
