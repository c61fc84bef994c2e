"""Exports as jobs: asked for, written by a worker, kept a day, given to the one who asked.

What may be seen is judged three times: when the export is asked for, when it is written, and when the file is fetched.
The job knows its asker by number and reads the rights anew.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import ServiceKey, User
from accounts.principals import Principal, principal_of_service_key, principal_of_user, why_refused
from layers.catalogue import LayerNotFound
from layers.exchange.exports import Clip, count_of, division_clip, export
from layers.exchange.exports.writing import judge
from layers.ogc import axes
from layers.rights import Action, NotGranted, Scope, operator_scope, scope
from process import audit
from process.context import JobContext
from process.jobs import JobNotFound, enqueue
from process.models import ENDED, Job, State
from process.runner import run_or_wait
from spatial.crs import parse_crs
from spatial.errors import Kind, OnemapError

KIND = "export_layer"
MOST_OPEN = 3
KEPT = timedelta(hours=24)
MOST_COUNTED = 5_000_000
LARGEST_ID = 2**31 - 1
OPERATOR = {
    "operator": True
}  # who asks by a command on the server: no caller's, so nobody else finds the job
_LOCK_SPACE = 0x6F6D6578


class TooManyExports(OnemapError):
    """The caller has as many exports under way as one may have."""

    kind: ClassVar = Kind.TOO_MANY
    code: ClassVar = "too-many-exports"
    message: ClassVar = "you have {limit} exports under way; wait for one to end or cancel it"
    message_zh: ClassVar = "您已有 {limit} 个导出任务在进行，请等待完成或取消其一"


class ExportNeedsName(OnemapError):
    """An export is kept for someone, so someone must ask."""

    kind: ClassVar = Kind.UNAUTHENTICATED
    code: ClassVar = "sign-in-to-export"
    message: ClassVar = "sign in, or use a key, to ask for an export"
    message_zh: ClassVar = "请登录或使用密钥后再申请导出"


class ExportGone(OnemapError):
    """The file is not there: not yet, not any more, or not for this caller now."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar = "export-gone"
    message: ClassVar = "there is no such file, or your rights have changed since; ask for the export again"
    message_zh: ClassVar = "文件不存在，或您的权限已变更；请重新申请导出"


class AskerGone(OnemapError):
    """Who asked for the export is no longer known here."""

    kind: ClassVar = Kind.FORBIDDEN
    code: ClassVar = "asker-gone"
    message: ClassVar = "the account or key that asked for this export is closed"
    message_zh: ClassVar = "申请该导出的账号或密钥已停用"


class NowhereToWrite(OnemapError):
    """A file cannot be put where a command was told to."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "nowhere-to-write"
    message: ClassVar = "a file cannot be written at {path}: the folder must exist and be writable"
    message_zh: ClassVar = "无法在 {path} 写入文件：目录须存在且可写"


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What to write.

    Attributes
    ----------
    layer, format, crs, encoding
        Name, suffix with its dot, 'EPSG:n', 'utf-8' or 'gbk'.
    area
        Hexadecimal WKB in the storage CRS, 'division:CODE', or None for everywhere.
    cut
        Whether features are cut at the area's edge.
    """

    layer: str
    format: str
    crs: str
    encoding: str = "utf-8"
    area: str | None = None
    cut: bool = False

    def clip(self) -> Clip | None:
        """The area.

        Raises
        ------
        UnknownDivision
        """
        if self.area is None:
            return None
        if self.area.startswith("division:"):
            return division_clip(self.area.removeprefix("division:"), cut=self.cut)
        return Clip(bytes.fromhex(self.area), self.cut)

    def told_area(self) -> str | None:
        """The area as the audit keeps it: a division's code, or that one was drawn."""
        if self.area is None or self.area.startswith("division:"):
            return self.area
        return "drawn"


@transaction.atomic
def ask(principal: Principal, wanted: ExportRequest) -> Job:
    """Enqueue an export.

    Raises
    ------
    LayerNotFound, NotGranted
        The layer, or downloading it, is not the caller's.
    ExportNeedsName, TooManyExports
        The public asks; three exports of this caller are under way.
    UnknownExport, NoGeometryToWrite, UnknownEncoding, UnknownCrs, UnknownDivision
        It cannot be written so.
    """
    found = scope(principal, wanted.layer, Action.DOWNLOAD)
    if principal.kind == "public":
        raise ExportNeedsName()
    judge(found, wanted.format, wanted.encoding)
    parse_crs(wanted.crs, axes.OUTPUT)
    wanted.clip()
    _require_quota(principal)
    arguments = {"wanted": asdict(wanted), "asker": _asker(principal)}
    return enqueue(KIND, arguments, created_by=principal.name)


def export_now(
    wanted: ExportRequest, path: Path, actor: str, on_progress: Callable[[Job], None] | None = None
) -> dict[str, Any]:
    """Export the operator's whole layer as a job, and put the file at `path` once the job has ended.

    Parameters
    ----------
    wanted
        What to write; its format names the file's, whatever the path is called.
    actor
        As the audit names the operator.
    on_progress
        Called with the job about once a second.

    Returns
    -------
    dict
        layer, path, features, crs; or status 'failed' with the job's code and reason.

    Raises
    ------
    LayerNotFound, UnknownExport, NoGeometryToWrite, UnknownEncoding, UnknownCrs, UnknownDivision, NowhereToWrite
    """
    judge(operator_scope(wanted.layer), wanted.format, wanted.encoding)
    parse_crs(wanted.crs, axes.OUTPUT)
    wanted.clip()
    told = {"layer": wanted.layer, "path": str(path)}
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".export-") as beside:
            job = enqueue(KIND, {"wanted": asdict(wanted), "asker": OPERATOR}, created_by=actor)
            ended = run_or_wait(job, on_progress)
            result = dict(ended.result or {})
            if ended.state != State.DONE:
                return {**told, **result, "status": "failed", "reason": ended.reason or ended.state}
            _hand_over(_path(job.pk, wanted), Path(beside), path)
    except OSError:
        raise NowhereToWrite(path=str(path)) from None
    return {**told, "job": job.pk, "features": result["features"], "crs": wanted.crs}


def _hand_over(written: Path, beside: Path, path: Path) -> None:
    """Put a job's file at its place, complete or not at all; what the job kept goes."""
    copied = beside / written.name
    shutil.move(written, copied)
    copied.replace(path)
    shutil.rmtree(written.parent, ignore_errors=True)


def _asker(principal: Principal) -> dict[str, Any]:
    return {"user": principal.user_id, "key": principal.key_id}


def _require_quota(principal: Principal) -> None:
    """Count one caller's exports, one question at a time."""
    number = int.from_bytes(hashlib.sha256(principal.name.encode()).digest()[:4], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK_SPACE, number])
    under_way = Job.objects.filter(
        kind=KIND, created_by=principal.name, state__in=[State.QUEUED, State.RUNNING]
    )
    if under_way.count() >= MOST_OPEN:
        raise TooManyExports(limit=MOST_OPEN)


def _principal(asker: Mapping[str, Any]) -> Principal:
    """Who asked, with the rights of now.

    Raises
    ------
    AskerGone
    """
    if asker["user"] is not None:
        user = User.objects.select_related("department").filter(pk=asker["user"], is_active=True).first()
        if user is not None:
            return principal_of_user(user)
        raise AskerGone()
    key = ServiceKey.objects.select_related("department").filter(pk=asker["key"]).first()
    chain = key.department.ancestors() if key is not None else []
    if key is None or why_refused(key, chain) is not None:
        raise AskerGone()
    return principal_of_service_key(key, chain)


def _scope_now(context: JobContext, layer: str) -> tuple[Scope, Principal | str]:
    """What the asker may download of a layer now, and the asker as the audit takes it.

    Raises
    ------
    AskerGone, LayerNotFound, NotGranted
    """
    asker = context.arguments["asker"]
    if asker == OPERATOR:
        return operator_scope(layer), Job.objects.get(pk=context.job_id).created_by
    principal = _principal(asker)
    return scope(principal, layer, Action.DOWNLOAD), principal


def run_export(context: JobContext) -> Mapping[str, Any] | None:
    """The handler of export jobs: write the file, then end the job with what it is."""
    wanted = ExportRequest(**context.arguments["wanted"])
    found, actor = _scope_now(context, wanted.layer)
    path = _path(context.job_id, wanted)
    shutil.rmtree(path.parent, ignore_errors=True)  # of an attempt before
    path.parent.mkdir(parents=True, mode=0o700)
    try:
        result = _write(context, found, wanted, path)
        context.fail_point(1)
        with transaction.atomic():
            facts = {name: result[name] for name in ("features", "format", "crs", "size")}
            audit.record(actor, "layer.export", "layer", wanted.layer, area=wanted.told_area(), **facts)
            context.finish(result)
    except BaseException:
        shutil.rmtree(path.parent, ignore_errors=True)
        raise
    return None


def _write(context: JobContext, found: Scope, wanted: ExportRequest, path: Path) -> dict[str, Any]:
    crs = axes.file_crs(parse_crs(wanted.crs, axes.OUTPUT), path)
    clip = wanted.clip()
    context.progress("count", 0.0)
    total = count_of(found, clip, crs, MOST_COUNTED) or MOST_COUNTED

    def told(count: int) -> None:
        context.progress("write", min(0.05 + 0.9 * count / total, 0.95))
        context.check_cancel()

    context.check_cancel()
    count = export(found, path, crs=crs, encoding=wanted.encoding, clip=clip, told=told)
    return {
        "layer": wanted.layer,
        "format": wanted.format,
        "crs": wanted.crs,
        "features": count,
        "name": path.name,
        "size": path.stat().st_size,
        "scope": found.digest,
    }


def _path(job_id: int, wanted: ExportRequest) -> Path:
    return _folder() / f"job_{job_id}" / f"{wanted.layer}{wanted.format}"


def _folder() -> Path:
    return Path(settings.ONEMAP_VAR) / "exports"


def export_of(principal: Principal, job_id: int) -> Job:
    """An export of this caller's own.

    Raises
    ------
    JobNotFound
        There is none, or another's: the answer is the same.
    """
    job = Job.objects.filter(pk=job_id, kind=KIND).first() if 0 < job_id <= LARGEST_ID else None
    if job is None or principal.kind == "public" or job.arguments["asker"] != _asker(principal):
        raise JobNotFound()
    return job


def file_of(principal: Principal, job_id: int) -> tuple[Path, ExportRequest]:
    """The written file, if the caller may still see all that is in it.

    Raises
    ------
    JobNotFound
        There is no such export of this caller.
    ExportGone
        Not written, older than a day, or the right to it was taken back or changed.
    """
    job = export_of(principal, job_id)
    wanted = ExportRequest(**job.arguments["wanted"])
    path = _path(job_id, wanted)
    if job.state != State.DONE or _is_old(job) or not path.is_file():
        raise ExportGone()
    try:
        found = scope(principal, wanted.layer, Action.DOWNLOAD)
    except (LayerNotFound, NotGranted):
        raise ExportGone() from None
    if found.digest != (job.result or {}).get("scope"):
        raise ExportGone()
    return path, wanted


def _is_old(job: Job) -> bool:
    return job.finished_at is None or timezone.now() - job.finished_at > KEPT


def sweep_exports() -> int:
    """Remove the files of exports that ended more than a day ago, and what broken writers left; how many folders."""
    folder = _folder()
    removed = 0
    old = (timezone.now() - KEPT).timestamp()
    for place in folder.iterdir() if folder.is_dir() else ():
        number = place.name.removeprefix("job_")
        job = Job.objects.filter(pk=int(number)).first() if number.isdecimal() else None
        gone = job.state in ENDED and _is_old(job) if job is not None else place.stat().st_mtime < old
        if gone:
            shutil.rmtree(place, ignore_errors=True)
            removed += 1
    return removed
