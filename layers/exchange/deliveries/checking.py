"""What must hold of a delivery's parts, each and together; and, by the same rules, of the layers of the one map."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import shapely

from layers import catalogue
from layers.catalogue import LayerInfo
from layers.exchange.deliveries.places import ground_of, place_of
from layers.exchange.deliveries.profile import matches_of
from layers.exchange.deliveries.reading import CheckedPart, Columns, live_part, names_of_list, read
from layers.exchange.deliveries.surfaces import ellipsoidal_areas, partition_findings
from layers.rules import checks as rules
from layers.rules.checks import BLOCK, AreaRule, Finding
from spatial.pieces import Geometries

__all__ = ["CheckedPart", "FoundFault", "check_layer", "check_parts", "live_part"]

Tell = Callable[[float], None]


@dataclass(frozen=True)
class FoundFault:
    """A fault with its place.

    Attributes
    ----------
    part
        Name of the part (source, or layer); None if it is the whole delivery's.
    level
        'block', 'warn' or 'note'.
    row
        Of the source, from 1; of a layer of the one map the fid.
    facts
        `rows` names all rows that take part.
    place
        GeoJSON geometry, longitude and latitude on CGCS2000 (EPSG:4490), 8 places; None without one.
    """

    part: str | None
    code: str
    level: str
    message: str
    message_zh: str
    row: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    place: dict[str, Any] | None = None


def check_parts(
    parts: Sequence[CheckedPart], *, tell: Tell | None = None, cancelled: Callable[[], None] | None = None
) -> Iterator[FoundFault]:
    """Every fault of the parts, part by part.

    Parameters
    ----------
    tell
        Told the share that is done (0 to 1).
    cancelled
        Called often; raises to stop.
    """
    for place, part in enumerate(parts):
        start, end = place / len(parts), (place + 1) / len(parts)

        def step(share: float, start: float = start, end: float = end) -> None:
            if cancelled is not None:
                cancelled()
            if tell is not None:
                tell(start + share * (end - start))

        yield from filter(_ours, _Check(part, parts, step).run())


def check_layer(layer: LayerInfo, *, cancelled: Callable[[], None] | None = None) -> Iterator[FoundFault]:
    """Every fault of a layer of the one map, by the checks it declares."""
    yield from check_parts([live_part(layer)], cancelled=cancelled)


class _Check:
    """The checks of one part."""

    def __init__(self, part: CheckedPart, parts: Sequence[CheckedPart], step: Tell) -> None:
        self.part, self.parts, self.step = part, parts, step
        self.checks = part.checks
        self.lost: list[Finding] = []

    def run(self) -> Iterator[FoundFault]:
        """Read the fields that the checks name, and run them."""
        joined = bool(self.part.joins and self.part.join_field)
        if not self.checks and not joined:
            return
        self.step(0.0)
        names = {name for name in self.named() if name}
        for name in sorted(names - set(self.part.fields)):
            yield self.told(_no_field(name))
        present = names & set(self.part.fields)
        columns = read(self.part, present, shapes=True, cancelled=lambda: self.step(0.05))
        self.step(0.2)
        for finding in self.of_rows(columns):
            yield self.told(finding, columns)
        self.step(0.3)
        yield from self.matches(columns)
        self.step(0.35)
        if "partition" in self.checks and columns.shapes is not None:
            yield from self.partition(columns, columns.shapes)

    def named(self) -> Iterator[str]:
        """The fields that the checks of rows name."""
        for one in self.checks.get("unique", []):
            yield from [one] if isinstance(one, str) else one
        yield from self.checks.get("forms", {})
        for one in self.checks.get("name_of", []):
            yield from (one["code"], one["name"])
        for one in self.checks.get("sums", []):
            yield from (one["field"], one.get("by", ""))
        yield from (one["field"] for one in matches_of(self.checks))
        yield self.checks.get("area", {}).get("field", "")
        yield from (self.part.join_field, self.part.key)

    def of_rows(self, columns: Columns) -> Iterator[Finding]:
        """The checks of rows whose fields are there."""
        yield from self.codes(columns.values)
        yield from self.figures(columns)

    def codes(self, known: Mapping[str, list[Any]]) -> Iterator[Finding]:
        """Keys, forms and names."""
        for one in self.checks.get("unique", []):
            names = [one] if isinstance(one, str) else list(one)
            if all(name in known for name in names):
                yield from rules.unique(known, names)
        for name, form in self.checks.get("forms", {}).items():
            if name in known:
                yield from rules.forms(known[name], name, form)
        for one in self.checks.get("name_of", []):
            if one["code"] in known and one["name"] in known:
                yield from self.names(one, known)

    def figures(self, columns: Columns) -> Iterator[Finding]:
        """Areas and sums."""
        known = columns.values
        area = self.checks.get("area")
        if area and area["field"] in known and columns.shapes is not None:
            yield from self.areas(area, known[area["field"]], columns.shapes)
        for one in self.checks.get("sums", []):
            if one["field"] in known and (not one.get("by") or one["by"] in known):
                yield from self.sum(one, columns)

    def names(self, check: Mapping[str, str], values: Mapping[str, list[Any]]) -> Iterator[Finding]:
        """Names that should be those of codes."""
        given = check.get("code_list")
        names = names_of_list(given) if given else self.part.code_names.get(check["code"], {})
        fields = check["code"], check["name"]
        return rules.names_of_codes(values[fields[0]], values[fields[1]], names, fields)

    def areas(self, check: Mapping[str, Any], stated: Sequence[Any], shapes: Geometries) -> Iterator[Finding]:
        """Stated areas."""
        true = shapely.area(shapes) if check.get("method") == "plane" else ellipsoidal_areas(shapes)
        limits = AreaRule(check["field"], check.get("absolute_m2", 1.0), check.get("relative", 0.001))
        return rules.stated_areas(stated, true, limits)

    def sum(self, check: Mapping[str, Any], columns: Columns) -> Iterator[Finding]:
        """Sums against one number, or against the rows of a control table."""
        name, tolerance = check["field"], check.get("tolerance", 1.0)
        if "total" in check:
            return rules.total_of(columns.values[name], check["total"], name, tolerance)
        by, total = check.get("table_by", check["by"]), check.get("total_field", name)
        other = self.other(check["table"], by, total)
        if other is None:
            return iter(self.taken())
        control = read(other, [by, total], shapes=False).values
        expected: dict[str, float] = {}
        for group, value in zip(control[by], control[total], strict=True):
            known = rules.as_key(group) or ""
            expected[known] = expected.get(known, 0.0) + float(value or 0.0)
        groups = columns.values[check["by"]]
        return rules.totals_by_group(columns.values[name], groups, expected, name, tolerance)

    def other(self, reference: str, *fields: str) -> CheckedPart | None:
        """The part or layer a check names, with these fields; None, and a finding in `lost`, if it is not there.

        A layer that this delivery brings as a whole is taken from it.
        """
        if reference.startswith("part:"):
            wanted = reference[5:].casefold()
            found = next((one for one in self.parts if fnmatchcase(one.name.casefold(), wanted)), None)
        else:
            found = next((one for one in self.parts if one.layer_name == reference and one.whole), None)
            layer = catalogue.current().layers.get(reference)
            if found is None and layer is not None:
                found = live_part(layer)
        if found is None:
            self.lost.append(_no_reference(reference))
        elif lacking := [name for name in fields if name not in found.fields]:
            self.lost.append(_no_field(lacking[0], found.name))
            return None
        return found

    def taken(self) -> list[Finding]:
        """What could not be checked, told once."""
        lost, self.lost = self.lost, []
        return lost

    def matches(self, columns: Columns) -> Iterator[FoundFault]:
        """Rows here and there that have no counterpart."""
        for check in self.counterparts():
            name, there = check["field"], check.get("other_field", check["field"])
            if name not in columns.values:
                continue
            other = self.other(check["part"], there)
            if other is None:
                yield from map(self.told, self.taken())
                continue
            both = not check.get("one_way")
            theirs = read(other, [there], shapes=both)
            keys = _keys(theirs.values[there])
            for finding in rules.without_partner(
                columns.values[name], keys, name, (_kind(self.part), other.name)
            ):
                yield self.told(finding, columns)
            ours = _keys(columns.values[name])
            if both:
                back = (_kind(other), self.part.name)
                for finding in rules.without_partner(theirs.values[there], ours, there, back):
                    yield self.owned(other, self.told(finding, theirs))

    def counterparts(self) -> Iterator[Mapping[str, Any]]:
        """The declared ones, and a table's rows with the layer it is joined to."""
        declared = matches_of(self.checks)
        yield from declared
        part = self.part
        if part.joins and part.join_field and part.join_field not in {one["field"] for one in declared}:
            layer = catalogue.current().layers.get(part.joins)
            brought = next((one for one in self.parts if one.layer_name == part.joins and one.key), None)
            key = brought.key if brought else (layer.key_field if layer else "")
            if key:
                yield {"part": part.joins, "field": part.join_field, "other_field": key, "one_way": True}

    def owned(self, other: CheckedPart, fault: FoundFault) -> FoundFault:
        """A fault of the other side: of that part, if this delivery brings it, else of this one, without a row."""
        if any(other is one for one in self.parts):
            return replace(fault, part=other.name)
        return replace(fault, row=None)

    def partition(self, columns: Columns, shapes: Geometries) -> Iterator[FoundFault]:
        """Overlaps, gaps, what lies outside, slivers."""
        check = self.checks["partition"]
        boundary = None
        if check.get("within"):
            boundary = self.boundary(check)
            yield from map(self.told, self.taken())
        keys = columns.values.get(self.part.key)
        labels = keys if keys is not None else columns.numbers.tolist()
        for finding, ground in partition_findings(
            shapes, boundary, check, labels, lambda share: self.step(0.35 + 0.65 * share)
        ):
            fault = replace(self.told(finding, columns), place=ground_of(ground))
            yield fault if finding.facts["of"] != "gap" else replace(fault, row=None)

    def boundary(self, check: Mapping[str, Any]) -> Any:
        """The ground that should be covered; None, and a finding in `lost`, if there is none."""
        where = {
            name: {rules.as_key(one) for one in values} for name, values in check.get("where", {}).items()
        }
        other = self.other(check["within"], *where)
        if other is None:
            return None
        found = read(other, where, shapes=True)
        chosen = np.ones(len(found.numbers), dtype=bool)
        for name, values in where.items():
            chosen &= np.array([rules.as_key(one) in values for one in found.values[name]], dtype=bool)
        if found.shapes is None or not chosen.any():
            self.lost.append(_no_reference(check["within"]))
            return None
        return shapely.union_all(found.shapes[chosen])

    def told(self, finding: Finding, columns: Columns | None = None) -> FoundFault:
        """A finding with the row's number and its place."""
        facts, row, place = dict(finding.facts), None, None
        if columns is not None and finding.rows:
            numbers = [one for one in columns.numbers[list(finding.rows)].tolist() if one >= 0]
            row = numbers[0] if numbers else None
            facts["rows"] = numbers[:100]
            # Where the rows of a sum lie is the whole ground: nothing to point at, once they are many.
            many = finding.code in _OF_ALL and len(finding.rows) > MOST_SHOWN
            if columns.shapes is not None and not many:
                place = place_of(columns.shapes[list(finding.rows)], one=finding.code not in _OF_ALL)
        return FoundFault(
            self.part.name,
            finding.code,
            finding.level,
            finding.message,
            finding.message_zh,
            row,
            facts,
            place,
        )


MOST_SHOWN = 100
_OF_ALL = {"sum-mismatch", "sum-no-control"}  # lie where all their rows lie together


def _ours(fault: FoundFault) -> bool:
    """Whether a row of the source takes part; what is wrong among features that stay is none of its faults."""
    return fault.facts.get("rows") != []


def _keys(values: Iterable[Any]) -> set[str]:
    return {key for value in values if (key := rules.as_key(value)) is not None}


def _kind(part: CheckedPart) -> str:
    return "feature" if part.geometric else "table-row"


def _no_field(name: str, where: str = "") -> Finding:
    of, of_zh = (f" of {where}", f"{where} ") if where else ("", "")
    return Finding(
        "check-field-missing",
        f"not checked: there is no field {name}{of}",
        f"未能检查：{of_zh}没有字段 {name}",
        (),
        {"field": name},
        BLOCK,
    )


def _no_reference(reference: str) -> Finding:
    name = reference.removeprefix("part:")
    return Finding(
        "check-reference-missing",
        f"not checked: {name} is neither in the delivery nor on the one map, or holds nothing",
        f"未能检查：成果和一张图中都没有 {name}，或其中没有内容",
        (),
        {"reference": name},
        BLOCK,
    )
