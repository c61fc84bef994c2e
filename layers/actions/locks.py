"""Who may write to a layer now: many editors together, or one bulk load alone.

Both are advisory locks of the transaction: a process that dies leaves none behind.
"""

import zlib
from collections.abc import Iterable
from typing import Any

from layers.actions.errors import LayerBusy
from layers.catalogue import LayerInfo

LOCK_SPACE = 4242  # the first key of our advisory locks on layers
NAME_SPACE = 4243  # and of those on names, which are there before their layers


def join_editors(cursor: Any, layer: LayerInfo) -> None:
    """Announce an edit.

    Raises
    ------
    LayerBusy
        A bulk load has the layer, or is waiting for it.
    """
    cursor.execute("SELECT pg_try_advisory_xact_lock_shared(%s, %s)", [LOCK_SPACE, layer.id])
    if not cursor.fetchone()[0]:
        raise LayerBusy(layer=layer.name, retry_after_s=2)


def take_alone(cursor: Any, layer_id: int) -> None:
    """Wait for the editors of this moment and keep new ones out until the transaction ends."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_SPACE, layer_id])


def take_names(cursor: Any, names: Iterable[str]) -> None:
    """Wait for others who publish layers of these names, there or not, until the transaction ends.

    All at once and always in the same order: two who take several never wait crosswise.
    """
    for number in sorted({zlib.crc32(name.encode()) - (1 << 31) for name in names}):
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [NAME_SPACE, number])
