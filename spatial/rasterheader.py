"""What the header of a delivered raster says, and whether it may be read at all.

Nothing here opens a file: the header is read elsewhere, in a process of its own, and judged here before a single
cell is decoded. A transform is x = a·column + b·row + c, y = d·column + e·row + f, of the cells' corners.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from spatial.errors import Kind, OnemapError
from spatial.numbers import BBox

MOST_CELLS = 4_000_000_000  # columns times rows
MOST_SIDE = 200_000
MOST_BANDS = 16
MOST_BYTES = 40 * 2**30  # of all cells, as they lie in memory
MOST_BLOCK = 256 * 2**20  # bytes of one strip or tile: it is decoded as a whole
# A file may not promise more than this many times its own size, once that is more than a moment's work.
MOST_SWELLING = 2_000
HARMLESS_BYTES = 2**30
SMALLEST_CELL_M, LARGEST_CELL_M = 0.005, 5_000.0
MOST_OBLONG = 10.0  # longer side of a cell over the shorter one
DTYPES = {
    "uint8": 1,
    "int8": 1,
    "uint16": 2,
    "int16": 2,
    "uint32": 4,
    "int32": 4,
    "float32": 4,
    "float64": 8,
}
FLOAT_NODATA = -3.4028234663852886e38  # the lowest float32: no height, no temperature, no index
METRES_PER_DEGREE = 111_320.0
_TIFF = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")


class NotATiff(OnemapError):
    """The content is another format, whatever the name says."""

    kind: ClassVar = Kind.UNSUPPORTED
    code: ClassVar = "not-a-geotiff"
    message: ClassVar = "{name} is no TIFF: convert it with `gdal_translate -of GTiff`"
    message_zh: ClassVar = "{name} 不是 TIFF 文件，请先用 gdal_translate -of GTiff 转换"


class RasterTooLarge(OnemapError):
    """The header promises more cells than the platform takes."""

    kind: ClassVar = Kind.TOO_LARGE
    code: ClassVar = "raster-too-large"
    message: ClassVar = "{columns} × {rows} cells in {bands} bands: {why}"
    message_zh: ClassVar = "栅格为 {columns} × {rows} 像元、{bands} 个波段：{why_zh}"


class RasterUnfit(OnemapError):
    """The raster cannot become a layer as it is."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "raster-unfit"
    message: ClassVar = "the raster cannot be taken ({fault}): {why}"
    message_zh: ClassVar = "栅格无法入库：{why_zh}"


@dataclass(frozen=True, slots=True)
class RasterHeader:
    """The header of a raster.

    Attributes
    ----------
    columns, rows, bands
        As declared; `bands` counts an alpha band, which must be the last one.
    dtypes
        Of each band.
    transform
        a, b, c, d, e, f; None without georeference.
    srid
        EPSG code of an accepted coordinate system, None if none is declared.
    crs_note
        What was declared instead.
    nodata
        The value of cells without value, possibly NaN.
    palette, masked, alpha
        Whether colours are looked up, an inner mask hides cells, the last band is a mask.
    block
        Rows and columns of a strip or tile.
    units, names
        Of each band, as the file says; empty texts where it says nothing.
    """

    columns: int
    rows: int
    bands: int
    dtypes: tuple[str, ...]
    transform: tuple[float, float, float, float, float, float] | None
    srid: int | None = None
    crs_note: str = ""
    nodata: float | None = None
    palette: bool = False
    masked: bool = False
    alpha: bool = False
    block: tuple[int, int] = (1, 1)
    units: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As one process tells it to another."""
        return asdict(self)

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "RasterHeader":
        """From another process."""
        told: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
        }
        return cls(**told)

    @property
    def data_bands(self) -> int:
        """Bands with values: without the alpha band."""
        return self.bands - int(self.alpha)

    @property
    def dtype(self) -> str:
        """The type of the values."""
        return self.dtypes[0]

    @property
    def floating(self) -> bool:
        """Whether values are fractions."""
        return self.dtype.startswith("float")

    @property
    def expanded_bytes(self) -> int:
        """Bytes of all cells as they lie in memory."""
        return self.columns * self.rows * sum(DTYPES.get(one, 16) for one in self.dtypes)

    @property
    def bounds(self) -> BBox:
        """Box of the cells in the file's own numbers.

        Raises
        ------
        RasterUnfit
            There is no georeference.
        """
        if self.transform is None:
            raise _unfit("no-georeference", "it does not say where it lies", "文件没有地理参考")
        a, _, x, _, e, y = self.transform
        xs, ys = sorted((x, x + a * self.columns)), sorted((y, y + e * self.rows))
        return BBox(xs[0], ys[0], xs[1], ys[1])


def is_tiff(head: bytes) -> bool:
    """Whether a file that begins with these bytes is a TIFF, classic or big."""
    return head[:4] in _TIFF


def judge_header(header: RasterHeader, file_bytes: int) -> None:
    """Refuse what must not be decoded.

    Parameters
    ----------
    header : RasterHeader
        As declared by the file.
    file_bytes : int
        Size of the file itself.

    Raises
    ------
    RasterTooLarge
        More cells, bands or bytes than are taken, or a promise far beyond what the file can hold.
    RasterUnfit
        No values that can be stored, no place, or cells that do not lie straight.
    """
    _judge_size(header, file_bytes)
    _judge_values(header)
    _judge_place(header)


def judge_cell(header: RasterHeader, *, geographic: bool) -> None:
    """Refuse cells that are too small, too large or too oblong to be what they are said to be.

    Parameters
    ----------
    geographic : bool
        Whether the file's numbers are degrees, not metres.

    Raises
    ------
    RasterUnfit
    """
    if header.transform is None:
        raise _unfit("no-georeference", "it does not say where it lies", "文件没有地理参考")
    metres = METRES_PER_DEGREE if geographic else 1.0
    wide, high = abs(header.transform[0]) * metres, abs(header.transform[4]) * metres
    if min(wide, high) < SMALLEST_CELL_M or max(wide, high) > LARGEST_CELL_M:
        why = f"a cell of {wide:.6g} × {high:.6g} m cannot be right"
        raise _unfit("cell", why, f"像元大小 {wide:.6g} × {high:.6g} 米不合理")
    if max(wide, high) > MOST_OBLONG * min(wide, high):
        raise _unfit(
            "cell",
            f"cells are oblong: {wide:.6g} × {high:.6g} m",
            f"像元过于狭长：{wide:.6g} × {high:.6g} 米",
        )


def resampling_of(header: RasterHeader) -> str:
    """How cells are moved to another grid: 'bilinear' (measures), 'cubic' (pictures) or 'nearest' (codes)."""
    if header.palette:
        return "nearest"
    if header.floating:
        return "bilinear"
    return "cubic" if header.data_bands >= 3 and header.dtype in {"uint8", "uint16"} else "nearest"


def stored_nodata(header: RasterHeader) -> float | None:
    """The value that stands for no value in the stored file, None where the file leaves that open.

    A value that the type of the cells cannot hold marks no cell; NaN gives way to a number that survives JSON
    and SQL.
    """
    if header.floating:
        fits = (
            header.nodata is not None
            and math.isfinite(header.nodata)
            and (header.dtype == "float64" or abs(header.nodata) <= -FLOAT_NODATA)
        )
        return header.nodata if fits else FLOAT_NODATA
    if header.nodata is None or header.nodata != int_or_none(header.nodata):
        return None
    low, high = integer_range(header.dtype)
    return header.nodata if low <= header.nodata <= high else None


def int_or_none(value: float) -> int | None:
    """The whole number that `value` is, None if it is none."""
    return int(value) if math.isfinite(value) and value == math.floor(value) else None


def integer_range(dtype: str) -> tuple[int, int]:
    """Least and greatest value of an integer type."""
    bits = 8 * DTYPES[dtype]
    return (0, 2**bits - 1) if dtype.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _judge_size(header: RasterHeader, file_bytes: int) -> None:
    if min(header.columns, header.rows, header.bands) < 1 or len(header.dtypes) != header.bands:
        raise _unfit("empty", "it has no cells", "没有像元")
    if header.bands > MOST_BANDS:
        raise _large(header, f"more than {MOST_BANDS} bands", f"波段数超过 {MOST_BANDS}")
    if max(header.columns, header.rows) > MOST_SIDE or header.columns * header.rows > MOST_CELLS:
        raise _large(header, f"more than {MOST_CELLS:,} cells", f"像元总数超过 {MOST_CELLS:,}")
    expanded = header.expanded_bytes
    if expanded > MOST_BYTES:
        raise _large(header, f"more than {MOST_BYTES >> 30} GiB", f"展开后超过 {MOST_BYTES >> 30} GiB")
    if expanded > HARMLESS_BYTES and expanded > MOST_SWELLING * file_bytes:
        why = f"a file of {file_bytes:,} bytes that would swell to {expanded:,}"
        raise _large(header, why, f"文件仅 {file_bytes:,} 字节，展开后达 {expanded:,} 字节")
    if header.block[0] * header.block[1] * DTYPES.get(header.dtype, 16) > MOST_BLOCK:
        why = f"a strip or tile is larger than {MOST_BLOCK >> 20} MiB; rewrite it with -co TILED=YES"
        raise _large(header, why, f"单个条带或瓦片超过 {MOST_BLOCK >> 20} MiB，请用 -co TILED=YES 重写")


def _judge_values(header: RasterHeader) -> None:
    kinds = sorted(set(header.dtypes[: header.data_bands]))
    if header.data_bands < 1:
        raise _unfit("empty", "it has no band with values", "没有数据波段")
    if len(kinds) > 1 or kinds[0] not in DTYPES:
        told = ", ".join(kinds)
        raise _unfit("dtype", f"values of type {told} are not taken", f"不支持像元类型 {told}")


def _judge_place(header: RasterHeader) -> None:
    if header.transform is None:
        raise _unfit("no-georeference", "it does not say where it lies", "文件没有地理参考")
    a, b, x, d, e, y = header.transform
    if not all(math.isfinite(part) and abs(part) < 1e9 for part in (a, b, x, d, e, y)):
        raise _unfit("no-georeference", "its place is no number", "地理参考不是有效数值")
    straight = a > 0 and e < 0
    # A hundredth of a cell from one side to the other is what rounding leaves.
    turned = abs(b) * header.rows > 0.01 * abs(a) or abs(d) * header.columns > 0.01 * abs(e)
    if not straight or turned:
        why = "its cells are rotated, sheared or upside down; straighten it with gdalwarp"
        raise _unfit("rotated", why, "像元有旋转、错切或南北颠倒，请先用 gdalwarp 纠正")


def _unfit(fault: str, why: str, why_zh: str) -> RasterUnfit:
    return RasterUnfit(fault=fault, why=why, why_zh=why_zh)


def _large(header: RasterHeader, why: str, why_zh: str) -> RasterTooLarge:
    return RasterTooLarge(
        columns=header.columns,
        rows=header.rows,
        bands=header.bands,
        bytes=header.expanded_bytes,
        why=why,
        why_zh=why_zh,
    )
