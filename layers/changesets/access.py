"""Who sees a changeset, and what they are to it. One that a caller may not see does not exist."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.principals import Principal
from layers import catalogue
from layers.catalogue import LayerNotFound
from layers.changesets.errors import ChangesetNotFound, ChangesetNumberBad, NotWithAsOf
from layers.changesets.workflow import OPEN, Role, State, steps_for
from layers.models import Changeset, ChangesetLayer
from layers.rights import Action, NotGranted, Scope, scope, visible_layers


@dataclass(frozen=True, slots=True)
class Overlay:
    """A changeset shown on the map, at one state of its content."""

    id: int
    counter: int


def visible(principal: Principal) -> QuerySet[Changeset]:
    """The changesets this caller sees: their own, the department's shared ones, and what they may review."""
    if principal.kind == "public":
        return Changeset.objects.none()
    own = Q(owner=principal.name)
    shared = Q(shared=True, department_id__in=principal.department_ids)
    return Changeset.objects.filter(own | shared | Q(submitted_at__isnull=False) & _publishable(principal))


def reviewable(principal: Principal) -> QuerySet[Changeset]:
    """The changesets that wait for a review which this caller may give: handed in, and none of their own."""
    waiting = Q(state=State.SUBMITTED) & _publishable(principal)
    mine = Q(owner=principal.name) | Q(editors__contains=[principal.name])
    return Changeset.objects.filter(waiting & ~mine)


def _publishable(principal: Principal) -> Q:
    """The condition that the caller may publish on every layer touched."""
    listed = [one.layer.id for one in visible_layers(principal, Action.PUBLISH)]
    touched = ChangesetLayer.objects.filter(changeset=OuterRef("pk"))
    return Exists(touched) & ~Exists(touched.exclude(layer_id__in=listed))


def changeset_of(principal: Principal, number: int) -> Changeset:
    """The changeset of this number.

    Raises
    ------
    ChangesetNotFound
        There is none, or the caller may not see it: the same answer.
    """
    found = Changeset.objects.filter(pk=number).first() if 0 < number < 2**63 else None
    # Every tile of a map asks: to the owner one small question is enough.
    own = found is not None and principal.kind != "public" and found.owner == principal.name
    if found is None or not (own or visible(principal).filter(pk=number).exists()):
        raise ChangesetNotFound()
    return found


def roles_of(principal: Principal, changeset: Changeset) -> frozenset[Role]:
    """What the caller is to a changeset."""
    found = set()
    if principal.kind != "public" and changeset.owner == principal.name:
        found.add(Role.OWNER)
    if changeset.shared and changeset.department_id in principal.department_ids:
        found.add(Role.COLLEAGUE)
    names = touched_names(changeset)
    if names and all(_may(principal, name, Action.PUBLISH) for name in names):
        found.add(Role.REVIEWER)
    return frozenset(found)


def _may(principal: Principal, name: str, action: Action) -> bool:
    try:
        scope(principal, name, action)
    except (LayerNotFound, NotGranted):
        return False
    return True


def may_edit(changeset: Changeset, roles: Collection[Role]) -> bool:
    """Whether someone of these roles may change its content now."""
    return State(changeset.state) in OPEN and bool({Role.OWNER, Role.COLLEAGUE} & set(roles))


def steps_now(principal: Principal, changeset: Changeset, roles: frozenset[Role]) -> list[str]:
    """The steps the caller may take now."""
    listed = steps_for(State(changeset.state), roles)
    if "approve" in listed and made_by(changeset, principal):
        listed.remove("approve")
    if not touched_names(changeset) and "submit" in listed:
        listed.remove("submit")
    if changeset.state == State.PUBLISHED:
        listed.append("revert")
    return listed


def made_by(changeset: Changeset, principal: Principal) -> bool:
    """Whether the caller made the changeset or put anything in it."""
    return principal.name in {changeset.owner, *changeset.editors}


def touched_names(changeset: Changeset) -> list[str]:
    """The layers a changeset touches, in id order."""
    return list(changeset.layers.order_by("layer_id").values_list("layer__name", flat=True))


def readable_scopes(principal: Principal, changeset: Changeset, action: Action = Action.QUERY) -> list[Scope]:
    """The caller's scopes of the touched layers, in id order; those they may not see are left out."""
    found, known = [], catalogue.current()
    for name in touched_names(changeset):
        try:
            found.append(scope(principal, name, action, of=known))
        except (LayerNotFound, NotGranted):
            continue
    return found


def asked(principal: Principal, text: str | None, as_of: str | None = None) -> Overlay | None:
    """The changeset that the parameter `changeset` of a reading door names; None where it is not given.

    Raises
    ------
    ChangesetNumberBad, NotWithAsOf, ChangesetNotFound
    """
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ChangesetNumberBad()
    if as_of is not None:
        raise NotWithAsOf()
    found = changeset_of(principal, int(text))
    return Overlay(found.pk, found.counter)


def lock(changeset_id: int) -> Changeset:
    """The changeset's row, locked until the transaction ends; the first lock of whoever changes anything of it."""
    assert connection.in_atomic_block
    return Changeset.objects.select_for_update(of=("self",)).get(pk=changeset_id)
