"""The steps of a changeset that change no feature: share, submit, withdraw, return, approve, abandon."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.principals import Principal
from layers.changesets.access import lock, made_by, roles_of, touched_names
from layers.changesets.drafting import note
from layers.changesets.errors import ChangesetMoved, FourEyes, NothingInIt
from layers.changesets.workflow import State, StepNotAllowed, move
from layers.models import Changeset


def take_step(
    changeset_id: int, principal: Principal, step: str, *, reason: str = "", counter: int | None = None
) -> Changeset:
    """Take one step.

    Parameters
    ----------
    counter
        The content that the caller speaks of; an approval must name it.

    Raises
    ------
    StepNotAllowed, NotForYou, ReasonNeeded
        By the table of steps; of two who are at it together the later one is refused.
    ChangesetMoved
        The content is another by now, or an approval named none.
    FourEyes
        The one who made or edited it would approve it.
    NothingInIt
        An empty changeset would be submitted.
    """
    with transaction.atomic():
        found = lock(changeset_id)
        begin(found, principal, step, reason=reason, counter=counter)
        advance(found, step, principal, reason)
    return found


def begin(found: Changeset, principal: Principal, step: str, *, reason: str, counter: int | None) -> None:
    """Judge a step of a locked changeset.

    Raises
    ------
    StepNotAllowed, NotForYou, ReasonNeeded, ChangesetMoved, FourEyes, NothingInIt
    """
    move(found.pk, State(found.state), step, roles_of(principal, found), reason)
    named = counter is not None or step == "approve"
    if named and counter != found.counter:
        raise ChangesetMoved(changeset=found.pk, counter=counter, current=found.counter)
    if step == "approve" and made_by(found, principal):
        raise FourEyes()
    if step == "submit" and not touched_names(found):
        raise NothingInIt(changeset=found.pk)


def advance(found: Changeset, step: str, principal: Principal, reason: str) -> None:
    """Write the step: only if the changeset still is where the step begins.

    Raises
    ------
    StepNotAllowed
        Someone else was quicker.
    """
    was, now = State(found.state), timezone.now()
    to = move(found.pk, was, step, roles_of(principal, found), reason).to
    facts: dict[str, Any] = {"state": to, "changed_at": now, **_facts(found, step, principal)}
    if not Changeset.objects.filter(pk=found.pk, state=was, counter=found.counter).update(**facts):
        raise StepNotAllowed(changeset=found.pk, state=was.value, step=step)
    for name, value in facts.items():
        setattr(found, name, value)
    note(found, step, principal, reason)


def _facts(found: Changeset, step: str, principal: Principal) -> dict[str, Any]:
    """What a step leaves on the changeset besides its state."""
    now = timezone.now()
    facts: dict[str, dict[str, Any]] = {
        "share": {"shared": True},
        "unshare": {"shared": False},
        "submit": {"submitted_at": found.submitted_at or now, "approved_counter": None, "approved_by": ""},
        "approve": {"approved_counter": found.counter, "approved_by": principal.name},
        "publish": {"published_at": now},
    }
    return facts.get(step, {})
