"""A file is copied into the platform's own folder, under a name of ours, before anything reads it."""

import hashlib
import secrets
import shutil
from pathlib import Path
from typing import ClassVar, NamedTuple

from django.conf import settings

from spatial.errors import Kind, OnemapError

SIDECARS = (".shx", ".dbf", ".prj", ".cpg")
MOST_FILES = 2_000
MOST_BYTES = 20 * 2**30
CHUNK = 1 << 20


class NoSuchFile(OnemapError):
    """The path leads nowhere this platform may read."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "no-such-file"
    message: ClassVar = "{name} is no file or folder that can be read"
    message_zh: ClassVar = "{name} 不是可读取的文件或文件夹"


class TooBig(OnemapError):
    """More than an import takes."""

    kind: ClassVar = Kind.TOO_LARGE
    code: ClassVar = "import-too-large"
    message: ClassVar = "{name} is larger than one import may be ({most})"
    message_zh: ClassVar = "{name} 超过单次导入上限（{most}）"


class Received(NamedTuple):
    """A received source: where its main file lies, its own name, and what it holds."""

    path: Path
    folder: Path
    name: str
    sha256: str


def receive(path: Path) -> Received:
    """Copy a file (with its shapefile companions) or a folder into quarantine.

    Raises
    ------
    NoSuchFile, TooBig
    """
    members = _members(path)
    folder = settings.ONEMAP_VAR / "incoming" / secrets.token_hex(12)
    folder.mkdir(parents=True, mode=0o700)
    digest = hashlib.sha256()
    try:
        for member in members:
            target = folder / (member.relative_to(path) if path.is_dir() else member.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            _copy(member, target, digest)
    except BaseException:
        discard(folder)
        raise
    main = folder if path.is_dir() else folder / path.name
    return Received(main, folder, path.name, digest.hexdigest())


def _members(path: Path) -> list[Path]:
    if path.is_file():
        near = [path, *(path.with_suffix(suffix) for suffix in SIDECARS if path.suffix.lower() == ".shp")]
        upper = [one.with_suffix(one.suffix.upper()) for one in near[1:]]
        members = [one for one in dict.fromkeys([*near, *upper]) if one.is_file()]
    elif path.is_dir():
        members = sorted(one for one in path.rglob("*") if one.is_file() and not one.is_symlink())
    else:
        raise NoSuchFile(name=path.name)
    if not members or len(members) > MOST_FILES:
        raise TooBig(name=path.name, most=f"{MOST_FILES} files")
    if sum(one.stat().st_size for one in members) > MOST_BYTES:
        raise TooBig(name=path.name, most="20 GiB")
    return members


def _copy(source: Path, target: Path, digest: "hashlib._Hash") -> None:
    try:
        with source.open("rb") as read, target.open("wb") as written:
            while chunk := read.read(CHUNK):
                digest.update(chunk)
                written.write(chunk)
    except PermissionError as error:
        raise NoSuchFile(name=source.name) from error


def discard(folder: Path) -> None:
    """Remove a received source."""
    shutil.rmtree(folder, ignore_errors=True)
