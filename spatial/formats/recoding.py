"""A text file as UTF-8: linked where it is that already, else copied."""

import re
from pathlib import Path
from typing import Any

from spatial.formats.encodings import CANDIDATES, codec_named, decide
from spatial.formats.refusals import UnreadableSource, WrongEncoding

_CHUNK = 16_777_216
_LONGEST_SAMPLE = 2_000
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def as_utf8(
    path: Path, link: Path, name: str, encoding: str | None, declared: str | None = None
) -> tuple[str | None, bool]:
    """Put the file, or a copy of it in UTF-8, at `link`; answers its encoding and whether that is certain.

    Parameters
    ----------
    path, link : Path
        The file as delivered, and a path of our own making.
    name : str
        What it is called in a refusal.
    encoding : str, optional
        A person's choice.
    declared : str, optional
        What the file says of itself; believed only if the text agrees.

    Raises
    ------
    WrongEncoding
        The choice is unknown or does not decode the text.
    UnreadableSource
        No candidate decodes it.
    """
    chosen = codec_named(encoding) if encoding is not None else None
    if encoding is not None and chosen is None:
        raise WrongEncoding(encoding=encoding[:40])
    with path.open("rb") as file:
        marked = file.read(2) in _UTF16_MARKS
    if marked and chosen in {None, "utf-16"}:
        return _from_utf16(path, link, name)
    if chosen in {None, "utf-8"} and is_utf8(path):
        link.symlink_to(path.resolve())
        return "utf-8", True
    if chosen == "utf-8":
        raise WrongEncoding(encoding="utf-8")
    data = path.read_bytes()
    pieces = [piece for piece in re.split(rb"[\x00-\x7f]+", data) if piece] if chosen is None else [data]
    verdict = decide(pieces, explicit=chosen, declared=declared)
    if verdict.encoding is None:
        raise UnreadableSource(
            name, "the text is neither UTF-8 nor GB18030", "文字既不是 UTF-8 也不是 GB18030"
        )
    try:
        link.write_text(data.decode(verdict.encoding), encoding="utf-8", newline="")
    except UnicodeDecodeError:
        raise UnreadableSource(
            name, f"the text is not {verdict.encoding}", f"文字不是 {verdict.encoding}"
        ) from None
    return verdict.encoding, verdict.sure


def is_utf8(path: Path) -> bool:
    """Whether all of a file is UTF-8; read piece by piece."""
    rest = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            try:
                (rest + chunk).decode()
                rest = b""
            except UnicodeDecodeError as fault:
                rest = (rest + chunk)[fault.start :]
                if len(rest) > 3:
                    return False
    return not rest


def _from_utf16(path: Path, link: Path, name: str) -> tuple[str, bool]:
    try:
        with (
            path.open(encoding="utf-16", newline="") as source,
            link.open("w", encoding="utf-8", newline="") as target,
        ):
            while chunk := source.read(_CHUNK):
                target.write(chunk)
    except UnicodeError:
        raise UnreadableSource(name, "the text is not UTF-16", "文字不是 UTF-16") from None
    return "utf-16", True


def line_samples(path: Path, lines: int = 10) -> list[dict[str, Any]]:
    """The first lines with text beyond ASCII, under each candidate encoding."""
    odd: list[bytes] = []
    with path.open("rb") as file:
        while len(odd) < lines and (line := file.readline(_LONGEST_SAMPLE)):
            if not line.isascii():
                odd.append(line.strip())
    return [
        {"encoding": codec, "rows": [{"text": line.decode(codec, "replace")} for line in odd]}
        for codec in CANDIDATES
    ]
