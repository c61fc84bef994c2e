"""What was measured, as a table and as JSON (contract.md)."""

import json
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

TARGETS = {
    ("import_polygons", "ogr2ogr"): 0.67,
    ("import_indexed", "ogr2ogr"): 0.67,
    ("import_append", "ogr2ogr"): 0.4,
    ("import_replace", "create"): 0.5,
    ("items_geojson_10k", "mapserver"): 3.0,
    ("changeset_2000", "published"): 0.62,
    ("changeset_50", "published"): 0.9,
}
BARE_SQL, BARE_SQL_TARGET, OTHER_TARGET = "bare-sql", 0.8, 1.0


@dataclass(frozen=True)
class Row:
    """One piece of work, ours against one peer's; seconds, or seconds per request.

    `facts` are told beside the numbers; a row that counts refusals is met only without any.
    """

    name: str
    peer: str
    ours: float
    theirs: float
    facts: dict[str, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """How many times faster ours is."""
        return self.theirs / self.ours

    @property
    def target(self) -> float:
        """The least ratio (architecture.md section 5)."""
        other = BARE_SQL_TARGET if self.peer == BARE_SQL else OTHER_TARGET
        return TARGETS.get((self.name, self.peer), other)

    def told(self, value: float) -> str:
        """One side's figure with its unit."""
        return _time(value)

    def to_json(self):
        """As the file shows it."""
        return {
            "name": self.name,
            "ours": round(self.ours, 6),
            "peer": self.peer,
            "theirs": round(self.theirs, 6),
            "ratio": round(self.ratio, 3),
            "target": self.target,
            "met": self.ratio >= self.target and not self.facts.get("refused"),
            **self.facts,
        }


def rows_of(name, medians):
    """Rows out of medians by side, ours among them; told as they come."""
    print(name, {side: _time(median) for side, median in medians.items()}, file=sys.stderr, flush=True)
    return [Row(name, peer, medians["ours"], theirs) for peer, theirs in medians.items() if peer != "ours"]


def table(rows):
    """Lines of text."""
    lines = [f"{'work':<22} {'peer':<10} {'ours':>11} {'theirs':>11} {'ratio':>7} {'target':>7}  met"]
    for row in rows:
        facts = row.to_json()
        lines.append(
            f"{row.name:<22} {row.peer:<10} {row.told(row.ours):>11} {row.told(row.theirs):>11} {row.ratio:>7.2f}"
            f" {row.target:>7.2f}  {'yes' if facts['met'] else 'NO'}"
        )
    return lines


def _time(seconds):
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.2f} ms"


def write(path: Path, rows, *, size, count, missing, versions):
    """Write var/bench.json, complete or not at all."""
    body = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "size": size,
        "polygons": count,
        "rows": [row.to_json() for row in rows],
        "missing": missing,
        "versions": versions,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.write_text(json.dumps(body, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    unfinished.replace(path)
