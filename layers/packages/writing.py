"""Writing a package: one zip file, the same bytes for the same content."""

import base64
import hashlib
import json
import os
import re
import secrets
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from layers.packages.codes import code_lists_of
from layers.packages.keys import own_key, sync_folder, text_of
from layers.packages.manifest import (
    FILES,
    FORMAT,
    MANIFEST,
    MOST_BYTES,
    MOST_FILES,
    SIGNATURE,
    VERSION,
    FileFact,
    Manifest,
    judge_names,
    parse,
)
from spatial.errors import Kind, OnemapError

CHUNK = 1 << 20
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment a zip file knows
LEVEL = 6
# What is compressed already is stored as it is.
PACKED = frozenset({".tif", ".tiff", ".jpg", ".jpeg", ".png", ".parquet", ".zip", ".xlsx", ".fgb"})
HIGHEST_RATIO = 100  # of what is unpacked to what is packed
FREE_BYTES = 10_000_000  # below this the ratio says nothing
# Before the signed text: a signature under a package can be taken for nothing else.
SIGNED_PREFIX = f"{FORMAT} {VERSION}\n".encode()


class NothingToPack(OnemapError):
    """There is no file, or there are too many."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "package-content"
    message: ClassVar = "a package holds 1 to {most_files} files and at most {most_gib} GiB"
    message_zh: ClassVar = "一个数据包可含 1 至 {most_files} 个文件，总量不超过 {most_gib} GiB"


class FileChanged(OnemapError):
    """A file was written to while it was packed."""

    kind: ClassVar = Kind.CONFLICT
    code: ClassVar = "package-file-changed"
    message: ClassVar = "{name} changed while it was packed; nothing was written"
    message_zh: ClassVar = "{name} 在打包过程中被改动，未写出任何内容"


def packages_folder() -> Path:
    """Where this instance keeps the packages it wrote."""
    folder: Path = settings.ONEMAP_VAR / "packages"
    return folder


def write_package(
    source: Path | Mapping[str, Path], to: Path | None = None, *, facts: Mapping[str, Any]
) -> Path:
    """Write files as a signed package; it appears complete or not at all.

    Parameters
    ----------
    source
        A folder (all of its files), a file, or files by their paths within the package.
    to
        Where; below the folder of packages, under the package's name and digest, if not given.
    facts
        What the manifest tells (layers.packages.manifest.Manifest): `name`, `profile`, `answers` and more as JSON;
        the code lists that the profile names are added. Never a path of this machine.

    Returns
    -------
    Path
        The zip file.

    Raises
    ------
    NothingToPack, FileChanged, BadMemberName
    """
    files = dict(sorted(_named(source)))
    judge_names(files)
    sizes = [path.stat().st_size for path in files.values()]
    if not 0 < len(files) <= MOST_FILES or sum(sizes) > MOST_BYTES:
        raise NothingToPack(most_files=MOST_FILES, most_gib=MOST_BYTES // 2**30)
    listed = tuple(_fact(path, file) for path, file in files.items())
    told = {"answers": {}, **facts, "code_lists": code_lists_of(facts["profile"])}
    text = Manifest(told, listed).canonical()
    parse(text)  # what could not be read again is not written
    private, _ = own_key()
    target = (
        to or packages_folder() / f"{file_name(facts['name'])}-{hashlib.sha256(text).hexdigest()[:12]}.zip"
    )
    _write(target, text, _signature(private, text), list(zip(listed, files.values(), strict=True)))
    return target


def _named(source: Path | Mapping[str, Path]) -> Iterator[tuple[str, Path]]:
    if not isinstance(source, Path):
        yield from source.items()
    elif source.is_file():
        yield source.name, source
    else:
        for path in source.rglob("*"):
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(source).as_posix(), path


def file_name(name: str) -> str:
    """A name for a file made of a name for people: letters (of any script), digits, - and _."""
    return re.sub(r"[^\w-]+", "_", name).strip("_")[:80] or "package"


def _fact(path: str, file: Path) -> FileFact:
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
        return FileFact(path, opened.tell(), digest)


def _signature(private: Ed25519PrivateKey, text: bytes) -> bytes:
    value = {
        "algorithm": "Ed25519",
        "public_key": text_of(private.public_key()),
        "signature": base64.b64encode(private.sign(SIGNED_PREFIX + text)).decode(),
    }
    return json.dumps(value, sort_keys=True).encode()


def _write(target: Path, text: bytes, signature: bytes, files: list[tuple[FileFact, Path]]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        _pack(part, text, signature, files, squeeze=True)
        if sum(fact.size for fact, _ in files) > max(FREE_BYTES, HIGHEST_RATIO * part.stat().st_size):
            part.unlink()  # so empty that a reader would take it for a bomb
            _pack(part, text, signature, files, squeeze=False)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(target.parent)


def _pack(
    part: Path, text: bytes, signature: bytes, files: list[tuple[FileFact, Path]], *, squeeze: bool
) -> None:
    with part.open("xb") as file:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(_info(MANIFEST, squeeze), text, compresslevel=LEVEL)
            archive.writestr(_info(SIGNATURE, squeeze), signature, compresslevel=LEVEL)
            for fact, source in files:
                _add(archive, fact, source, squeeze)
        file.flush()
        os.fsync(file.fileno())


def _info(name: str, squeeze: bool) -> zipfile.ZipInfo:
    """A member's entry without a trace of this machine or of the clock."""
    info = zipfile.ZipInfo(name, EPOCH)
    info.create_system = 3
    info.external_attr = 0o100600 << 16
    info.compress_type = zipfile.ZIP_DEFLATED if squeeze else zipfile.ZIP_STORED
    return info


def _add(archive: zipfile.ZipFile, fact: FileFact, source: Path, squeeze: bool) -> None:
    packed = Path(fact.path).suffix.lower() in PACKED
    info = _info(FILES + fact.path, squeeze and not packed)
    info.file_size = fact.size  # tells the writer whether 64-bit sizes are needed
    digest, written = hashlib.sha256(), 0
    with source.open("rb") as read, archive.open(info, "w") as member:
        while chunk := read.read(CHUNK):
            digest.update(chunk)
            member.write(chunk)
            written += len(chunk)
    if written != fact.size or digest.hexdigest() != fact.sha256:
        raise FileChanged(name=fact.path)
