"""Which encoding a text is in, told by strict decoding and by what the result looks like.

Order: the explicit choice, what the file says (.cpg), strict UTF-8, strict GB18030. A reading that merely
does not fail proves nothing: Latin-1 never fails, and GB18030 swallows much that was never Chinese. So a
GB18030 reading is sure only if the file says so or at least 95 % of its letters are common Han characters;
everything else is left to a person, with samples.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from spatial.formats.refusals import WrongEncoding

COMMON_HAN_SHARE = 0.95
CANDIDATES = ("utf-8", "gb18030", "big5hkscs", "cp1252")
_GBK_LDID = frozenset({0x4D, 0x7A})  # dBASE language drivers for code page 936
_MOJIBAKE = re.compile("\ufffd|[ÃÂ][\u0080-\u00bf]|锟斤拷|[äåæçèé][\u0080-\u00bf\u2018-\u203a]")
_ALIASES = {
    "utf8": "utf-8",
    "65001": "utf-8",
    "cp65001": "utf-8",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "936": "gb18030",
    "cp936": "gb18030",
    "ansi936": "gb18030",
    "chinese": "gb18030",
    "54936": "gb18030",
    "big5": "big5hkscs",
    "big5hkscs": "big5hkscs",
    "950": "big5hkscs",
    "cp950": "big5hkscs",
    "ansi950": "big5hkscs",
    "latin1": "cp1252",
    "iso88591": "cp1252",
    "88591": "cp1252",
    "ansi1252": "cp1252",
    "windows1252": "cp1252",
    "1252": "cp1252",
    "cp1252": "cp1252",
    "utf16": "utf-16",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """How to decode, and whether that is certain.

    Attributes
    ----------
    encoding : str or None
        A codec of Python; None if none of the candidates fits.
    sure : bool
        Whether it may be used without asking.
    doubt_zh, doubt_en : str
        Why it is not sure; empty if it is.
    """

    encoding: str | None
    sure: bool
    doubt_zh: str = ""
    doubt_en: str = ""


def codec_named(name: str) -> str | None:
    """Python's codec for a name as people and .cpg files write it; None if it is not taken."""
    return _ALIASES.get(re.sub(r"[^a-z0-9]", "", name.lower()))


def decide(
    texts: Sequence[bytes], *, explicit: str | None = None, declared: str | None = None, ldid: int = 0
) -> Verdict:
    """The encoding of `texts`.

    Parameters
    ----------
    texts : sequence of bytes
        All texts that are not plain ASCII, each as stored.
    explicit : str, optional
        A person's choice; it is obeyed or refused.
    declared : str, optional
        What a .cpg file says.
    ldid : int
        Language driver byte of a dBASE file; 0x57 (ANSI) says nothing about the text and is not trusted.

    Raises
    ------
    WrongEncoding
        The explicit choice is unknown or does not decode the texts.
    """
    if explicit is not None:
        chosen = codec_named(explicit)
        if chosen is None or decoded(texts, chosen) is None:
            raise WrongEncoding(encoding=explicit[:40])
        return Verdict(chosen, True)
    if not texts:
        return Verdict("utf-8", True)
    if declared is not None and codec_named(declared) is not None:
        return _check_declared(texts, str(codec_named(declared)))
    return _detect(texts, ldid)


def decoded(texts: Iterable[bytes], codec: str) -> list[str] | None:
    """All texts decoded strictly, None if one cannot be."""
    try:
        return [text.decode(codec) for text in texts]
    except UnicodeError:
        return None


def common_han_share(texts: Iterable[str]) -> float:
    """How many of the characters beyond ASCII and punctuation are Han characters of GB 2312, 0 to 1."""
    common = _common_han()
    letters = [mark for text in texts for mark in text if mark > "\x7f" and not _is_punctuation(mark)]
    return sum(mark in common for mark in letters) / len(letters) if letters else 1.0


def _check_declared(texts: Sequence[bytes], codec: str) -> Verdict:
    reading = decoded(texts, codec)
    if reading is None:
        other = _detect(texts, 0)
        zh = f"声明的编码 {codec} 无法解码文字"
        return Verdict(other.encoding, False, zh, f"the declared encoding {codec} does not decode the text")
    if _looks_broken(reading):
        return Verdict(
            codec, False, f"按声明的 {codec} 解码出现乱码", f"{codec}, as declared, gives garbled text"
        )
    if codec == "cp1252" and _detect(texts, 0).encoding in {"utf-8", "gb18030"}:
        return Verdict(
            _detect(texts, 0).encoding, False, "声明为西文编码，内容似中文", "declared Western, looks Chinese"
        )
    return Verdict(codec, True)


def _detect(texts: Sequence[bytes], ldid: int) -> Verdict:
    chinese = decoded(texts, "gb18030")
    share = common_han_share(chinese) if chinese is not None else 0.0
    reading = decoded(texts, "utf-8")
    if reading is not None:
        if _looks_broken(reading):
            return Verdict("utf-8", False, "文字中有乱码", "the text is garbled")
        if ldid in _GBK_LDID and share >= COMMON_HAN_SHARE:
            return Verdict("utf-8", False, "UTF-8 与 GBK 都读得通", "both UTF-8 and GBK make sense")
        return Verdict("utf-8", True)
    if chinese is None:
        zh, en = "既不是 UTF-8 也不是 GB18030", "neither UTF-8 nor GB18030"
        return Verdict("big5hkscs" if decoded(texts, "big5hkscs") is not None else None, False, zh, en)
    if (ldid in _GBK_LDID or share >= COMMON_HAN_SHARE) and not _looks_broken(chinese):
        return Verdict("gb18030", True)
    percent = int(share * 100)
    return Verdict(
        "gb18030", False, f"按 GB18030 解码仅 {percent}% 是常用汉字", f"only {percent}% common Han as GB18030"
    )


def _looks_broken(texts: Iterable[str]) -> bool:
    return any(_MOJIBAKE.search(text) for text in texts)


@cache
def _common_han() -> frozenset[str]:
    """The 6,763 Han characters of GB 2312-80, rows 16 to 87."""
    rows = range(0xB0, 0xF8)
    pairs = (bytes((row, cell)) for row in rows for cell in range(0xA1, 0xFF))
    return frozenset(mark for pair in pairs for mark in pair.decode("gb2312", "ignore"))


def _is_punctuation(mark: str) -> bool:
    return (
        "\u3000" <= mark <= "\u303f"
        or "\uff00" <= mark <= "\uffef"
        or "\u2010" <= mark <= "\u2026"
        or mark == "·"
    )
