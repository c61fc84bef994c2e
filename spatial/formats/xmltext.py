"""XML of delivered files, read as a stream: no document type, no entities, nothing outside the file.

The parser is expat, which opens nothing by itself. Depth, number of attributes and length of one text are
limited here, because expat limits none of them.
"""

import re
from pathlib import Path
from typing import Protocol
from xml.parsers import expat

from spatial.formats.refusals import NotAllowedFormat, UnreadableSource

DEEPEST = 64
LONGEST_TEXT = 20_000_000
_LARGEST = 1_000_000_000
_MOST_ATTRIBUTES = 200
_CHUNK = 1_048_576
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")


class Elements(Protocol):
    """What wants to hear of the elements of a document, in their order."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins; its name is as written, prefix included."""

    def text(self, data: str) -> None:
        """A piece of character data; one text may come in several pieces."""

    def end(self, name: str) -> None:
        """An element ends."""


def local(name: str) -> str:
    """The name of an element or attribute without its prefix."""
    return name.rpartition(":")[2]


def declared_encoding(path: Path) -> str | None:
    """The encoding that the XML declaration names."""
    with path.open("rb") as file:
        found = _DECLARED.match(file.read(400).removeprefix(b"\xef\xbb\xbf"))
    return found[1].decode("ascii") if found else None


def walk(path: Path, name: str, elements: Elements) -> None:
    """Tell `elements` all of a document in UTF-8.

    Raises
    ------
    NotAllowedFormat
        It has a document type declaration.
    UnreadableSource
        Not well-formed, or beyond a limit (depth 64, 1 GB, 200 attributes, a text of 20 MB).
    """
    if path.stat().st_size > _LARGEST:
        raise UnreadableSource(name, "an XML file of more than 1 GB", "XML 文件超过 1 GB")
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    watch = _Watch(name, elements)
    parser.StartDoctypeDeclHandler = watch.doctype
    parser.StartElementHandler = watch.start
    parser.EndElementHandler = watch.end
    parser.CharacterDataHandler = watch.text
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                parser.Parse(chunk, False)
            parser.Parse(b"", True)
    except expat.ExpatError as fault:
        line = int(fault.lineno)
        raise UnreadableSource(
            name, f"the XML is not well-formed (line {line})", f"XML 格式有误（第 {line} 行）"
        ) from None


class _Watch:
    """Stands between the parser and the reader, and keeps the limits."""

    def __init__(self, name: str, elements: Elements) -> None:
        self.name, self.elements = name, elements
        self.depth = self.length = 0

    def doctype(self, *_: object) -> None:
        raise NotAllowedFormat(self.name, "it declares a document type (DTD)", "声明了文档类型（DTD）")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.length = 0
        if self.depth > DEEPEST or len(attributes) > _MOST_ATTRIBUTES:
            raise UnreadableSource(self.name, "its elements are nested too deeply", "元素嵌套过深或属性过多")
        self.elements.start(name, attributes)

    def text(self, data: str) -> None:
        self.length += len(data)
        if self.length > LONGEST_TEXT:
            raise UnreadableSource(self.name, "a text is longer than 20 MB", "有一段文字超过 20 MB")
        self.elements.text(data)

    def end(self, name: str) -> None:
        self.depth -= 1
        self.length = 0
        self.elements.end(name)
