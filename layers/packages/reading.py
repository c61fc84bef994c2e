"""Verifying and unpacking a package: one pass over the file, counting real bytes, believing nothing unsigned."""

import base64
import binascii
import hashlib
import shutil
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar

from cryptography.exceptions import InvalidSignature

from layers.models import TrustedKey
from layers.packages.keys import BadKey, fingerprint, key_of, text_of
from layers.packages.manifest import (
    FILES,
    MANIFEST,
    MOST_FILES,
    MOST_MANIFEST_BYTES,
    SIGNATURE,
    FileFact,
    Manifest,
    parse,
)
from layers.packages.writing import CHUNK, FREE_BYTES, HIGHEST_RATIO, SIGNED_PREFIX
from spatial import strictjson
from spatial.errors import Kind, OnemapError

MOST_SIGNATURE_BYTES = 4_096
MOST_DIRECTORY_BYTES = 4_000_000
_LONGEST_TAIL = (
    65_557 + 20
)  # end record of 22 bytes and its comment, and the locator of 64-bit sizes before it
_ENCRYPTED_FLAG = 0x1
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    struct.error,
)


class NoPackage(OnemapError):
    """The file is no package that can be read."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "package-unreadable"
    message: ClassVar = "the file is no package: {reason}"
    message_zh: ClassVar = "该文件不是可读的数据包：{reason}"


class PackageTooBig(OnemapError):
    """More than a package may hold, or far more than its size lets expect."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "package-too-big"
    message: ClassVar = "the package unpacks to more than is taken ({limit})"
    message_zh: ClassVar = "数据包解压后超过上限（{limit}）"


class DuplicateMember(OnemapError):
    """Two members have one name."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "package-duplicate"
    message: ClassVar = "the package holds {name} twice"
    message_zh: ClassVar = "数据包内 {name} 出现两次"


class ForbiddenMember(OnemapError):
    """A link, a device, an encrypted or an unknown kind of member."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "package-member-kind"
    message: ClassVar = "{name} in the package is a link, a device, encrypted or packed in an unknown way"
    message_zh: ClassVar = "数据包内的 {name} 是链接、设备、加密或以未知方式压缩的条目"


class UnlistedMember(OnemapError):
    """A member that the manifest does not name."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "package-unlisted"
    message: ClassVar = "the package holds {name}, which its manifest does not list"
    message_zh: ClassVar = "数据包内有清单未列出的文件 {name}"


class MissingMember(OnemapError):
    """The manifest names a file that is not there."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "package-missing"
    message: ClassVar = "the package lacks {name}, which its manifest lists"
    message_zh: ClassVar = "数据包缺少清单所列的文件 {name}"


class WrongDigest(OnemapError):
    """A file is not the one that was packed."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "package-digest"
    message: ClassVar = "{name} is not the file that was packed: its size or its SHA-256 is another"
    message_zh: ClassVar = "{name} 与打包时不一致：大小或 SHA-256 不符"


class WrongSignature(OnemapError):
    """The signature is not one of this manifest."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "package-signature"
    message: ClassVar = "the package's signature does not fit its manifest"
    message_zh: ClassVar = "数据包签名与清单不符"


class UnknownSigner(OnemapError):
    """A key signed that this instance does not trust."""

    kind: ClassVar = Kind.FORBIDDEN
    code: ClassVar = "package-signer-unknown"
    message: ClassVar = "the package was signed by the key {fingerprint}, which is not trusted here"
    message_zh: ClassVar = "数据包由未受信的密钥 {fingerprint} 签名"


class RevokedSigner(OnemapError):
    """A key signed that is trusted no more."""

    kind: ClassVar = Kind.FORBIDDEN
    code: ClassVar = "package-signer-revoked"
    message: ClassVar = "the package was signed by the key {fingerprint} of {signer}, which was revoked"
    message_zh: ClassVar = "数据包由已吊销的密钥 {fingerprint}（{signer}）签名"


@dataclass(frozen=True)
class Verified:
    """A package whose files are those that were signed.

    Attributes
    ----------
    signer
        The name this instance knows the key by; empty if it does not know it.
    public_key
        The key that signed, base64.
    trusted
        Whether the key is trusted here and not revoked.
    """

    manifest: Manifest
    signer: str
    public_key: str
    trusted: bool


def verify_package(path: Path, *, untrusted_too: bool = False) -> Verified:
    """Read a package through and compare everything in it with what was signed.

    Parameters
    ----------
    untrusted_too
        Answer with `trusted` False, instead of refusing, when the signer is unknown or revoked.

    Raises
    ------
    NoPackage, PackageTooBig, DuplicateMember, ForbiddenMember, BadManifest, UnknownVersion, BadMemberName
        It is no package.
    WrongSignature, UnknownSigner, RevokedSigner
        Nobody trusted stands for it.
    UnlistedMember, MissingMember, WrongDigest
        It is not what was signed.

    Notes
    -----
    Cost: one pass, memory flat.
    """
    return _read(path, None, untrusted_too)


def unpack_package(path: Path, into: Path, *, expected: Manifest | None = None) -> Path:
    """Verify a package and write its files below a folder of ours, which must not be there yet; return it.

    What is written is what is verified in the same pass. Nothing stays when it is refused.

    Parameters
    ----------
    expected
        The manifest that was verified before: refuse another one, put in its place meanwhile.

    Raises
    ------
    OnemapError
        As `verify_package`.
    """
    into.mkdir(parents=True, mode=0o700)
    try:
        found = _read(path, into, False)
        if expected is not None and found.manifest != expected:
            raise NoPackage(reason="it was replaced while it was read")
    except BaseException:
        shutil.rmtree(into, ignore_errors=True)
        raise
    return into


def _read(path: Path, into: Path | None, untrusted_too: bool) -> Verified:
    try:
        with path.open("rb") as file:
            _check_directory(file)
            with zipfile.ZipFile(file) as archive:
                members = _members(archive)
                verified = _signed(archive, members, untrusted_too)
                size = file.seek(0, 2)
                _check_members(members, verified.manifest, size)
                for fact in verified.manifest.files:
                    _take(archive, members[FILES + fact.path], fact, into)
                return verified
    except _BROKEN as error:
        raise NoPackage(reason="the archive is broken") from error
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise NoPackage(reason="it cannot be opened") from error


def _check_directory(file: IO[bytes]) -> None:
    """Refuse a list of members that would fill the memory, before any of it is read."""
    size = file.seek(0, 2)
    file.seek(max(size - _LONGEST_TAIL, 0))
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) - end < 22:
        raise NoPackage(reason="it is no zip archive, or it is cut off")
    entries, listed = struct.unpack_from("<HI", tail, end + 10)
    if end >= 20 and tail[end - 20 : end - 16] == b"PK\x06\x07":
        (start,) = struct.unpack_from("<Q", tail, end - 12)
        file.seek(min(start, size))
        record = file.read(56)
        if len(record) < 56:
            raise NoPackage(reason="it is cut off")
        entries, listed = struct.unpack_from("<QQ", record, 32)
    if entries > MOST_FILES + 2 or listed > MOST_DIRECTORY_BYTES:
        raise PackageTooBig(limit=f"{MOST_FILES} files")


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    members: dict[str, zipfile.ZipInfo] = {}
    for one in archive.infolist():
        name = one.filename
        if name in members:
            raise DuplicateMember(name=repr(name[:80]))
        kind = stat.S_IFMT(one.external_attr >> 16)
        plain = kind in {0, stat.S_IFREG} and one.compress_type in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
        if not plain or one.flag_bits & _ENCRYPTED_FLAG:
            raise ForbiddenMember(name=repr(name[:80]))
        # zipfile cuts names at a NUL; what was stored must be what is read.
        if one.orig_filename != name:
            raise ForbiddenMember(name=repr(one.orig_filename[:80]))
        members[name] = one
    if MANIFEST not in members or SIGNATURE not in members:
        raise NoPackage(reason=f"it holds no {MANIFEST} or no {SIGNATURE}")
    return members


def _signed(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], untrusted_too: bool) -> Verified:
    """The manifest, once its signature fits and its signer is known."""
    text = _small(archive, members[MANIFEST], MOST_MANIFEST_BYTES)
    public_key = _check_signature(_small(archive, members[SIGNATURE], MOST_SIGNATURE_BYTES), text)
    row = TrustedKey.objects.filter(public_key=public_key).first()
    trusted = row is not None and row.revoked_at is None
    if row is None and not untrusted_too:
        raise UnknownSigner(fingerprint=fingerprint(public_key))
    if row is not None and not trusted and not untrusted_too:
        raise RevokedSigner(fingerprint=fingerprint(public_key), signer=row.name)
    return Verified(parse(text), row.name if row else "", public_key, trusted)


def _small(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> bytes:
    with archive.open(member) as opened:
        text = opened.read(most + 1)
    if len(text) > most:
        raise PackageTooBig(limit=f"{member.filename}: {most} bytes")
    return text


def _check_signature(value: bytes, text: bytes) -> str:
    """Whose signature it is, if it fits."""
    try:
        told: Any = strictjson.loads(value)
        if set(told) != {"algorithm", "public_key", "signature"} or told["algorithm"] != "Ed25519":
            raise WrongSignature()
        key = key_of(told["public_key"])
        key.verify(base64.b64decode(told["signature"], validate=True), SIGNED_PREFIX + text)
        return text_of(key)
    except (strictjson.BadJson, BadKey, InvalidSignature, binascii.Error, TypeError, AttributeError) as error:
        raise WrongSignature() from error


def _check_members(members: dict[str, zipfile.ZipInfo], manifest: Manifest, size: int) -> None:
    listed = {FILES + one.path for one in manifest.files}
    for name in members.keys() - listed - {MANIFEST, SIGNATURE}:
        raise UnlistedMember(name=repr(name[:80]))
    for name in listed - members.keys():
        raise MissingMember(name=repr(name.removeprefix(FILES)[:80]))
    if sum(one.size for one in manifest.files) > max(FREE_BYTES, HIGHEST_RATIO * size):
        raise PackageTooBig(limit=f"1:{HIGHEST_RATIO}")


def _take(archive: zipfile.ZipFile, member: zipfile.ZipInfo, fact: FileFact, into: Path | None) -> None:
    """Read one file through, never more than was signed; write it if there is a folder for it."""
    digest, left = hashlib.sha256(), fact.size
    target = into / fact.path if into else None
    if target is not None:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with archive.open(member) as opened, _Sink(target) as sink:
        while chunk := opened.read(min(CHUNK, left + 1)):
            left -= len(chunk)
            if left < 0:
                break
            digest.update(chunk)
            sink.write(chunk)
    if left != 0 or digest.hexdigest() != fact.sha256:
        raise WrongDigest(name=repr(fact.path[:80]))


class _Sink:
    """Where bytes go: a new file, or nowhere."""

    def __init__(self, target: Path | None) -> None:
        self._file = target.open("xb") if target else None

    def __enter__(self) -> "_Sink":
        return self

    def __exit__(self, *error: object) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, chunk: bytes) -> None:
        """Take some bytes."""
        if self._file is not None:
            self._file.write(chunk)
