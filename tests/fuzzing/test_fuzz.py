"""Generated requests at every door, by callers of every kind: no fault, no word of what is hidden, nothing slow.

Here for a minute or so; `make fuzz` goes on for an hour (MINUTES=) with the same generators.
"""

import os
import time
from collections import Counter
from contextlib import contextmanager

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, given, settings

from config.kinds import kind_of
from layers.actions.edit import FeatureEdit, edit_features
from layers.changesets import drafting
from layers.changesets.drafting import DraftEdit
from layers.changesets.reviewing import take_step
from layers.limits import LIMITS_MS
from layers.rights import Action, scope
from tests import doors, layermaking, matrix
from tests.fuzzing import generators
from tests.fuzzing.generators import Sent, by_document, by_hand
from tests.hostility import assert_calm

pytest_plugins = ["tests.layermaking", "tests.matrix"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

MINUTES = float(os.environ.get("ONEMAP_FUZZ_MINUTES", "0"))
SECONDS_HERE = 40.0  # for each of the two kinds of generators
LIMITED = ("public", "dept_a", "dept_b", "fields_only", "area_only", "editor", "nobody")
ANSWERED: Counter[int] = Counter()  # requests by hundreds of their status
SLOWEST: dict[
    str, tuple[float, str]
] = {}  # by kind of request: the longest statement's seconds, and for what
PER_ROUND = 2 if not MINUTES else 40
ROUND = settings(
    max_examples=PER_ROUND,
    deadline=None,
    database=None,
    phases=(Phase.generate, Phase.shrink) if MINUTES else (Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def changesets(world, callers):
    """Changes of the administrator under review, and of the editor: private, shared, in conflict with the one map."""
    root, editor = callers["admin"].principal, callers["editor"].principal
    generators.CHANGESETS.clear()
    for who, shared, submitted in (
        (root, False, True),
        (root, False, False),
        (editor, False, False),
        (editor, True, False),
    ):
        made = drafting.create(who, "更正", shared=shared)
        for name in ("own_ground", "area_ground"):
            edits = [DraftEdit("update", 1, 1, None, {"name": f"CANARY-{name}-west-1 changed"})]
            if who is root:
                edits.append(DraftEdit("update", 4, 1, None, {"name": f"CANARY-{name}-east-changed"}))
            drafting.put(made.pk, who, name, edits)
        if submitted:
            take_step(made.pk, who, "submit")
        generators.CHANGESETS.append(made.pk)
    edit = FeatureEdit("update", 1, 1, None, {"name": "CANARY-own_ground-west-1 otherwise"})
    edit_features(scope(root, "own_ground", Action.EDIT), [edit], author=root.name, reason="survey")
    layermaking.forget_catalogue()


@contextmanager
def taken_back():
    """Whatever a request changed is as if it had not been."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    layermaking.forget_catalogue()


@contextmanager
def timed():
    """Seconds that each statement took."""
    taken: list[float] = []

    def watch(execute, *words):
        begun = time.monotonic()
        try:
            return execute(*words)
        finally:
            taken.append(time.monotonic() - begun)

    with connection.execute_wrapper(watch):
        yield taken


def hidden_from(asking: str, path: str) -> set[str]:
    """What no answer may hold; who may bring a layer back is told of it at the shelf."""
    shelf = path == "/api/shelf" or path.endswith("/restore")
    return matrix.forbidden_to(asking) - (matrix.marks_of("gone_ground", None) if shelf else set())


def try_one(callers, asking: str, sent: Sent) -> None:
    """Ask, and look at all that came back."""
    path, _, query = sent.address.partition("?")
    with taken_back(), timed() as taken:
        answer = callers[asking].ask(sent.method, sent.address, sent.body)
    assert_calm(answer)
    ANSWERED[answer.status_code // 100 * 100] += 1
    text, own = doors.readable(answer), sent.own_words()
    marks = sorted(hidden_from(asking, path), reverse=True)
    found = [mark for mark in marks if mark in text and mark not in own]
    assert not found, (asking, sent, found)
    limit, longest = kind_of(sent.method, path, query).limit, max(taken, default=0.0)
    SLOWEST[limit] = max(
        SLOWEST.get(limit, (0.0, "")), (longest, f"{asking} {sent.method} {sent.address}"[:300])
    )
    assert longest <= LIMITS_MS[limit] / 1_000, (asking, sent)


def asking_for(callers, asking: str, strategy) -> None:
    """One caller's requests at one door."""

    @ROUND
    @given(strategy)
    def one(sent):
        try_one(callers, asking, sent)

    one()


def go_round(callers, made, seconds: float) -> tuple[set[str], dict[str, str]]:
    """Try every door by callers in turn, until the time is over and every door was tried: which, and their faults."""
    end, tried, turn = time.monotonic() + seconds, set(), 0
    faults: dict[str, str] = {}
    while time.monotonic() < end or len(tried) < len(made):
        for number, (route, strategy) in enumerate(made.items()):
            if time.monotonic() >= end and route in tried:
                continue
            asking = LIMITED[(turn + number) % len(LIMITED)]

            try:
                asking_for(callers, asking, strategy)
            except Exception as fault:  # noqa: BLE001 - each door's first fault, then the next door
                faults.setdefault(route, f"{asking}: {fault}; {getattr(fault, '__notes__', '')}")
            tried.add(route)
        turn += 1
    return tried, faults


@pytest.mark.parametrize("generator", [by_hand, by_document])
def test_no_request_breaks_slows_or_opens_anything(world, callers, changesets, generator):
    made = generator(callers["dept_a"])
    assert len(made) > 25
    seconds = MINUTES * 30 if MINUTES else SECONDS_HERE
    ANSWERED.clear()
    tried, faults = go_round(callers, made, seconds)
    told = (
        f"{len(tried)} doors, {sum(ANSWERED.values())} requests, by status {dict(sorted(ANSWERED.items()))}"
    )
    print(f"\n{generator.__name__}: {told}; {len(faults)} doors with faults; slowest {SLOWEST}")  # noqa: T201
    assert faults == {}
    assert tried == made.keys()


def test_the_walk_would_notice(world, callers):
    """A right too many, and the same requests find what was hidden."""
    sent = Sent("GET", "/ogc/collections/own_ground/items?limit=10")
    try_one(callers, "dept_b", sent)
    layermaking.grant(world["own_ground"], "department:water", "view,query")
    layermaking.forget_catalogue()
    with pytest.raises(AssertionError, match="SECRET-own_ground"):
        try_one(callers, "dept_b", sent)
