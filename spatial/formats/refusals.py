"""Why a file is not read; each sentence says what to do."""

from typing import ClassVar

from spatial.errors import Kind, OnemapError


class UnreadableSource(OnemapError):
    """A file has a known format but is broken, incomplete or locked."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar[str] = "source-unreadable"
    message: ClassVar[str] = "{name} cannot be read: {reason}; export it again and deliver the whole file"
    message_zh: ClassVar[str] = "{name} 无法读取：{reason_zh}；请重新导出并提供完整文件"

    def __init__(self, name: str, reason: str, reason_zh: str) -> None:
        super().__init__(name=name, reason=reason, reason_zh=reason_zh)


class NotAllowedFormat(OnemapError):
    """A file is of a format that is not taken, or is not what its name says."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar[str] = "format-not-allowed"
    message: ClassVar[str] = (
        "{name}: {reason}; deliver GeoPackage, Shapefile (a folder or a zip), file geodatabase, GeoJSON, "
        "FlatGeobuf, GeoParquet, KML, GML, MapInfo, DXF, XLSX, CSV, DBF or a coordinate text"
    )
    message_zh: ClassVar[str] = (
        "{name}：{reason_zh}；请提供 GeoPackage、Shapefile（文件夹或 zip）、文件地理数据库（gdb）、GeoJSON、"
        "FlatGeobuf、GeoParquet、KML、GML、MapInfo、DXF、XLSX、CSV、DBF 或界址点坐标文本"
    )

    def __init__(self, name: str, reason: str, reason_zh: str) -> None:
        super().__init__(name=name, reason=reason, reason_zh=reason_zh)


class ArchiveTooBig(OnemapError):
    """An archive unpacks to more than is taken."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar[str] = "archive-too-big"
    message: ClassVar[str] = "the archive unpacks to more than {limit}; deliver it in parts or unpacked"
    message_zh: ClassVar[str] = "压缩包解开后超过上限（{limit}）；请分开提供或提供解开后的文件"


class SourceLayerMissing(OnemapError):
    """A file holds several layers and none, or an unknown one, was chosen."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar[str] = "source-layer-missing"
    message: ClassVar[str] = "choose one of the layers of the file with --source-layer: {layers}"
    message_zh: ClassVar[str] = "文件含有多个图层，请用 --source-layer 指定其一：{layers}"


class TooManyFields(OnemapError):
    """A layer has more columns than are taken."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar[str] = "too-many-fields"
    message: ClassVar[str] = "{count} columns, at most {limit} are taken; leave out what is not needed"
    message_zh: ClassVar[str] = "共 {count} 个字段，上限 {limit} 个；请去掉不需要的字段"


class WrongEncoding(OnemapError):
    """The encoding that was chosen does not fit the text of the file."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar[str] = "encoding-wrong"
    message: ClassVar[str] = (
        "the text is not {encoding}; choose another with --encoding: utf-8, gb18030, big5"
    )
    message_zh: ClassVar[str] = "文字不是 {encoding} 编码；请用 --encoding 另选：utf-8、gb18030、big5"
