"""Who may write to a layer now: many editors together, or one bulk load alone.

Both are advisory locks of the transaction: a process that dies leaves none behind.
"""

from typing import Any

from layers.actions.errors import LayerBusy
from layers.catalogue import LayerInfo

LOCK_SPACE = 4242  # the first key of our advisory locks on layers


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
