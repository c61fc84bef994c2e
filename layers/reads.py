"""Reads of sensitive layers leave a record: who, which layer, through which door."""

from django.core.cache import cache

from accounts.clearance import Clearance
from accounts.principals import Principal
from layers.rights import Scope
from process import audit

ONCE_PER_S = 60  # for doors that are asked many times for one look, such as tiles


def note_read(principal: Principal, scope: Scope, door: str, *, often: bool = False) -> None:
    """Record a read if the layer is sensitive.

    Parameters
    ----------
    door
        'items', 'item', 'changes', 'history', 'identify', 'tiles'; downloads and exports record themselves.
    often
        Record one in a minute for this caller and layer only.
    """
    if scope.layer.secrecy < Clearance.SENSITIVE:
        return
    if often and not cache.add(f"read:{principal.name}:{scope.layer.id}:{door}", 1, ONCE_PER_S):
        return
    audit.record(principal, "layer.read", "layer", scope.layer.name, door=door, scope=scope.digest)
