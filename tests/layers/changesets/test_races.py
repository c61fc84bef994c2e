"""Steps at the same moment, editors beside publications, and a server that dies while it publishes."""

import itertools
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from accounts.actions import department_of, ensure_role, ensure_user
from accounts.principals import principal_of_user
from layers.actions import EditConflict, FeatureEdit, give
from layers.actions.grants import grantee
from layers.changesets import drafting
from layers.changesets.drafting import DraftEdit
from layers.changesets.errors import ChangesetClosed, HasConflicts
from layers.changesets.publishing import publish
from layers.changesets.reviewing import take_step
from layers.changesets.workflow import StepNotAllowed
from layers.models import Change, Changeset, ChangesetStep
from tests.conftest import ROOT
from tests.layers.conftest import race

ROUNDS = 4
PAIRS = [
    (start, *pair)
    for start, step in (("submitted", "approve"), ("approved", "publish"))
    for pair in itertools.combinations_with_replacement([step, "withdraw", "return"], 2)
]


@pytest.fixture
def staff(land):
    """Lin edits, Zhao and Qian review; a layer of lots for them."""
    name, made = land.lots(20), {}
    for who, actions in (("lin", ["view", "query", "edit"]), ("zhao", ["publish"]), ("qian", ["publish"])):
        role = ensure_role(f"race_{who}", who, who)
        user = ensure_user(f"race_{who}", "correct horse battery", department_of("data"), [role], who)
        give(grantee(f"role:race_{who}"), [*actions, "view", "query"], by="tests", layer=land.state(name))
        made[who] = principal_of_user(user)
    return SimpleNamespace(layer=name, **made)


def draft(staff, fid, floors, version=1):
    made = drafting.create(staff.lin, "抢")
    edits = [DraftEdit("update", fid, version, None, {"floors": floors})]
    return made.pk, drafting.put(made.pk, staff.lin, staff.layer, edits).counter


def do(step, number, who, counter):
    if step == "publish":
        return publish(number, who, reason="", counter=counter)
    return take_step(number, who, step, reason="因为", counter=counter)


def test_of_two_steps_at_once_one_is_taken(land, staff):
    for start, first, second in PAIRS * ROUNDS:
        number, counter = draft(staff, 1, 70, land.rows(staff.layer, "version")[0][1])
        take_step(number, staff.lin, "submit")
        if start == "approved":
            take_step(number, staff.zhao, "approve", counter=counter)
        before = ChangesetStep.objects.filter(changeset=number).count()
        whose = [
            staff.lin if step == "withdraw" else who
            for step, who in ((first, staff.zhao), (second, staff.qian))
        ]
        racers = race(do, [(first, number, whose[0], counter), (second, number, whose[1], counter)])
        errors = [one.error for one in racers if one.error is not None]
        taken = [one.arguments[0] for one in racers if one.error is None]
        assert all(isinstance(error, StepNotAllowed) for error in errors), errors
        # An approval may be sent back or taken back at once: then both steps are in the log, in that order.
        assert len(taken) == 1 or (first, start) == ("approve", "submitted") and taken == ["approve", second]
        assert ChangesetStep.objects.filter(changeset=number).count() == before + len(taken)
    land.sound(staff.layer)


def test_an_edit_and_a_submission_at_once(staff):
    for fid in range(1, ROUNDS + 1):
        number, counter = draft(staff, fid, 70)
        edit = [DraftEdit("update", 20, 1, None, {"floors": fid})]
        racers = race(
            lambda what, number=number, edit=edit: (
                drafting.put(number, staff.lin, staff.layer, edit)
                if what == "edit"
                else take_step(number, staff.lin, "submit")
            ),
            [("edit",), ("submit",)],
        )
        kept = Changeset.objects.get(pk=number)
        assert kept.state == "submitted"
        assert isinstance(racers[0].error, ChangesetClosed) == (kept.counter == counter)


def test_a_publication_and_a_direct_edit_of_the_same_lot(land, staff):
    """One of them is first; the other is told, and nothing is lost."""
    for fid in range(1, ROUNDS + 1):
        number, counter = draft(staff, fid, 70)
        take_step(number, staff.lin, "submit")
        take_step(number, staff.zhao, "approve", counter=counter)
        direct = FeatureEdit("update", fid, 1, properties={"floors": 80})
        racers = race(
            lambda what, number=number, direct=direct, counter=counter: (
                publish(number, staff.zhao, reason="", counter=counter)
                if what == "publish"
                else land.edit(staff.layer, direct)
            ),
            [("publish",), ("edit",)],
        )
        kinds = [type(one.error) for one in racers]
        assert kinds in ([type(None), EditConflict], [HasConflicts, type(None)])
        floors = dict((row[0], row[1]) for row in land.rows(staff.layer, "floors"))[fid]
        assert floors == (70 if kinds[0] is type(None) else 80)
    land.sound(staff.layer)


def test_publications_over_the_same_two_layers_never_wait_crosswise(land, staff):
    other = land.lots(20)
    for who, actions in (("lin", ["view", "query", "edit"]), ("zhao", ["view", "query", "publish"])):
        give(grantee(f"role:race_{who}"), actions, by="tests", layer=land.state(other))
    ready = []
    for n in range(8):
        made = drafting.create(staff.lin, f"两层 {n}").pk
        for name in (staff.layer, other) if n % 2 else (other, staff.layer):
            edits = [
                DraftEdit(
                    "update",
                    1 + (fid + n) % 20,
                    1,
                    None,
                    {"code" if n % 2 else "floors": "九" if n % 2 else 9},
                )
                for fid in range(10)
            ]
            counter = drafting.put(made, staff.lin, name, edits).counter
        take_step(made, staff.lin, "submit")
        take_step(made, staff.zhao, "approve", counter=counter)
        ready.append(("publish", made, staff.zhao, counter))
    assert [one.error for one in race(do, ready)] == [None] * 8
    for name in (staff.layer, other):
        land.sound(name)
        told = Change.objects.filter(layer__name=name, kind="changeset")
        assert set(told.values_list("reason", flat=True)) <= {
            f"changeset {one[1]}: 两层 {n}" for n, one in enumerate(ready)
        }


DYING = """
import os, signal
from accounts.models import User
from accounts.principals import principal_of_user
from layers.changesets import publishing
from layers.changesets.publishing import publish
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
write, point = publishing._write, {point!r}
def written(*given):
    write(*given)
    if point == "after": die()
publishing._write = written
publish({number}, principal_of_user(User.objects.get(username="race_zhao")), reason="", counter={counter})
die()
"""


@pytest.mark.slow
@pytest.mark.parametrize("point", ["after", "committed"])
def test_a_server_killed_while_it_publishes_leaves_all_or_nothing(land, staff, point):
    other = land.lots(3)
    for who, actions in (("lin", ["view", "query", "edit"]), ("zhao", ["view", "query", "publish"])):
        give(grantee(f"role:race_{who}"), actions, by="tests", layer=land.state(other))
    number, _ = draft(staff, 1, 70)
    edits = [DraftEdit("update", fid, 1, None, {"floors": 70}) for fid in (1, 2, 3)]
    counter = drafting.put(number, staff.lin, other, edits).counter
    take_step(number, staff.lin, "submit")
    take_step(number, staff.zhao, "approve", counter=counter)
    text = DYING.format(point=point, number=number, counter=counter)
    words = [sys.executable, "-c", f"import django; django.setup()\n{text}"]
    died = subprocess.run(words, env=land.env, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert died.returncode == -signal.SIGKILL, died.stderr[-2000:]
    done = point == "committed"
    shown = [dict(land.rows(name, "floors"))[1] for name in (staff.layer, other)]
    assert shown == ([70, 70] if done else [1, 1])
    assert Changeset.objects.get(pk=number).state == ("published" if done else "approved")
    if not done:
        publish(number, staff.zhao, reason="", counter=counter)
        assert [dict(land.rows(name, "floors"))[1] for name in (staff.layer, other)] == [70, 70]
    land.sound(staff.layer)
    land.sound(other)
