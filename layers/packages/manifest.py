"""What a package says of itself: its manifest, the one text of it that is signed, and the names files may have."""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.core.serializers.json import DjangoJSONEncoder

from spatial import strictjson
from spatial.errors import Kind, OnemapError

FORMAT, VERSION = "onemap-package", 1
MANIFEST, SIGNATURE, FILES = "manifest.json", "signature.json", "files/"
MOST_FILES = 2_000
MOST_BYTES = 20 * 2**30
MOST_MANIFEST_BYTES = 8_000_000
LONGEST_NAME = 300  # characters of a whole path
LONGEST_PART = 255  # bytes between two slashes: what a file system takes

_SHA256 = re.compile(r"[0-9a-f]{64}")
# Devices of Windows: a package is carried there too.
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_FORBIDDEN = frozenset('\\:*?"<>|')


class BadManifest(OnemapError):
    """The manifest is not of the published form."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "package-manifest"
    message: ClassVar = "the package's manifest is not of the published form: {reason}"
    message_zh: ClassVar = "数据包清单不符合规定格式：{reason}"


class UnknownVersion(OnemapError):
    """A newer platform wrote this."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "package-version"
    message: ClassVar = "the package has format version {version}; this platform reads {known}"
    message_zh: ClassVar = "数据包格式版本为 {version}，本平台可读版本为 {known}"


class BadMemberName(OnemapError):
    """A name that no file of a package may have."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "package-file-name"
    message: ClassVar = "{name} is no file name for a package: {reason}"
    message_zh: ClassVar = "{name} 不能作为数据包内的文件名：{reason}"


@dataclass(frozen=True, slots=True)
class FileFact:
    """One file of a package: its path within it, its size in bytes and its SHA-256 in hexadecimal."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a package says of itself.

    Attributes
    ----------
    facts
        Where it comes from and what was found in it, with `name`, `profile` (source names to layers, keys, checks),
        `answers` (what a person answered for all parts: encoding, CRS, day) and `code_lists` (those the profile
        names, with their values: another city may not have them yet).
    files
        In the order of their paths.
    """

    facts: Mapping[str, Any]
    files: tuple[FileFact, ...]

    @property
    def name(self) -> str:
        """What the package is called."""
        return str(self.facts["name"])

    @property
    def document(self) -> dict[str, Any]:
        """The profile by which it is applied."""
        return dict(self.facts["profile"])

    @property
    def answers(self) -> dict[str, Any]:
        """What was answered for all parts."""
        return dict(self.facts["answers"])

    @property
    def code_lists(self) -> list[dict[str, Any]]:
        """The code lists its profile names."""
        return list(self.facts["code_lists"])

    def canonical(self) -> bytes:
        """The one text of this manifest: keys in order, no spaces, UTF-8. It is what is signed."""
        value = {
            "format": FORMAT,
            "version": VERSION,
            "facts": self.facts,
            "files": [{"path": one.path, "size": one.size, "sha256": one.sha256} for one in self.files],
        }
        text = json.dumps(
            value,
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
            allow_nan=False,
            cls=DjangoJSONEncoder,
        )
        return text.encode()


FACTS = {"name": str, "profile": dict, "answers": dict, "code_lists": list}


def parse(text: bytes) -> Manifest:
    """The manifest that a text holds, if it is the one text of it.

    Raises
    ------
    BadManifest, UnknownVersion, BadMemberName
    """
    try:
        value = strictjson.loads(text, max_bytes=MOST_MANIFEST_BYTES)
    except OnemapError as error:
        raise BadManifest(reason="no JSON as the platform takes it") from error
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise BadManifest(reason=f"its format is not {FORMAT}")
    if value.get("version") != VERSION:
        raise UnknownVersion(version=str(value.get("version"))[:20], known=VERSION)
    facts = _of_type(value, "facts", dict)
    for name, kind in FACTS.items():
        _of_type(facts, name, kind)
    manifest = Manifest(facts, tuple(_file(one) for one in _of_type(value, "files", list)))
    if manifest.canonical() != text:
        raise BadManifest(reason="it is not written in the one way that is signed")
    judge_names(one.path for one in manifest.files)
    _judge_amount(manifest.files)
    return manifest


def _of_type(value: Mapping[str, Any], name: str, kind: type) -> Any:
    found = value.get(name)
    if not isinstance(found, kind):
        raise BadManifest(reason=f"{name} is missing or of another kind")
    return found


def _file(value: Any) -> FileFact:
    if not isinstance(value, dict) or set(value) != {"path", "size", "sha256"}:
        raise BadManifest(reason="a file has path, size and sha256")
    size = value["size"]
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise BadManifest(reason="a file's size is a count of bytes")
    if not isinstance(value["path"], str) or not _SHA256.fullmatch(str(value["sha256"])):
        raise BadManifest(reason="a file has a path and a SHA-256")
    return FileFact(value["path"], size, value["sha256"])


def _judge_amount(files: tuple[FileFact, ...]) -> None:
    if not files:
        raise BadManifest(reason="it lists no file")
    if len(files) > MOST_FILES or sum(one.size for one in files) > MOST_BYTES:
        raise BadManifest(reason=f"more than {MOST_FILES} files or {MOST_BYTES // 2**30} GiB")
    if [one.path for one in files] != sorted(one.path for one in files):
        raise BadManifest(reason="its files are not in order")


def judge_names(paths: Iterable[str]) -> None:
    """Refuse names that could leave their folder, or that two file systems read differently (threats.md I-02).

    Raises
    ------
    BadMemberName
    """
    met: dict[str, str] = {}  # folded name -> the spelling met first
    for path in paths:
        if reason := _why_not(path):
            raise BadMemberName(name=repr(path[:80]), reason=reason)
        folded = unicodedata.normalize("NFKC", path).casefold()
        if folded in met:
            raise BadMemberName(
                name=repr(path[:80]), reason="another file has the same name but for its spelling"
            )
        met[folded] = path
    for folded, path in met.items():
        if any(folded.startswith(f"{other}/") for other in _parents(folded) & met.keys()):
            raise BadMemberName(name=repr(path[:80]), reason="a file cannot be a folder too")


def _parents(path: str) -> set[str]:
    parts = path.split("/")
    return {"/".join(parts[:count]) for count in range(1, len(parts))}


def _why_not(path: str) -> str:
    """Why a path is none for a package; empty if it is one."""
    if not path or len(path) > LONGEST_NAME:
        return f"1 to {LONGEST_NAME} characters"
    if any(unicodedata.category(one)[0] == "C" or one in _FORBIDDEN for one in path):
        return 'control characters and \\ : * ? " < > | have no place in it'
    parts = path.split("/")
    if any(part in {"", ".", ".."} for part in parts):
        return "it must stay within the package"
    if any(part != part.strip() or part.endswith(".") or _DEVICE.fullmatch(part) for part in parts):
        return "a part begins or ends with a space, ends with a point, or is a device"
    if any(len(part.encode()) > LONGEST_PART for part in parts):
        return f"a part is longer than {LONGEST_PART} bytes"
    return ""
