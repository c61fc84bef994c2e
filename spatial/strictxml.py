"""XML as senders write it: one strict reader for every door and every file.

The parser is expat, which opens nothing by itself. A document type is refused, and with it every entity that is not
XML's own; depth, number of elements and attributes and length of one text are limited here, because expat limits none
of them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Protocol
from xml.parsers import expat

from spatial.errors import Kind, OnemapError
from spatial.strictjson import BodyTooLarge

_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_UTF_16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_UTF_8_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Limits:
    """How much of a document is read: nesting, elements in all, attributes of one, characters of one text."""

    depth: int
    elements: int
    attributes: int
    text: int


# A question of a client is small; a city's file is large, and GML nests features deeper than any question.
REQUEST = Limits(depth=32, elements=5_000, attributes=100, text=1_000_000)
FILE = Limits(depth=64, elements=2**62, attributes=200, text=20_000_000)
LARGEST_REQUEST = 1_000_000


class BadXml(OnemapError):
    """A text that should be XML is none, or holds what is not taken."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar[str] = "bad-xml"
    message: ClassVar[str] = "the XML cannot be read: {reason}"
    message_zh: ClassVar[str] = "XML 无法读取：{reason}"


class HasDoctype(BadXml):
    """A document with a document type: what it would declare is never needed and often meant to harm."""

    code: ClassVar[str] = "xml-doctype"


class NotWellFormed(BadXml):
    """Not well-formed; facts.line says where."""


class Elements(Protocol):
    """What wants to hear of the elements of a document, in their order."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins; its name is as written, prefix included."""

    def text(self, data: str) -> None:
        """A piece of character data; one text may come in several pieces."""

    def end(self, name: str) -> None:
        """An element ends."""


def declared(beginning: bytes) -> str | None:
    """The encoding that the XML declaration names."""
    found = _DECLARED.match(beginning.removeprefix(_UTF_8_MARK))
    return found[1].decode("ascii") if found else None


def read(
    data: bytes, elements: Elements, *, limits: Limits = REQUEST, largest: int = LARGEST_REQUEST
) -> None:
    """Tell `elements` all of a document sent in a request.

    Parameters
    ----------
    data
        UTF-8, or UTF-16 with its mark; what the declaration names must agree.

    Raises
    ------
    BodyTooLarge
        More than `largest` bytes.
    BadXml
        Another encoding, a NUL, a document type, not well-formed, or beyond a limit.
    """
    if len(data) > largest:
        raise BodyTooLarge(size=len(data), limit=largest)
    feed([_as_utf8(data)], elements, limits)


def feed(chunks: Iterable[bytes], elements: Elements, limits: Limits) -> None:
    """Tell `elements` all of a document that comes in pieces of UTF-8, whatever its declaration says.

    Raises
    ------
    HasDoctype, NotWellFormed, BadXml
    """
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    watch = _Watch(elements, limits)
    parser.StartDoctypeDeclHandler = watch.doctype
    parser.StartElementHandler = watch.start
    parser.EndElementHandler = watch.end
    parser.CharacterDataHandler = watch.text
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError as fault:
        raise NotWellFormed(reason=f"not well-formed (line {fault.lineno})", line=fault.lineno) from None


def _as_utf8(data: bytes) -> bytes:
    wide = _UTF_16.get(data[:2])
    try:
        text = data[2:].decode(wide) if wide else data.removeprefix(_UTF_8_MARK).decode()
    except UnicodeDecodeError:
        raise BadXml(reason="neither UTF-8 nor UTF-16 with its mark") from None
    plain = text.encode()
    named = (declared(plain) or "").lower()
    if named not in ({"", "utf-16"} if wide else {"", "utf-8"}):
        raise BadXml(reason="the declared encoding is not that of the text, or is not taken")
    if "\0" in text:
        raise BadXml(reason="NUL in the text")
    return plain


class _Watch:
    """Stands between the parser and the reader, and keeps the limits."""

    def __init__(self, elements: Elements, limits: Limits) -> None:
        self.elements, self.limits = elements, limits
        self.depth = self.length = self.count = 0

    def doctype(self, *_: object) -> None:
        raise HasDoctype(reason="it declares a document type (DTD)")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.count += 1
        self.length = 0
        if self.depth > self.limits.depth:
            raise BadXml(reason=f"nested deeper than {self.limits.depth}")
        if self.count > self.limits.elements or len(attributes) > self.limits.attributes:
            raise BadXml(reason="too many elements or attributes")
        if max(map(len, attributes.values()), default=0) > self.limits.text:
            raise BadXml(reason="an attribute is too long")
        self.elements.start(name, attributes)

    def text(self, data: str) -> None:
        self.length += len(data)
        if self.length > self.limits.text:
            raise BadXml(reason="a text is too long")
        self.elements.text(data)

    def end(self, name: str) -> None:
        self.depth -= 1
        self.length = 0
        self.elements.end(name)
