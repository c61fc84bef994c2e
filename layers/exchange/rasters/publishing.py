"""From a prepared file to a version of a raster layer, in the caller's transaction."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from django.conf import settings
from django.utils import timezone

from accounts.models import Department
from layers.actions import give
from layers.actions.grants import Grantee
from layers.actions.locks import take_alone
from layers.exchange.publishing import CELL_LEVEL
from layers.exchange.rasters.files import folder
from layers.exchange.rasters.preparing import PreparedRaster
from layers.models import Change, ChangeCell, Layer, Lineage, RasterVersion, Theme
from process import audit
from spatial.errors import Kind, OnemapError
from spatial.validity import Family


class RasterLost(OnemapError):
    """The rewritten file of a raster is not there any more."""

    kind: ClassVar = Kind.CONFLICT
    code: ClassVar = "raster-lost"
    message: ClassVar = "the prepared file of raster {layer} is gone; check the delivery again"
    message_zh: ClassVar = "栅格 {layer} 的预处理文件已不存在，请重新检查该批成果"


def publish_raster(cursor: Any, prepared: PreparedRaster, layer: Layer | None) -> int:
    """Put a prepared raster on the one map, within the caller's transaction; return the layer's revision.

    A raster that is the current version cell for cell changes nothing: the revision stays.

    Raises
    ------
    RasterLost
        The prepared file is not there any more.
    """
    path = folder() / prepared.file
    if not path.is_file() or path.stat().st_size != prepared.facts["size"]:
        raise RasterLost(layer=prepared.options.layer)
    if layer is None:
        layer = _create(prepared)
    else:
        take_alone(cursor, layer.pk)
        layer.refresh_from_db()
        current = RasterVersion.objects.filter(layer=layer, rev_to=None).first()
        if current is not None and current.sha256 == prepared.facts["sha256"]:
            return layer.revision
        _advance(cursor, layer, prepared, current)
    names = ("sha256", "size", "columns", "rows", "bands", "dtype", "nodata", "cell", "extent", "statistics")
    facts = {name: prepared.facts[name] for name in names}
    RasterVersion.objects.create(layer=layer, rev_from=layer.revision, file=prepared.file, **facts)
    _note_change(layer, prepared)
    return layer.revision


def _create(prepared: PreparedRaster) -> Layer:
    options = prepared.options
    names = ("title_en", "abstract_zh", "abstract_en", "order", "visible", "demo", "update_days")
    layer = Layer.objects.create(
        name=options.layer,
        title_zh=options.title,
        theme=Theme.objects.get(code=options.theme),
        department=Department.objects.get(code=options.department),
        family=Family.RASTER.value,
        secrecy=options.level,
        style=dict(options.style),
        revision=1,
        changed_at=timezone.now(),
        extent=prepared.facts["extent"],
        **{name: getattr(options, name) for name in names},
    )
    if options.public:
        give(Grantee(), ["view", "query"], by=options.actor, layer=layer)
    return layer


def _advance(cursor: Any, layer: Layer, prepared: PreparedRaster, current: RasterVersion | None) -> None:
    """The next revision. The row is locked before the clock is read, so that times only grow."""
    if current is not None:
        current.rev_to = layer.revision + 1
        current.save(update_fields=["rev_to"])
    cursor.execute("SELECT 1 FROM layers_layer WHERE id = %s FOR NO KEY UPDATE", [layer.pk])
    cursor.execute(
        "UPDATE layers_layer SET revision = revision + 1, extent = %s,"
        " changed_at = greatest(clock_timestamp(), changed_at + interval '1 microsecond') WHERE id = %s",
        [prepared.facts["extent"], layer.pk],
    )
    layer.refresh_from_db()


def _note_change(layer: Layer, prepared: PreparedRaster) -> None:
    options, origin, first = prepared.options, prepared.origin, layer.revision == 1
    change = Change.objects.create(
        layer=layer,
        revision=layer.revision,
        at=layer.changed_at or timezone.now(),
        kind="import",
        author=options.actor,
        reason=f"{options.mode}: {origin['source_name']}",
        inserted=int(first),
        updated=int(not first),
    )
    extents = RasterVersion.objects.filter(layer=layer, rev_from__gte=layer.revision).values_list("extent")
    ended = RasterVersion.objects.filter(layer=layer, rev_to=layer.revision).values_list("extent")
    cells = {cell for (extent,) in (*extents, *ended) for cell in _touched(extent)}
    ChangeCell.objects.bulk_create(
        [ChangeCell(change=change, column=column, row=row) for column, row in sorted(cells)]
    )
    Lineage.objects.create(layer=layer, revision=layer.revision, mode=options.mode, **origin)
    audit.record(
        options.actor,
        "layer.import",
        "layer",
        layer.name,
        mode=options.mode,
        revision=layer.revision,
        source=origin["source_name"],
    )


def _touched(extent: Sequence[float]) -> Iterator[tuple[int, int]]:
    """The cells of the city's grid that a box touches: where pictures of it have to be drawn anew."""
    side, (x, y) = settings.ONEMAP_GRID_SIZE / 2**CELL_LEVEL, settings.ONEMAP_GRID_ORIGIN
    last = 2**CELL_LEVEL - 1
    columns = range(max(0, int((extent[0] - x) // side)), min(last, int((extent[2] - x) // side)) + 1)
    rows = range(max(0, int((y - extent[3]) // side)), min(last, int((y - extent[1]) // side)) + 1)
    return itertools.product(columns, rows)
