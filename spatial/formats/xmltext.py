"""XML of delivered files, read as a stream by the one strict reader (spatial.strictxml), within a file's limits."""

from collections.abc import Iterator
from pathlib import Path

from spatial import strictxml
from spatial.formats.refusals import NotAllowedFormat, UnreadableSource
from spatial.strictxml import BadXml, Elements, HasDoctype, NotWellFormed

_LARGEST = 1_000_000_000
_CHUNK = 1_048_576


def local(name: str) -> str:
    """The name of an element or attribute without its prefix."""
    return name.rpartition(":")[2]


def declared_encoding(path: Path) -> str | None:
    """The encoding that the XML declaration names."""
    with path.open("rb") as file:
        return strictxml.declared(file.read(400))


def walk(path: Path, name: str, elements: Elements) -> None:
    """Tell `elements` all of a document in UTF-8.

    Raises
    ------
    NotAllowedFormat
        It has a document type declaration.
    UnreadableSource
        Not well-formed, or beyond a limit (1 GB, and those of strictxml.FILE).
    """
    if path.stat().st_size > _LARGEST:
        raise UnreadableSource(name, "an XML file of more than 1 GB", "XML 文件超过 1 GB")
    try:
        strictxml.feed(_pieces(path), elements, strictxml.FILE)
    except HasDoctype:
        raise NotAllowedFormat(name, "it declares a document type (DTD)", "声明了文档类型（DTD）") from None
    except NotWellFormed as fault:
        line = fault.facts["line"]
        raise UnreadableSource(
            name, f"the XML is not well-formed (line {line})", f"XML 格式有误（第 {line} 行）"
        ) from None
    except BadXml:
        raise UnreadableSource(
            name,
            "its elements are nested too deeply, or a text is too long",
            "元素嵌套过深、属性过多或文字过长",
        ) from None


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
