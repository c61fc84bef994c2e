"""What a pull may look at, and bringing it here: a folder, an address, a table of another database."""

import hashlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from django.conf import settings

from layers.exchange.pulls import databases
from layers.models import Pull
from process.fetching import HostRule, Policy, Resolver, check_address, fetch, system_resolver
from spatial.errors import Kind, OnemapError

SETTLE_S = 60.0  # a folder that was written to so shortly ago may not be complete
CHUNK = 1 << 20


class NoSuchSource(OnemapError):
    """The settings name no such source."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "pull-source"
    message: ClassVar = "{source} is not among the sources of the settings: {form}"
    message_zh: ClassVar = "{source} 不在设置允许的来源之内：{form}"


class SourceEmpty(OnemapError):
    """There is nothing to fetch."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "pull-nothing-there"
    message: ClassVar = "there is nothing to fetch at {source}"
    message_zh: ClassVar = "{source} 处没有可获取的数据"


class StillWritten(OnemapError):
    """Someone is writing there just now."""

    kind: ClassVar = Kind.BUSY
    code: ClassVar = "pull-settling"
    message: ClassVar = "{source} was written to a moment ago; it is fetched once it has settled"
    message_zh: ClassVar = "{source} 刚刚仍有写入，待其稳定后再获取"


@dataclass(frozen=True)
class Pulled:
    """What a source has now; `path` None says that nothing is new."""

    path: Path | None
    sha256: str = ""
    validators: Mapping[str, str] = field(default_factory=dict)


def policy() -> Policy:
    """Which hosts may be fetched from, as the settings have it."""
    rules = tuple(HostRule.of(text) for text in settings.ONEMAP_PULL_HOSTS)
    return Policy(rules, settings.ONEMAP_PULL_BYTES, settings.ONEMAP_PULL_SECONDS)


def check(kind: str, address: str) -> None:
    """Refuse an address that could never be fetched, without touching it.

    Raises
    ------
    NoSuchSource, AddressNotAllowed
    """
    if kind == Pull.Kind.FOLDER:
        folder_of(address)
    elif kind == Pull.Kind.HTTP:
        check_address(address, policy())
    else:
        table_of(address)


def bring(
    pull: Pull, into: Path, *, known: str, validators: Mapping[str, str], resolve: Resolver = system_resolver
) -> Pulled:
    """Bring what a source has now.

    Parameters
    ----------
    into
        A folder of ours.
    known
        SHA-256 of what was taken last; empty if that is to be taken again.
    validators
        What an HTTP source said of it.

    Raises
    ------
    OnemapError
        The source is not allowed, not there, not settled or does not answer.
    """
    if pull.kind == Pull.Kind.FOLDER:
        return _from_folder(pull.address, known)
    if pull.kind == Pull.Kind.DATABASE:
        return _from_database(pull.address, into, known)
    got = fetch(pull.address, into, policy(), validators=validators if known else None, resolve=resolve)
    if got.path is None or got.sha256 == known:
        return Pulled(None, known, got.validators or validators)
    return Pulled(got.path.rename(into / got.name), got.sha256, got.validators)


def folder_of(address: str) -> Path:
    """The file or folder that 'NAME:PATH' means, below the folder the settings call NAME.

    Raises
    ------
    NoSuchSource
        The name is not listed, or the path leads out of its folder.
    """
    name, _, below = address.partition(":")
    refusal = NoSuchSource(source=address[:200], form="NAME:FOLDER (ONEMAP_PULL_FOLDERS)")
    if name not in settings.ONEMAP_PULL_FOLDERS or "\0" in below:
        raise refusal
    root = Path(settings.ONEMAP_PULL_FOLDERS[name]).resolve()
    found = (root / below.lstrip("/")).resolve()
    if not found.is_relative_to(root):
        raise refusal
    return found


def _from_folder(address: str, known: str) -> Pulled:
    path = folder_of(address)
    files = [path] if path.is_file() else sorted(_files(path))
    if not files:
        raise SourceEmpty(source=address)
    if time.time() - max(one.stat().st_mtime for one in files) < SETTLE_S:
        raise StillWritten(source=address)
    digest = hashlib.sha256()
    for one in files:
        name = one.name if one == path else one.relative_to(path).as_posix()
        with one.open("rb") as opened:
            content = hashlib.file_digest(opened, "sha256").hexdigest()
        digest.update(f"{content} {name}\n".encode())
    sha256 = digest.hexdigest()
    return Pulled(None if sha256 == known else path, sha256)


def _files(folder: Path) -> list[Path]:
    found = []
    for base, _, names in os.walk(folder, followlinks=False):
        found += [path for name in names if (path := Path(base, name)).is_file() and not path.is_symlink()]
    return found


def table_of(address: str) -> tuple[str, databases.TableName]:
    """The connection text and the table that 'NAME:SCHEMA.TABLE' means.

    Raises
    ------
    NoSuchSource
    """
    name, _, table = address.partition(":")
    schema, _, rest = table.partition(".")
    if name not in settings.ONEMAP_PULL_DATABASES or not schema or not rest or "\0" in table:
        raise NoSuchSource(source=address[:200], form="NAME:SCHEMA.TABLE (ONEMAP_PULL_DATABASES)")
    return settings.ONEMAP_PULL_DATABASES[name], databases.TableName(schema, rest)


def _from_database(address: str, into: Path, known: str) -> Pulled:
    dsn, table = table_of(address)
    path, sha256 = databases.read_table(dsn, table, into, seconds=settings.ONEMAP_PULL_SECONDS)
    return Pulled(None if sha256 == known else path, sha256)
