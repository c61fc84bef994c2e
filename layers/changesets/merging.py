"""Three-way merge of one feature: what it was, what the changeset makes of it, what the one map has made of it.

Changes that do not meet merge by themselves, and the same change made twice is no conflict. Where both sides
changed the same part in different ways, the part is named: nothing is ever overwritten silently.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

GEOMETRY, PERIOD, EXISTENCE = "geometry", "period", "feature"


@dataclass(frozen=True, slots=True)
class Version:
    """A feature, or one period of it, at one time. Geometry is WKB in the storage CRS; values by column."""

    geometry: bytes | None
    valid_to: date | None
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A part that both sides changed.

    Attributes
    ----------
    kind
        'field', 'geometry', 'period' (its last day), 'deleted-there' (on the one map), 'deleted-here' (in the
        changeset), 'inserted-there' (both made the same period).
    part
        The column of a field, else 'geometry', 'period' or 'feature'.
    """

    kind: str
    part: str
    base: Any
    ours: Any
    theirs: Any


@dataclass(frozen=True, slots=True)
class Choice:
    """How a conflict is settled: take 'ours', 'theirs' or 'other' (then with a value)."""

    take: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class Merged:
    """What comes of it: the version (None: no such feature), and what is still to be decided."""

    result: Version | None
    conflicts: tuple[Conflict, ...] = field(default=())


def merge(
    base: Version | None,
    ours: Version | None,
    theirs: Version | None,
    choices: Mapping[str, Choice] | None = None,
) -> Merged:
    """Merge three versions; None is a feature that is not there.

    Parameters
    ----------
    choices
        By part: what to take where both sides changed it.
    """
    chosen = choices or {}
    if theirs in (ours, base):
        return Merged(ours)
    if ours == base:
        return Merged(theirs)
    if ours is None or theirs is None:
        return _one_gone(base, ours, theirs, chosen.get(EXISTENCE))
    if base is None:
        return _twice_made(ours, theirs, chosen.get(EXISTENCE))
    return _by_part(base, ours, theirs, chosen)


def _one_gone(
    base: Version | None, ours: Version | None, theirs: Version | None, choice: Choice | None
) -> Merged:
    if choice is not None and choice.take in {"ours", "theirs"}:
        return Merged(ours if choice.take == "ours" else theirs)
    kind = "deleted-here" if ours is None else "deleted-there"
    return Merged(ours, (Conflict(kind, EXISTENCE, base, ours, theirs),))


def _twice_made(ours: Version, theirs: Version, choice: Choice | None) -> Merged:
    if choice is not None and choice.take in {"ours", "theirs"}:
        return Merged(ours if choice.take == "ours" else theirs)
    return Merged(ours, (Conflict("inserted-there", EXISTENCE, None, ours, theirs),))


def _by_part(base: Version, ours: Version, theirs: Version, choices: Mapping[str, Choice]) -> Merged:
    result, conflicts = ours, []
    for part, (was, here, there) in _parts(base, ours, theirs):
        if there in (here, was):
            continue
        if here == was:
            result = with_part(result, part, there)
        elif (choice := choices.get(part)) is not None:
            result = with_part(result, part, {"ours": here, "theirs": there}.get(choice.take, choice.value))
        else:
            kind = part if part in {GEOMETRY, PERIOD} else "field"
            conflicts.append(Conflict(kind, part, was, here, there))
    return Merged(result, tuple(conflicts))


def _parts(base: Version, ours: Version, theirs: Version) -> Iterator[tuple[str, tuple[Any, Any, Any]]]:
    yield GEOMETRY, (base.geometry, ours.geometry, theirs.geometry)
    yield PERIOD, (base.valid_to, ours.valid_to, theirs.valid_to)
    for column in ours.values:
        yield column, (base.values.get(column), ours.values[column], theirs.values.get(column))


def with_part(version: Version, part: str, value: Any) -> Version:
    """The version with one part put in the place of its own."""
    if part == GEOMETRY:
        return replace(version, geometry=value)
    if part == PERIOD:
        return replace(version, valid_to=value)
    return replace(version, values={**version.values, part: value})


def changed_parts(before: Version, after: Version) -> list[str]:
    """The parts in which two versions differ."""
    return [part for part, (was, now, _) in _parts(before, after, after) if was != now]
