"""Names of files that strangers chose, made safe for our disk."""

import re
import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath

LONGEST_PART = 120  # bytes of UTF-8, well below the 255 of every file system
LONGEST_SUFFIX = 16
DEEPEST = 8
# Letters and digits of any script, and what names of data commonly hold.
_UNSAFE = re.compile(r"[^\w.()（）【】 +=#@,&-]")
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


def safe_paths(names: Sequence[str]) -> list[PurePosixPath]:
    """Relative paths for names as senders have them: no two alike, none leading out, none hidden.

    The same folder and the same stem become the same again, so a shapefile keeps its companions.

    Parameters
    ----------
    names
        With `/` or a backslash between folders.

    Returns
    -------
    list of PurePosixPath
        As many, in the same order; unlike even where a disk takes capitals for small letters.
    """
    made: list[PurePosixPath] = []
    taken: set[str] = set()
    for number, name in enumerate(names, 1):
        parts = [part for part in re.split(r"[/\\]+", name) if part.strip(" .")]
        *folders, last = parts or [f"file-{number}"]
        path = PurePosixPath(*(_part(one) or "folder" for one in folders[-DEEPEST:]), _file(last, number))
        path = _unlike(path, taken)
        taken.add(_folded(path))
        made.append(path)
    return made


def _part(text: str) -> str:
    """One folder's name or one stem."""
    plain = _UNSAFE.sub("_", unicodedata.normalize("NFC", text)).strip(" .")
    cut = plain.encode("utf-8", "replace")[:LONGEST_PART].decode("utf-8", "ignore").strip(" .")
    return f"_{cut}" if cut.lower().split(".")[0] in _DEVICES else cut


def _file(text: str, number: int) -> str:
    stem, dot, suffix = text.strip(" .").rpartition(".")
    if not dot or len(suffix) > LONGEST_SUFFIX or not suffix.isascii() or not suffix.isalnum():
        return _part(text) or f"file-{number}"
    return f"{_part(stem) or f'file-{number}'}.{suffix}"


def _unlike(path: PurePosixPath, taken: set[str]) -> PurePosixPath:
    """The path, with a number where it is taken, or stands for a folder of another file."""
    found, number = path, 2
    while _folded(found) in taken:
        found = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return found


def _folded(path: PurePosixPath) -> str:
    return unicodedata.normalize("NFKC", str(path)).casefold()
