"""Zip archives: what may be in one, and unpacking it while counting real bytes.

Names in an archive are never used for files: members are written under generated names. What headers say
about sizes is not believed; reading stops at the limit.
"""

import stat
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from spatial.formats.refusals import ArchiveTooBig, NotAllowedFormat, UnreadableSource

MOST_BYTES = 2_000_000_000
MOST_ENTRIES = 2_000
HIGHEST_RATIO = 100
_FREE_BYTES = 10_000_000  # below this the ratio says nothing
_LARGEST_DIRECTORY = 2_000_000
_CHUNK = 1_048_576
_LONGEST_TAIL = 65_557  # end record of 22 bytes and its comment
_NESTED = frozenset({".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst"})
_UTF8_FLAG, _ENCRYPTED_FLAG = 0x800, 0x1


@dataclass(frozen=True, slots=True)
class Member:
    """One unpacked file: what it was called, for people, and where it is now."""

    shown: str
    suffix: str
    path: Path


def unpack(
    archive: Path, name: str, into: Path, wanted: Callable[[str], bool]
) -> tuple[list[Member], list[str]]:
    """Write the members that are wanted into a folder; answers them and the names of those left out.

    Parameters
    ----------
    archive : Path
        A zip file.
    name : str
        What it is called in a refusal.
    into : Path
        An empty folder of our own.
    wanted : callable
        Whether a member is to be written, by the name shown; what it lets through ends in a plain suffix.

    Raises
    ------
    ArchiveTooBig
        More than 2 GB, 2,000 entries or a ratio of 100.
    NotAllowedFormat
        A link, a device or another archive inside.
    UnreadableSource
        Broken or encrypted.
    """
    _check_directory(archive, name)
    members: list[Member] = []
    left_out: list[str] = []
    budget = min(MOST_BYTES, max(_FREE_BYTES, HIGHEST_RATIO * archive.stat().st_size))
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = opened.infolist()
            if len(entries) > MOST_ENTRIES:
                raise ArchiveTooBig(limit=f"{MOST_ENTRIES} 个条目 / entries")
            for number, entry in enumerate(entries):
                _refuse_kind(entry, name)
                shown = _shown(entry)
                suffix = PurePosixPath(shown).suffix.lower()
                if entry.is_dir() or not wanted(shown) or shown.startswith("__MACOSX/"):
                    left_out += [] if entry.is_dir() else [shown]
                    continue
                path = into / f"member{number:04d}{suffix}"
                budget -= _copy(opened, entry, path, budget)
                members.append(Member(shown, suffix, path))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError):
        raise UnreadableSource(name, "the archive is broken", "压缩包损坏") from None
    return members, left_out


def _check_directory(archive: Path, name: str) -> None:
    """Refuse a list of entries that would fill the memory, before any of it is read."""
    with archive.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(size - _LONGEST_TAIL, 0))
        tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) - end < 22:
        raise UnreadableSource(name, "the archive is cut off", "压缩包不完整")
    entries = int.from_bytes(tail[end + 10 : end + 12], "little")
    listed = int.from_bytes(tail[end + 12 : end + 16], "little")
    if entries > MOST_ENTRIES or listed > _LARGEST_DIRECTORY:
        raise ArchiveTooBig(limit=f"{MOST_ENTRIES} 个条目 / entries")


def _refuse_kind(entry: zipfile.ZipInfo, name: str) -> None:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise NotAllowedFormat(name, "the archive holds a link or a device", "压缩包内含链接或设备文件")
    if PurePosixPath(entry.filename).suffix.lower() in _NESTED:
        raise NotAllowedFormat(name, "the archive holds another archive", "压缩包内还有压缩包")
    if entry.flag_bits & _ENCRYPTED_FLAG:
        raise UnreadableSource(name, "the archive is encrypted", "压缩包已加密")


def _shown(entry: zipfile.ZipInfo) -> str:
    """The member's name for people; names without the UTF-8 mark are GBK where that is possible."""
    if entry.flag_bits & _UTF8_FLAG:
        return entry.filename
    try:
        raw = entry.filename.encode("cp437")
    except UnicodeEncodeError:
        return entry.filename
    for codec in ("utf-8", "gb18030"):
        try:
            return raw.decode(codec)
        except UnicodeDecodeError:
            continue
    return entry.filename


def _copy(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path, budget: int) -> int:
    """Unpack one member; answers the bytes it really had."""
    written = 0
    with opened.open(entry) as source, path.open("xb") as target:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            if written > budget:
                path.unlink()
                raise ArchiveTooBig(limit=f"{MOST_BYTES // 10**9} GB, 1:{HIGHEST_RATIO}")
            target.write(chunk)
    return written
