"""Why a layer is not written to a file; each sentence says what to do."""

from typing import ClassVar

from spatial.errors import Kind, OnemapError


class UnknownExport(OnemapError):
    """No writer for such a file."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "unknown-format"
    message: ClassVar = "layers are written as {offered}"
    message_zh: ClassVar = "可导出格式：{offered}"


class NoGeometryToWrite(OnemapError):
    """A table is asked for in a format of shapes."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "no-geometry-to-write"
    message: ClassVar = "{layer} is a table without geometry; it is written as {offered}"
    message_zh: ClassVar = "{layer} 是没有几何的表，可导出格式：{offered}"


class TooManyRows(OnemapError):
    """More rows than a sheet has."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "too-many-rows"
    message: ClassVar = "a sheet has {limit} rows and no more; choose an area, or write CSV"
    message_zh: ClassVar = "一个工作表最多 {limit} 行；请限定区域，或改用 CSV"


class TooLongForCell(OnemapError):
    """A text longer than the format holds."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "text-too-long"
    message: ClassVar = (
        "field '{field}' of feature {fid} is longer than {limit} {unit}; choose another format"
    )
    message_zh: ClassVar = "要素 {fid} 的字段“{field}”超过 {limit} {unit}；请改用其他格式"


class UnwritableText(OnemapError):
    """A character that the chosen encoding does not have."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "text-not-in-encoding"
    message: ClassVar = "field '{field}' of feature {fid} has characters that {encoding} lacks; write UTF-8"
    message_zh: ClassVar = "要素 {fid} 的字段“{field}”含有 {encoding} 没有的字符；请用 UTF-8 导出"


class UnknownEncoding(OnemapError):
    """An encoding that is not written."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "unknown-encoding"
    message: ClassVar = "text is written as {offered}"
    message_zh: ClassVar = "可用编码：{offered}"
