"""Skip work whose inputs have not changed: a stamp holds the digest of what was used last time."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from deploy.places import write_text


def digest(paths: Iterable[Path], *facts: str) -> str:
    """Digest the names and contents of files, and any further facts (a version, a choice).

    A missing file counts as missing; the order of `paths` does not matter.
    """
    total = hashlib.sha256()
    for fact in facts:
        total.update(fact.encode() + b"\0")
    for path in sorted(set(paths)):
        total.update(os.fsencode(path) + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b"missing")
    return total.hexdigest()


def files_below(folder: Path, skip: frozenset[str]) -> list[Path]:
    """Every file below `folder`, leaving out folders (at any depth) with one of the names in `skip`."""
    found: list[Path] = []
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in skip)
        found.extend(Path(parent, name) for name in files)
    return found


def is_fresh(stamp: Path, value: str) -> bool:
    """Whether the stamp says that the work was done for exactly these inputs."""
    try:
        return stamp.read_text(encoding="utf-8").strip() == value
    except (FileNotFoundError, NotADirectoryError):
        return False


def mark(stamp: Path, value: str) -> None:
    """Write the stamp; called only after the work has succeeded."""
    write_text(stamp, value + "\n", mode=0o644)
