"""The life of a changeset. The table is the law; the code only reads it.

private ⇄ shared ── submit → submitted ── approve → approved ── publish → published
   ↑ (open: may be edited)      │  └── withdraw ──┐      │ │
   └── returned, withdrawn ←────┴─── return ───────┴──────┘ └─ an open one may be abandoned
"""

from enum import StrEnum
from typing import ClassVar, NamedTuple

from spatial.errors import Kind, OnemapError


class State(StrEnum):
    """Where a changeset stands."""

    PRIVATE = "private"
    SHARED = "shared"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    PUBLISHED = "published"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    ABANDONED = "abandoned"


class Role(StrEnum):
    """Who someone is to a changeset; one person may be several."""

    OWNER = "owner"  # made it
    COLLEAGUE = "colleague"  # of the owner's department, where it is shared
    REVIEWER = "reviewer"  # may publish on every layer it touches


class Move(NamedTuple):
    """One permitted step: who may take it, where it leads, and whether it needs a reason."""

    role: Role
    to: State
    reason: bool = False


class StepNotAllowed(OnemapError):
    """The changeset is not where this step begins; someone else may have been quicker."""

    kind: ClassVar = Kind.CONFLICT
    code: ClassVar = "changeset-step"
    message: ClassVar = "changeset {changeset} is {state}: it cannot {step} from there"
    message_zh: ClassVar = "变更集 {changeset} 当前为“{state}”，不能执行“{step}”"


class NotForYou(OnemapError):
    """The step is another's to take."""

    kind: ClassVar = Kind.FORBIDDEN
    code: ClassVar = "changeset-role"
    message: ClassVar = "to {step} this changeset is for its {role}"
    message_zh: ClassVar = "此变更集的“{step}”须由 {role} 执行"


class ReasonNeeded(OnemapError):
    """A step that someone else has to understand."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "reason-needed"
    message: ClassVar = "say why ({step} needs a reason)"
    message_zh: ClassVar = "请填写原因（{step}）"


_DRAFT = {
    "share": Move(Role.OWNER, State.SHARED),
    "unshare": Move(Role.OWNER, State.PRIVATE),
    "submit": Move(Role.OWNER, State.SUBMITTED),
    "abandon": Move(Role.OWNER, State.ABANDONED),
}
MOVES: dict[State, dict[str, Move]] = {
    State.PRIVATE: {step: _DRAFT[step] for step in ("share", "submit", "abandon")},
    State.SHARED: {step: _DRAFT[step] for step in ("unshare", "submit", "abandon")},
    State.SUBMITTED: {
        "withdraw": Move(Role.OWNER, State.WITHDRAWN),
        "return": Move(Role.REVIEWER, State.RETURNED, reason=True),
        "approve": Move(Role.REVIEWER, State.APPROVED),
    },
    State.APPROVED: {
        "withdraw": Move(Role.OWNER, State.WITHDRAWN),
        "return": Move(Role.REVIEWER, State.RETURNED, reason=True),
        "publish": Move(Role.REVIEWER, State.PUBLISHED),
    },
    State.RETURNED: {step: _DRAFT[step] for step in ("share", "unshare", "submit", "abandon")},
    State.WITHDRAWN: {step: _DRAFT[step] for step in ("share", "unshare", "submit", "abandon")},
    State.PUBLISHED: {},
    State.ABANDONED: {},
}
STEPS = ("share", "unshare", "submit", "withdraw", "return", "approve", "publish", "abandon")
OPEN = frozenset({State.PRIVATE, State.SHARED, State.RETURNED, State.WITHDRAWN})


def move(changeset: int, state: State, step: str, roles: frozenset[Role], reason: str) -> Move:
    """The move that `step` is from `state`, or a refusal by name.

    Raises
    ------
    StepNotAllowed
        There is no such step from there.
    NotForYou
        None of `roles` may take it.
    ReasonNeeded
        It needs a reason and has none.
    """
    found = MOVES[state].get(step)
    if found is None:
        raise StepNotAllowed(changeset=changeset, state=state.value, step=step)
    if found.role not in roles:
        raise NotForYou(step=step, role=found.role.value)
    if found.reason and not reason.strip():
        raise ReasonNeeded(step=step)
    return found


def steps_for(state: State, roles: frozenset[Role]) -> list[str]:
    """The steps that someone of these roles may take now."""
    return [step for step in STEPS if (found := MOVES[state].get(step)) and found.role in roles]
