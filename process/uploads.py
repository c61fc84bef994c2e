"""Files that come in piece by piece, and go on from where they were when the line or the power went.

What is acknowledged is on disk: a piece is written, flushed to the device and counted in the database, in that order,
before the sender hears of it. The sender's name for a file is data; on disk it has a generated one.
"""

import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q, Sum
from django.utils import timezone

from process.filenames import safe_paths
from process.models import Upload
from spatial.errors import Kind, OnemapError

SMALLEST_PIECE = 128 * 2**10  # bytes; the last piece of a file may be smaller
LARGEST_PIECE = 8 * 2**20
LARGEST_FILE = 10 * 2**30
MOST_FILES = 5_000  # of one sender, waiting to be used
LONGEST_NAME = 300
ABANDONED_AFTER = timedelta(days=7)
USED_AFTER = timedelta(hours=1)
READ_AT_ONCE = 2**20


class UploadNotFound(OnemapError):
    """There is no such upload for this caller."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar = "upload-not-found"
    message: ClassVar = "there is no such upload"
    message_zh: ClassVar = "没有该上传"


class UploadRefused(OnemapError):
    """The upload cannot be begun as described."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "upload-refused"
    message: ClassVar = "a file needs a name of at most 300 characters and at most {most} bytes"
    message_zh: ClassVar = "文件名最长 300 字符，文件最大 {most} 字节"


class WrongOffset(OnemapError):
    """The piece does not begin where the file ends; another window may be sending the same file."""

    kind: ClassVar = Kind.CONFLICT
    code: ClassVar = "upload-offset"
    message: ClassVar = "the file goes on at byte {offset}"
    message_zh: ClassVar = "文件应从第 {offset} 字节继续"


class WrongPiece(OnemapError):
    """The piece is empty, too small, or longer than what is missing."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "upload-piece"
    message: ClassVar = "a piece has {least} to {most} bytes and never more than the file still lacks"
    message_zh: ClassVar = "每段为 {least} 至 {most} 字节，且不超过剩余长度"


class PieceTooLarge(OnemapError):
    """The piece is over the limit."""

    kind: ClassVar = Kind.TOO_LARGE
    code: ClassVar = "upload-piece-too-large"
    message: ClassVar = "a piece has at most {most} bytes"
    message_zh: ClassVar = "每段最多 {most} 字节"


class WrongDigest(OnemapError):
    """What arrived is not the file the sender described."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "upload-digest"
    message: ClassVar = (
        "the file arrived with other contents than announced; send it again from the beginning"
    )
    message_zh: ClassVar = "收到的内容与校验值不符，请从头重新上传"


class UploadQuota(OnemapError):
    """The sender has too much waiting."""

    kind: ClassVar = Kind.TOO_MANY
    code: ClassVar = "upload-quota"
    message: ClassVar = "too much of yours is waiting on the server; use or cancel what is there"
    message_zh: ClassVar = "您待处理的上传已达上限，请先使用或取消已有上传"


class NoRoom(OnemapError):
    """The disk keeps a reserve for the database."""

    kind: ClassVar = Kind.STORAGE_FULL
    code: ClassVar = "upload-no-room"
    message: ClassVar = "the server has no room for this file; tell the operator"
    message_zh: ClassVar = "服务器存储空间不足，请联系运维人员"


class UploadIncomplete(OnemapError):
    """A file is used before all of it is there."""

    kind: ClassVar = Kind.CONFLICT
    code: ClassVar = "upload-incomplete"
    message: ClassVar = "{count} of the files are not complete"
    message_zh: ClassVar = "有 {count} 个文件尚未上传完整"


class UploadUsed(OnemapError):
    """A file was already used for something else."""

    kind: ClassVar = Kind.CONFLICT
    code: ClassVar = "upload-used"
    message: ClassVar = "{count} of the files were already used; send them again"
    message_zh: ClassVar = "有 {count} 个文件已被使用，请重新上传"


def folder() -> Path:
    """Where pieces are put together."""
    return Path(settings.ONEMAP_VAR) / "uploads"


def path_of(upload: Upload) -> Path:
    """Where the bytes of an upload lie."""
    return folder() / upload.token


def find(token: str, sent_by: str) -> Upload:
    """The sender's upload.

    Raises
    ------
    UploadNotFound
        There is none, or it is another's: the answer is the same.
    """
    upload = Upload.objects.filter(token=token, sent_by=sent_by).first()
    if upload is None:
        raise UploadNotFound()
    return upload


@transaction.atomic
def begin(name: str, size: int, sha256: str, *, sent_by: str) -> Upload:
    """Announce a file; the same file announced twice, whole or half sent, is the same upload.

    Parameters
    ----------
    name
        As the sender has it, with its folders; kept as data, never a path of ours.
    size
        Bytes.

    Raises
    ------
    UploadRefused, UploadQuota, NoRoom
    """
    if not 0 <= size <= LARGEST_FILE or not 0 < len(name) <= LONGEST_NAME or "\0" in name:
        raise UploadRefused(most=LARGEST_FILE)
    _one_at_a_time(sent_by)
    known = Upload.objects.filter(name=name, size=size, sha256=sha256, sent_by=sent_by, taken_at=None).first()
    if known is not None:
        return known
    _require_quota(size, sent_by)
    _require_room(size)
    upload = Upload(token=secrets.token_hex(16), name=name, size=size, sha256=sha256, sent_by=sent_by)
    folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    path_of(upload).touch(mode=0o600)
    if size == 0:
        upload.complete = sha256 == hashlib.sha256().hexdigest()
        if not upload.complete:
            path_of(upload).unlink()
            raise WrongDigest()
    upload.save()
    return upload


def _one_at_a_time(sent_by: str) -> None:
    """Two announcements of one sender are counted one after the other, or both would fit the quota."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"uploads of {sent_by}"])


def _require_quota(size: int, sent_by: str) -> None:
    waiting = Upload.objects.filter(sent_by=sent_by, taken_at=None)
    held = waiting.aggregate(bytes=Sum("size"))["bytes"] or 0
    if held + size > settings.ONEMAP_UPLOAD_QUOTA or waiting.count() >= MOST_FILES:
        raise UploadQuota(quota=settings.ONEMAP_UPLOAD_QUOTA, held=held, files=MOST_FILES)


def _require_room(size: int) -> None:
    """Refuse before the disk is low, counting what others have announced but not yet sent."""
    missing = Upload.objects.filter(complete=False).aggregate(bytes=Sum(F("size") - F("received")))
    folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    disk = shutil.disk_usage(folder())
    if disk.free - (missing["bytes"] or 0) - size < settings.ONEMAP_DISK_RESERVE * disk.total:
        raise NoRoom(size=size)


def append(token: str, offset: int, piece: bytes, *, sent_by: str) -> Upload:
    """Add a piece at `offset`; on return it is on disk. The last piece closes the file when its digest is right.

    An empty piece at the end of a whole file asks for the digest again: the answer to the last piece was lost.

    Raises
    ------
    UploadNotFound, WrongOffset, WrongPiece, PieceTooLarge, NoRoom
    WrongDigest
        The upload begins anew at byte 0.
    """
    if len(piece) > LARGEST_PIECE:
        raise PieceTooLarge(most=LARGEST_PIECE)
    with transaction.atomic():
        upload = _locked(token, sent_by)
        if offset != upload.received:
            raise WrongOffset(offset=upload.received)
        if upload.complete:
            return upload
        _require_piece(upload, piece)
        _write(path_of(upload), offset, piece)
        upload.received, upload.touched_at = offset + len(piece), timezone.now()
        upload.save(update_fields=["received", "touched_at"])
    return upload if upload.received < upload.size else _close(token, sent_by)


def _locked(token: str, sent_by: str) -> Upload:
    """The upload's row, held; its offset is what is both acknowledged and on disk."""
    upload = Upload.objects.select_for_update().filter(token=token, sent_by=sent_by).first()
    if upload is None:
        raise UploadNotFound()
    path = path_of(upload)
    there = path.stat().st_size if path.exists() else 0
    if there < upload.received:  # the disk was restored from an older copy
        upload.received, upload.complete = there, False
        upload.save(update_fields=["received", "complete"])
    return upload


def _require_piece(upload: Upload, piece: bytes) -> None:
    rest = upload.size - upload.received
    if not min(SMALLEST_PIECE, rest) <= len(piece) <= rest:
        raise WrongPiece(least=SMALLEST_PIECE, most=LARGEST_PIECE)


def _write(path: Path, offset: int, piece: bytes) -> None:
    """Write at an offset and have the device confirm it; what a killed writer left behind it is cut off."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.ftruncate(handle, offset)
        done = 0
        while done < len(piece):
            done += os.pwrite(handle, piece[done:], offset + done)
        os.fsync(handle)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise NoRoom(size=len(piece)) from error
        raise
    finally:
        os.close(handle)


def _close(token: str, sent_by: str) -> Upload:
    """Mark a whole file as complete, or begin it anew.

    Raises
    ------
    WrongDigest
    """
    with transaction.atomic():
        upload = _locked(token, sent_by)
        if upload.complete or upload.received < upload.size:
            return upload
        upload.complete = _digest(path_of(upload)) == upload.sha256
        if not upload.complete:
            upload.received = 0
        upload.save(update_fields=["complete", "received"])
    if not upload.complete:
        raise WrongDigest(offset=0)
    return upload


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as read:
        while chunk := read.read(READ_AT_ONCE):
            digest.update(chunk)
    return digest.hexdigest()


def cancel(token: str, *, sent_by: str) -> None:
    """Forget an upload and its bytes.

    Raises
    ------
    UploadNotFound
    """
    with transaction.atomic():
        upload = _locked(token, sent_by)
        upload.delete()
    path_of(upload).unlink(missing_ok=True)


@transaction.atomic
def gather(tokens: Sequence[str], sent_by: str, into: Path) -> list[Path]:
    """Put complete uploads together as a folder, under names that are safe and keep folders and companions apart.

    Call it inside the transaction that records what is made of them: when that fails, the uploads are still there.
    The bytes are not copied; sweeping removes the upload's own name for them later.

    Parameters
    ----------
    tokens
        In any order; each once.
    into
        An existing folder, empty, on the disk of the uploads.

    Returns
    -------
    list of Path
        The files, in the order of `tokens`.

    Raises
    ------
    UploadNotFound, UploadIncomplete, UploadUsed
    """
    wanted = list(dict.fromkeys(tokens))
    found = Upload.objects.select_for_update().filter(token__in=wanted, sent_by=sent_by).order_by("pk")
    held = {upload.token: upload for upload in found}
    if len(held) < len(wanted) or not wanted:
        raise UploadNotFound()
    if open_ones := sum(not upload.complete for upload in held.values()):
        raise UploadIncomplete(count=open_ones)
    if used := sum(upload.taken_at is not None for upload in held.values()):
        raise UploadUsed(count=used)
    uploads = [held[token] for token in wanted]
    made = [into / name for name in safe_paths([upload.name for upload in uploads])]
    for upload, target in zip(uploads, made, strict=True):
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.link(path_of(upload), target)
    Upload.objects.filter(pk__in=[upload.pk for upload in uploads]).update(taken_at=timezone.now())
    return made


def sweep_uploads() -> int:
    """Remove what was used, what nobody has touched for a week, and bytes without a record; return how many."""
    now = timezone.now()
    used = Q(taken_at__lt=now - USED_AFTER)
    abandoned = Q(taken_at=None, touched_at__lt=now - ABANDONED_AFTER)
    gone = 0
    for upload in Upload.objects.filter(used | abandoned):
        if Upload.objects.filter(pk=upload.pk).filter(used | abandoned).delete()[0]:
            path_of(upload).unlink(missing_ok=True)
            gone += 1
    return gone + _sweep_strays()


def _sweep_strays() -> int:
    """Files whose announcement was never committed, or whose record went first."""
    if not folder().is_dir():
        return 0
    day_ago = timezone.now().timestamp() - 86_400
    old = [one for one in folder().iterdir() if one.is_file() and one.stat().st_mtime < day_ago]
    known = set(Upload.objects.filter(token__in=[one.name for one in old]).values_list("token", flat=True))
    strays = [one for one in old if one.name not in known]
    for one in strays:
        one.unlink(missing_ok=True)
    return len(strays)
