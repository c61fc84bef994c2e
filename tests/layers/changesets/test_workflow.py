"""The table of steps: every step in it, and every one that is not."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.changesets.workflow import (
    MOVES,
    OPEN,
    STEPS,
    NotForYou,
    ReasonNeeded,
    Role,
    State,
    StepNotAllowed,
    move,
    steps_for,
)

EVERYONE = frozenset(Role)


@pytest.mark.parametrize(("state", "step"), list(itertools.product(State, STEPS)))
def test_every_step_not_in_the_table_is_refused(state, step):
    if step in MOVES[state]:
        assert move(1, state, step, EVERYONE, "because").to in State
        return
    with pytest.raises(StepNotAllowed) as refusal:
        move(1, state, step, EVERYONE, "because")
    assert refusal.value.facts == {"changeset": 1, "state": state.value, "step": step}


@pytest.mark.parametrize("state", State)
def test_a_step_is_for_its_role_alone(state):
    for step, meant in MOVES[state].items():
        with pytest.raises(NotForYou):
            move(1, state, step, EVERYONE - {meant.role}, "because")
        assert step in steps_for(state, frozenset({meant.role}))
        assert step not in steps_for(state, EVERYONE - {meant.role})


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
def test_who_sends_back_says_why(blank):
    for state in (State.SUBMITTED, State.APPROVED):
        with pytest.raises(ReasonNeeded):
            move(1, state, "return", EVERYONE, blank)


@given(st.lists(st.sampled_from(STEPS), max_size=30))
def test_nothing_is_published_that_was_not_approved_last(steps):
    state, approved = State.PRIVATE, False
    for step in steps:
        try:
            state = move(1, state, step, EVERYONE, "because").to
        except StepNotAllowed:
            continue
        approved = state is State.APPROVED or (approved and state is State.PUBLISHED)
        assert state is not State.PUBLISHED or approved
        assert not (state in OPEN and approved)
