"""The operators and functions that are offered, and how many operands each takes."""

from layers.filters.refusals import FilterSyntax, UnknownFunction
from layers.filters.tree import Call, Node

COMPARISONS = ("=", "<>", "<", ">", "<=", ">=")
SPATIAL = (
    "s_intersects",
    "s_disjoint",
    "s_within",
    "s_contains",
    "s_touches",
    "s_crosses",
    "s_overlaps",
    "s_equals",
)
# Of intervals and instants; the last are of intervals alone (Allen's relations).
TEMPORAL_ANY = (
    "t_after",
    "t_before",
    "t_disjoint",
    "t_equals",
    "t_intersects",
    "t_during",
    "t_contains",
)
TEMPORAL_INTERVALS = (
    "t_meets",
    "t_metby",
    "t_overlaps",
    "t_overlappedby",
    "t_starts",
    "t_startedby",
    "t_finishes",
    "t_finishedby",
)
TEMPORAL = TEMPORAL_ANY + TEMPORAL_INTERVALS
FOLDING = ("casei", "accenti")
FUNCTIONS = (*FOLDING, *SPATIAL, *TEMPORAL)
_OPERANDS = {
    **dict.fromkeys((*COMPARISONS, *SPATIAL, *TEMPORAL, "like", "interval"), 2),
    **dict.fromkeys((*FOLDING, "not", "isNull"), 1),
    "between": 3,
}


def call(op: str, args: tuple[Node, ...], at: str) -> Call:
    """An operator over its operands.

    Raises
    ------
    UnknownFunction
        It is not offered.
    FilterSyntax
        It has another number of operands.
    FilterTooLarge
    """
    if op in {"and", "or", "in"}:
        return Call(op, args, at)
    if op not in _OPERANDS:
        raise UnknownFunction(at=at, name=op[:40], expected=", ".join(FUNCTIONS))
    if len(args) != _OPERANDS[op]:
        raise FilterSyntax(
            at=at,
            found=f"{op} with {len(args)} operands",
            expected=f"{_OPERANDS[op]} operands",
            expected_zh=f" {_OPERANDS[op]} 个操作数",
        )
    return Call(op, args, at)
