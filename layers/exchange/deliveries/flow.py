"""The verbs of a delivery: send it, answer what is asked, accept it or send it back."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Department
from layers.exchange.deliveries.profile import judge_document
from layers.exchange.options import ACCEPTABLE, BadOption
from layers.exchange.pipeline import drop_staged
from layers.exchange.receiving import Received, discard, receive
from layers.models import Delivery, DeliveryProfile
from process import audit, jobs
from process.models import Job
from process.runner import run_or_wait
from spatial.crs import INPUT_SRIDS, parse_crs
from spatial.errors import Kind, OnemapError

CHECK, ACCEPT = "check_delivery", "accept_delivery"
ANSWERS = ("encoding", "source_crs", "valid_from", "accept", "conflicts", "repair", "read_as")
READ_AS = ("encoding", "source_crs")
State = Delivery.State
OPEN = (State.RECEIVED, State.CHECKING, State.WAITING, State.CHECKED, State.ACCEPTING, State.FAILED)


class WrongState(OnemapError):
    """The delivery is not where this verb applies; someone else may have been quicker."""

    kind: ClassVar = Kind.CONFLICT
    code: ClassVar = "delivery-state"
    message: ClassVar = "delivery {delivery} is {state}; this needs {needed}"
    message_zh: ClassVar = "交付 {delivery} 当前为“{state}”，此操作需要“{needed}”"


class HasFaults(OnemapError):
    """A delivery with blocking faults goes back to who made it."""

    kind: ClassVar = Kind.CONFLICT
    code: ClassVar = "delivery-has-faults"
    message: ClassVar = "the delivery has {blocks} faults that must be mended first; send the list back"
    message_zh: ClassVar = "该交付有 {blocks} 项必须整改的问题，请退回问题清单"


def start_delivery(  # noqa: PLR0913 - one parameter per fact of a delivery
    path: Path,
    document: Mapping[str, Any],
    *,
    name: str,
    department: str,
    actor: str,
    answers: Mapping[str, Any] | None = None,
    profile: DeliveryProfile | None = None,
    auto_accept: bool = False,
    most_changed: float | None = None,
) -> Delivery:
    """Receive a delivery and let it be checked.

    Parameters
    ----------
    path
        A file or a folder this process may read; it is copied.
    document
        The profile (profile.schema.json).
    answers
        What is known beforehand: encoding, source_crs, valid_from, accept, conflicts, repair, read_as.
    auto_accept
        Accept it at once if nothing is to be asked and nothing is blocked.
    most_changed
        Share of a layer's features; more than that is held.

    Raises
    ------
    BadOption, OnemapError
        The document, an answer, the department or the path cannot be taken; nothing was kept.
    """
    judge_document(document)
    judge_answers(answers or {})
    office = Department.objects.filter(code=department).first()
    if office is None:
        raise BadOption(option="department", reason=f"there is no department {department}")
    received = receive(path)
    changed = {"most_changed": most_changed} if most_changed is not None else {}
    facts = {
        "name": name[:300],
        "department": office,
        "profile": profile,
        "document": {**document, **changed},
        "sent_by": actor,
        "answers": dict(answers or {}),
        "accept_at_once": auto_accept,
    }
    try:
        return _begin(received, actor, facts)
    except BaseException:
        discard(received.folder)
        raise


def _begin(received: Received, actor: str, facts: Mapping[str, Any]) -> Delivery:
    """The delivery of what was received, and the job of its check, together or not at all."""
    with transaction.atomic():
        delivery = Delivery.objects.create(
            folder=received.folder.name,
            main="" if received.path == received.folder else received.path.name,
            sha256=received.sha256,
            **facts,
        )
        audit.record(actor, "delivery.send", "delivery", str(delivery.pk), source=received.name)
        _check(delivery, actor)
    return delivery


def keep_profile(code: str, document: Mapping[str, Any], *, by: str) -> DeliveryProfile:
    """Add a profile or replace it.

    Raises
    ------
    BadOption, OnemapError
        The document is none, or names no department.
    """
    judge_document(document)
    office = Department.objects.filter(code=document.get("department", "")).first()
    if office is None:
        raise BadOption(option="department", reason="the profile names no department of this platform")
    facts = {
        "title_zh": document.get("title_zh", code),
        "title_en": document.get("title_en", ""),
        "department": office,
        "document": dict(document),
        "changed_by": by,
        "changed_at": timezone.now(),
    }
    with transaction.atomic():
        kept, _created = DeliveryProfile.objects.update_or_create(code=code, defaults=facts)
        audit.record(by, "profile.keep", "profile", code)
    return kept


def incoming() -> Path:
    """Where received files lie; the paths of parts begin here."""
    return Path(settings.ONEMAP_VAR) / "incoming"


def folder_of(delivery: Delivery) -> Path:
    """Where its files lie, as they were delivered."""
    return incoming() / delivery.folder


def unpacked_of(delivery: Delivery) -> Path:
    """Where the members of its archives are laid out for the check."""
    return incoming() / f"{delivery.folder}-unpacked"


def discard_files(delivery: Delivery) -> None:
    """Remove what was received and unpacked."""
    discard(folder_of(delivery))
    discard(unpacked_of(delivery))


def judge_answers(answers: Mapping[str, Any]) -> None:
    """Refuse answers to what nobody asked.

    `read_as` is the word of a person against a file's own: by source name, the encoding and source_crs it is read in.

    Raises
    ------
    BadOption, UnknownCrs
    """
    if unknown := sorted(set(answers) - set(ANSWERS)):
        raise BadOption(option=unknown[0], reason=f"one of {', '.join(ANSWERS)}")
    if wrong := sorted(set(answers.get("accept", ())) - set(ACCEPTABLE)):
        raise BadOption(option="accept", reason=f"{wrong[0]} is not one of {', '.join(ACCEPTABLE)}")
    if answers.get("conflicts", "hold") not in {"hold", "keep", "take"}:
        raise BadOption(option="conflicts", reason="keep or take")
    for told in answers.get("read_as", {}).values():
        if unknown := sorted(set(told) - set(READ_AS)):
            raise BadOption(option=f"read_as.{unknown[0]}", reason=f"one of {', '.join(READ_AS)}")
        if told.get("source_crs"):
            parse_crs(told["source_crs"], INPUT_SRIDS)


def answer(delivery_id: int, given: Mapping[str, Any], *, by: str) -> Delivery:
    """Take the answers, once for all parts, and check again.

    Raises
    ------
    WrongState, BadOption
    """
    judge_answers(given)
    with transaction.atomic():
        delivery = locked(delivery_id, State.WAITING, State.CHECKED, State.FAILED, State.RECEIVED)
        accepted = {*delivery.answers.get("accept", ()), *given.get("accept", ())}
        read_as = {**delivery.answers.get("read_as", {}), **given.get("read_as", {})}
        delivery.answers = {**delivery.answers, **given, "accept": sorted(accepted), "read_as": read_as}
        audit.record(by, "delivery.answer", "delivery", str(delivery.pk), answers=dict(given))
        _check(delivery, by)
    return delivery


def _check(delivery: Delivery, actor: str) -> None:
    delivery.state = State.CHECKING
    delivery.job = jobs.enqueue(CHECK, {"delivery": delivery.pk}, created_by=actor).pk
    delivery.save()


def accept(delivery_id: int, *, by: str, reason: str = "") -> Delivery:
    """Let the delivery be shown: all its layers at one instant, by a job.

    Raises
    ------
    WrongState, HasFaults
    """
    with transaction.atomic():
        delivery = locked(delivery_id, State.CHECKED)
        if not delivery.verdict.get("passed"):
            raise HasFaults(blocks=delivery.verdict.get("blocks", 0))
        enqueue_acceptance(delivery, by=by, reason=reason)
    return delivery


def enqueue_acceptance(delivery: Delivery, *, by: str, reason: str) -> None:
    """Hand a checked delivery to the job that publishes it; within the caller's transaction."""
    delivery.state, delivery.decided_by, delivery.reason = State.ACCEPTING, by, reason
    delivery.job = jobs.enqueue(ACCEPT, {"delivery": delivery.pk}, created_by=by).pk
    delivery.save()
    audit.record(by, "delivery.accept", "delivery", str(delivery.pk), reason=reason)


def refuse(delivery_id: int, *, by: str, reason: str) -> Delivery:
    """Send the delivery back; its findings stay to be read.

    Raises
    ------
    WrongState
    """
    return _end(delivery_id, State.REFUSED, by=by, reason=reason)


def withdraw(delivery_id: int, *, by: str) -> Delivery:
    """Take the delivery back, by who sent it.

    Raises
    ------
    WrongState
    """
    return _end(delivery_id, State.WITHDRAWN, by=by, reason="")


def _end(delivery_id: int, state: State, *, by: str, reason: str) -> Delivery:
    with transaction.atomic():
        delivery = locked(delivery_id, State.WAITING, State.CHECKED, State.FAILED, State.RECEIVED)
        delivery.state, delivery.decided_by, delivery.reason = state, by, reason
        delivery.decided_at = timezone.now()
        delivery.save()
        audit.record(by, f"delivery.{state.value}", "delivery", str(delivery.pk), reason=reason)
        # Its tables are left to the sweep: who answers requests may not drop any.
        transaction.on_commit(lambda: discard_files(delivery))
    return delivery


def locked(delivery_id: int, *states: State) -> Delivery:
    """The delivery, locked for this transaction, if it is in one of these states.

    Raises
    ------
    WrongState
    """
    delivery = Delivery.objects.select_for_update().get(pk=delivery_id)
    if delivery.state not in states and not (State.FAILED in states and lost(delivery)):
        raise WrongState(
            delivery=delivery.pk,
            state=delivery.get_state_display(),
            needed=" / ".join(state.label for state in states),
        )
    return delivery


def lost(delivery: Delivery) -> bool:
    """Whether the job that should move this delivery on has ended without doing so.

    It moves the delivery and ends in one transaction, which may come after the delivery was read here and before the
    job was: one that ended is believed only of a delivery that stands where it stood.
    """
    if delivery.state not in {State.CHECKING, State.ACCEPTING}:
        return False
    job = Job.objects.filter(pk=delivery.job or 0).first()
    if job is not None and not job.ended:
        return False
    return Delivery.objects.filter(pk=delivery.pk, state=delivery.state, job=delivery.job).exists()


def drop_tables(delivery: Delivery) -> None:
    """Remove what the delivery has in schema staging."""
    for part in delivery.parts.exclude(staged=""):
        drop_staged(part.staged)
        drop_staged(f"{part.staged}_plan")


def import_delivery_now(  # noqa: PLR0913 - the arguments of start_delivery, and how it is run
    path: Path,
    document: Mapping[str, Any],
    *,
    name: str,
    department: str,
    actor: str,
    answers: Mapping[str, Any] | None = None,
    profile: DeliveryProfile | None = None,
    dry_run: bool = False,
    on_progress: Callable[[Job], None] | None = None,
) -> dict[str, Any]:
    """Send, check and (unless it is a dry run) accept a delivery; return the report once that has ended.

    Returns
    -------
    dict
        `status` done, held (questions) or failed (faults, or a part that cannot be read), `delivery`, `state`,
        `held`, `verdict`, and `parts` with the counts of each.
    """
    delivery = start_delivery(
        path,
        document,
        name=name,
        department=department,
        actor=actor,
        answers=answers,
        profile=profile,
        auto_accept=not dry_run,
    )
    worked: int | None = None
    while delivery.job is not None and delivery.job != worked:
        worked = delivery.job
        run_or_wait(Job.objects.get(pk=worked), on_progress)
        delivery.refresh_from_db()
    report = report_of(delivery)
    if dry_run and (delivery.state in {State.CHECKED, State.WAITING, State.FAILED} or lost(delivery)):
        withdraw(delivery.pk, by=actor)
        drop_tables(delivery)
    return report | {"dry_run": dry_run}


def report_of(delivery: Delivery) -> dict[str, Any]:
    """What a command prints of a delivery."""
    checked = delivery.state == State.CHECKED and delivery.verdict.get("passed")
    status = "done" if delivery.state == State.ACCEPTED or checked else "failed"
    if delivery.state == State.WAITING:
        status = "held"
    report: dict[str, Any] = {
        "status": status,
        "delivery": delivery.pk,
        "state": delivery.state,
        "held": delivery.questions,
        "verdict": delivery.verdict,
        "parts": [
            {"source": part.source, "layer": part.layer_name, "kind": part.kind, **part.report}
            for part in delivery.parts.all()
        ],
    }
    if status == "held":
        told = "; ".join(f"{one['code']} (pass {one['pass']})" for one in delivery.questions)
        report["reason"] = f"held: {told}"
    elif status == "failed":
        report["reason"] = reason_of(delivery)
    return report


def reason_of(delivery: Delivery) -> str:
    """Why a delivery did not come to its end."""
    if lost(delivery):
        job = Job.objects.filter(pk=delivery.job or 0).first()
        return (job.reason if job else "") or "the job that worked on it was lost"
    blocks = delivery.verdict.get("blocks", 0)
    return delivery.reason or f"refused: {blocks} faults must be mended first"
