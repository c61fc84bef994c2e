"""The check of a delivery, as a job: list, ask, stage, judge, compare, and write the verdict.

Nothing of it can be seen on the one map. Killed at any step it begins anew: tables and findings of an earlier try
are removed first.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from layers.exchange import rasters
from layers.exchange.deliveries.checking import CheckedPart, FoundFault, check_parts
from layers.exchange.deliveries.flow import drop_tables, enqueue_acceptance, folder_of, incoming, unpacked_of
from layers.exchange.deliveries.planning import ABOUT_CRS, ABOUT_ENCODING, options_of, part_rows
from layers.exchange.differences import PlanCounts, hold_for_plan, keep_plan
from layers.exchange.inspecting import Held, inspect
from layers.exchange.options import ImportOptions, judge
from layers.exchange.pipeline import Prepared, index, prepare
from layers.exchange.receiving import discard
from layers.models import Delivery, DeliveryFinding, DeliveryPart
from process.context import Cancelled, JobContext, LostJob
from spatial.errors import OnemapError
from spatial.formats.listing import list_layers
from spatial.formats.source import Source

State = Delivery.State
LEVELS = {"rejected": "block", "warning": "warn", "repaired": "note", "note": "note"}
MOST_FINDINGS = 20_000  # of one part; the count goes on
SAMPLE_ROWS = 5
SAMPLE_WIDTH = 80  # characters of a value


def run_check(context: JobContext) -> Mapping[str, Any] | None:
    """The handler of `check_delivery`."""
    delivery = Delivery.objects.get(pk=context.arguments["delivery"])
    if delivery.state != State.CHECKING or delivery.job != context.job_id:
        return {"status": "done", "state": delivery.state}  # decided meanwhile
    try:
        Examination(context, delivery).run()
    except LostJob:
        raise
    except Cancelled:
        _leave(delivery, State.FAILED, "cancelled")
        raise
    except OnemapError as error:
        _leave(delivery, State.FAILED, error.text("zh"))
        raise
    return None


def _leave(delivery: Delivery, state: State, reason: str) -> None:
    drop_tables(delivery)
    Delivery.objects.filter(pk=delivery.pk, state=State.CHECKING).update(state=state, reason=reason)


def samples_of(source: Source) -> list[dict[str, Any]]:
    """The first rows as text, read as they will be: what a person looks at before saying that it is right."""
    with closing(source.batches(SAMPLE_ROWS)) as batches:
        first = next(batches, None)
    if first is None:
        return []
    rows = [
        {
            name: "" if value is None else str(value)[:SAMPLE_WIDTH].replace("\0", "")
            for name, value in row.items()
        }
        for row in first.table.slice(0, SAMPLE_ROWS).to_pylist()
    ]
    return [{"encoding": source.encoding, "rows": rows}]


class Examination:
    """One run of the check."""

    def __init__(self, context: JobContext, delivery: Delivery) -> None:
        self.context, self.delivery = context, delivery
        self.began = time.monotonic()
        self.strict = bool(delivery.document.get("strict", True))
        self.findings: list[DeliveryFinding] = []
        self.held: list[tuple[int, Held]] = []
        self.staged: dict[int, Prepared] = {}
        self.counts: dict[str, dict[str, Any]] = {}

    def run(self) -> None:
        """From files to a verdict, or to questions."""
        self.wipe()
        self.context.progress("list", 0.01)
        parts = self.list_parts()
        self.context.fail_point(3)
        self.note_same()
        self.ask_beforehand(parts)
        if not self.held:
            for place, part in enumerate(parts):
                self.context.check_cancel()
                self.take(part, 0.05 + 0.7 * place / len(parts), 0.05 + 0.7 * (place + 1) / len(parts))
        self.context.fail_point(4)
        if not self.held:
            self.compare(parts)
        if not self.held:
            self.check(parts)
        self.context.fail_point(5)
        self.conclude(parts)

    def wipe(self) -> None:
        """Remove what an earlier try left."""
        drop_tables(self.delivery)
        self.delivery.parts.all().delete()
        self.delivery.findings.all().delete()

    def list_parts(self) -> list[DeliveryPart]:
        """What is in the delivery, and which layer each part is for."""
        room = unpacked_of(self.delivery)
        discard(room)
        room.mkdir(parents=True)
        listing = list_layers(folder_of(self.delivery) / self.delivery.main, room)
        rows, missing, unclaimed = part_rows(self.delivery, listing.items)
        DeliveryPart.objects.bulk_create(rows)
        for name in missing:
            self.find(
                None, "part-missing", "block", f"{name} is missing", f"缺少必交成果 {name}", {"source": name}
            )
        for name in (*unclaimed, *listing.left_out):
            facts = {"source": name}
            self.find(
                None, "part-unknown", "note", f"{name} is not taken", f"{name} 未列入成果清单，未读取", facts
            )
        return list(self.delivery.parts.all())

    def note_same(self) -> None:
        """The very same files came before, whatever became of them."""
        here = self.delivery
        before = Delivery.objects.filter(sha256=here.sha256, sent_by=here.sent_by, pk__lt=here.pk)
        if (earlier := before.order_by("pk").last()) is not None:
            self.find(
                None,
                "same-file",
                "note",
                f"the same files were sent as delivery {earlier.pk}",
                f"相同文件已作为交付 {earlier.pk} 提交过",
                {"delivery": earlier.pk, "state": earlier.state},
            )

    def ask_beforehand(self, parts: list[DeliveryPart]) -> None:
        """Look at every part's header first, so that everything is asked at once and nothing is read in vain."""
        for part in parts:
            self.context.check_cancel()
            self.guarded(part, lambda part=part: self.look(part))

    def look(self, part: DeliveryPart) -> None:
        """What the header of one part leaves open, and whether the answers so far settle it."""
        held = self.headed(part)
        part.facts["asks"] = sorted({one.code for one in held} & (ABOUT_CRS | ABOUT_ENCODING))
        if part.facts["asks"]:
            held = self.headed(part)
        self.hold(part, held)
        part.save()

    def headed(self, part: DeliveryPart) -> list[Held]:
        """What the header asks, with the answers the part takes."""
        options, path = options_of(part, self.delivery), Path(self.path_of(part))
        if part.kind == "raster":
            return rasters.inspect_raster(path, options).held
        found = inspect(path, options, judge(options))
        if found.source is not None:
            part.samples = found.source.encoding_samples or part.samples or samples_of(found.source)
            part.facts |= {
                "bounds": found.source.bounds and list(found.source.bounds),
                "encoding": found.source.encoding,
                "source_crs": found.srid and f"EPSG:{found.srid}",
            }
        return found.held

    def hold(self, part: DeliveryPart, held: Iterable[Held]) -> None:
        """A part has questions."""
        told = list(held)
        self.held += [(part.order, one) for one in told]
        part.held = [*part.held, *(one.to_json() for one in told)]

    def guarded(self, part: DeliveryPart, action: Any) -> None:
        """A part that cannot be read is a fault of the delivery, not its end: the others are still told."""
        try:
            action()
        except (LostJob, Cancelled):
            raise
        except OnemapError as error:
            self.find(part, error.code, "block", error.text("en"), error.text("zh"), dict(error.facts))
            part.report = {"status": "failed", "reason": error.text("en"), "reason_zh": error.text("zh")}
            part.save()

    def path_of(self, part: DeliveryPart) -> str:
        """Where the part lies."""
        return str(incoming() / part.path)

    def take(self, part: DeliveryPart, start: float, end: float) -> None:
        """Read, check and stage one part."""
        if part.report.get("status") == "failed":
            return
        origin = {"path": self.path_of(part), "name": part.source, "sha256": self.delivery.sha256}
        options = options_of(part, self.delivery)
        if part.kind == "raster":
            self.guarded(part, lambda: self.take_raster(part, options, origin, (start, end)))
        else:
            self.guarded(part, lambda: self.take_rows(part, options, origin, (start, end)))

    def take_raster(
        self, part: DeliveryPart, options: ImportOptions, origin: dict[str, str], span: tuple[float, float]
    ) -> None:
        """A raster becomes a file of ours that no version names yet."""
        layer = rasters.target_of(options)
        prepared = rasters.prepare_raster(self.context, options, origin, span)
        self.hold(part, prepared.held)
        self.note(part, prepared.notes)
        if not prepared.held:
            part.facts |= prepared.to_json() | {"revision": layer.revision if layer else None}
            part.report = {"status": "done", "read": 1, "inserted": 1}
        part.save()

    def take_rows(
        self, part: DeliveryPart, options: ImportOptions, origin: dict[str, str], span: tuple[float, float]
    ) -> None:
        """Rows go to a staging table."""
        prepared = prepare(self.context, options, origin, part.staged, span)
        self.hold(part, prepared.found.held)
        self.note(part, prepared.tally.findings)
        if prepared.rows is not None:
            if prepared.layer is None:
                prepared.rows = index(prepared.rows)
            self.staged[part.order] = prepared
            part.facts |= {
                **prepared.rows.to_json(),
                "revision": prepared.layer.revision if prepared.layer else None,
            }
            part.report = {
                "status": "done",
                "read": prepared.tally.read,
                "rejected": prepared.tally.rejected,
                "repaired": prepared.tally.repaired,
                "inserted": prepared.rows.count,
            }
        part.save()

    def note(self, part: DeliveryPart, findings: Iterable[Mapping[str, Any]]) -> None:
        """The findings of the reading, as findings of the delivery."""
        for one in findings:
            if one["code"] == "gcj02" and "gcj02" in self.counts:
                continue  # whether positions could be compared is said once
            rest = {
                name: value
                for name, value in one.items()
                if name not in {"code", "level", "message", "message_zh", "row", "at"}
            }
            level = LEVELS.get(one["level"], "note")
            if level == "block" and not self.strict:
                level = "warn"
            place = {"type": "Point", "coordinates": one["at"]} if one.get("at") else None
            self.find(
                part, one["code"], level, one["message"], one["message_zh"], rest, one.get("row"), place
            )

    def find(  # noqa: PLR0913 - one parameter per column
        self,
        part: DeliveryPart | None,
        code: str,
        level: str,
        message: str,
        message_zh: str,
        facts: Mapping[str, Any],
        row: int | None = None,
        place: Mapping[str, Any] | None = None,
    ) -> None:
        """Note a fault; of one kind in one part the first twenty thousand are kept, all are counted."""
        count = int(facts.get("count") or 1)
        kind = self.counts.setdefault(
            code, {"code": code, "level": level, "count": 0, "message": message, "message_zh": message_zh}
        )
        kind["count"] += count
        if kind["count"] - count < MOST_FINDINGS:
            self.findings.append(
                DeliveryFinding(
                    delivery=self.delivery, part=part, code=code[:40], level=level, message=message,
                    message_zh=message_zh, row=row, facts=dict(facts), place=place,
                )
            )  # fmt: skip
        if len(self.findings) >= 2_000:
            self.keep_findings()

    def keep_findings(self) -> None:
        """Write what was found so far."""
        DeliveryFinding.objects.bulk_create(self.findings)
        self.findings.clear()

    def compare(self, parts: list[DeliveryPart]) -> None:
        """What would change on the one map, kept to be looked at."""
        self.context.progress("compare", 0.76)
        for part in parts:
            prepared = self.staged.get(part.order)
            if prepared is None or prepared.rows is None:
                continue
            with transaction.atomic(), connection.cursor() as cursor:
                planned = keep_plan(cursor, prepared.rows, prepared.layer)
            if prepared.layer is None:  # all of it is new: there is nothing to ask
                continue
            self.hold(part, hold_for_plan(planned, prepared.options, prepared.layer))
            part.report |= _planned_report(planned)
            part.save()

    def check(self, parts: list[DeliveryPart]) -> None:
        """What must hold of the parts, each and together."""
        self.context.progress("check", 0.8)
        checked = [
            CheckedPart.of_staged(
                part.source, prepared.rows, prepared.options.checks, new=prepared.layer is None
            )
            for part in parts
            if (prepared := self.staged.get(part.order)) is not None and prepared.rows is not None
        ]
        by_source = {part.source: part for part in parts}
        for fault in check_parts(checked, tell=self.tell, cancelled=self.context.check_cancel):
            self.find_fault(by_source.get(fault.part or ""), fault)

    def tell(self, share: float) -> None:
        """Progress within the check."""
        self.context.progress("check", 0.8 + 0.18 * share)

    def find_fault(self, part: DeliveryPart | None, fault: FoundFault) -> None:
        """A fault of the rules, as a finding."""
        self.find(
            part,
            fault.code,
            fault.level,
            fault.message,
            fault.message_zh,
            fault.facts,
            fault.row,
            fault.place,
        )

    def conclude(self, parts: list[DeliveryPart]) -> None:
        """Write questions or the verdict, and end the job with them."""
        levels = {"block": 0, "warn": 0, "note": 0}
        for kind in self.counts.values():
            levels[kind["level"]] += kind["count"]
        questions = gathered(self.held)
        verdict = {
            "passed": not questions and not levels["block"],
            "blocks": levels["block"],
            "warns": levels["warn"],
            "notes": levels["note"],
            "by_code": sorted(self.counts.values(), key=lambda one: (one["level"], -one["count"])),
            "checked_at": timezone.now(),
            "seconds": round(time.monotonic() - self.began, 1),
        }
        with transaction.atomic():
            self.keep_findings()
            delivery = Delivery.objects.select_for_update().get(pk=self.delivery.pk)
            delivery.state = State.WAITING if questions else State.CHECKED
            delivery.questions, delivery.verdict, delivery.reason = questions, verdict, ""
            delivery.save()
            if delivery.accept_at_once and verdict["passed"]:
                enqueue_acceptance(delivery, by=delivery.sent_by, reason="")
            self.context.finish({"status": "done", "delivery": delivery.pk, "state": delivery.state})


def _planned_report(planned: PlanCounts) -> dict[str, int]:
    return {
        "inserted": planned.insert,
        "updated": planned.update,
        "unchanged": planned.same,
        "removed": planned.gone,
        "conflicts": planned.conflict,
    }


def gathered(held: Iterable[tuple[int, Held]]) -> list[dict[str, Any]]:
    """Questions by their code: what is asked of many parts is asked once."""
    parts: dict[str, list[int]] = defaultdict(list)
    first: dict[str, dict[str, Any]] = {}
    for order, one in held:
        parts[one.code].append(order)
        first.setdefault(one.code, one.to_json())
    return [{**facts, "parts": parts[code]} for code, facts in first.items()]
