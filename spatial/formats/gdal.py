"""GDAL, through pyogrio, with every driver put away but those a delivered file may need.

The process's GDAL is stripped when this module is imported: virtual formats, network formats and databases
are no longer there to be reached by a file that lies about what it is. Formats are told by content before
GDAL sees a file, and it is always handed over under a name of our own making.
"""

import ctypes
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyogrio
import pyogrio.raw
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from spatial.crs import INPUT_SRIDS, identify_wkt
from spatial.formats.columns import field_types, tidy
from spatial.formats.curves import UnknownShape, linearise
from spatial.formats.refusals import UnreadableSource
from spatial.formats.source import Batch, Geometries, Notes, SourceField, note
from spatial.numbers import BBox
from spatial.validity import GEOMETRIC, LINEARISE_TOLERANCE_M, Family, family_of, of_family

DRIVERS = frozenset(
    {
        "MEM",
        "ESRI Shapefile",
        "GPKG",
        "GeoJSON",
        "FlatGeobuf",
        "CSV",
        "GTiff",  # the platform's own rasters, read by layers.rasters
        "OpenFileGDB",
        "GML",
        "MapInfo File",
    }
)
_SETTINGS = {
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    "GML_FIELDTYPES": "ALWAYS_STRING",  # a code keeps its leading zeros
    "GML_SKIP_RESOLVE_ELEMS": "ALL",  # no xlink:href is looked up
}
_COUNTED = frozenset({"MapInfo File", "GML"})  # these end without a word where a feature is broken
_METRES_PER_DEGREE = 111_320.0
_GDAL_FAULTS = (DataSourceError, DataLayerError, pa.ArrowInvalid, RuntimeError, OSError, UnicodeError)


def library() -> Path:
    """The one GDAL library of the process: the file pyogrio brings."""
    folder = Path(pyogrio.__file__).parent.parent / "pyogrio.libs"
    return next(iter(sorted(folder.glob("libgdal*"))))


def put_drivers_away() -> list[str]:
    """Take every driver out of GDAL that is not on the list; answers those that are left."""
    gdal = ctypes.CDLL(str(library()))
    gdal.GDALGetDriver.restype = ctypes.c_void_p
    gdal.GDALGetDriver.argtypes = [ctypes.c_int]
    gdal.GDALGetDriverShortName.restype = ctypes.c_char_p
    gdal.GDALGetDriverShortName.argtypes = [ctypes.c_void_p]
    unwanted = ",".join(name for name in _driver_names(gdal) if name not in DRIVERS)
    if unwanted:
        pyogrio.set_gdal_config_options({"GDAL_SKIP": unwanted, **_SETTINGS})
        gdal.GDALAllRegister()  # reads GDAL_SKIP, also whenever anyone else registers drivers later
    return _driver_names(gdal)


def _driver_names(gdal: ctypes.CDLL) -> list[str]:
    places = range(gdal.GDALGetDriverCount())
    return [gdal.GDALGetDriverShortName(gdal.GDALGetDriver(place)).decode() for place in places]


put_drivers_away()


class GdalLayer:
    """One layer of a file that GDAL reads, told by a path of our own making."""

    def __init__(self, path: Path, name: str, layer: str | None = None, **options: str) -> None:
        self.path, self.name, self.layer, self.options = path, name, layer, options
        self.tolerance = LINEARISE_TOLERANCE_M
        try:
            self.info: dict[str, Any] = pyogrio.read_info(
                path, layer=layer, force_feature_count=True, force_total_bounds=True, **options
            )
            with self._open(1) as (_, reader):
                self.fields: tuple[SourceField, ...] = field_types(reader.schema, self.geometry_column)
        except _GDAL_FAULTS:
            raise self._unreadable() from None

    @property
    def geometry_column(self) -> str:
        """Name of the geometry column in GDAL's tables."""
        return str(self.info["geometry_name"] or "wkb_geometry")

    @property
    def count(self) -> int:
        """Features in the layer."""
        return max(int(self.info["features"]), 0)

    @property
    def bounds(self) -> BBox | None:
        """Box of the coordinates; None for an empty layer."""
        found = self.info["total_bounds"]
        if found is None or not all(np.isfinite(found)) or found[0] > found[2]:
            return None
        return BBox(*(float(value) for value in found))

    def measure_in_degrees(self) -> None:
        """Say that coordinates are degrees, so that the tolerance of arcs is one of degrees too."""
        self.tolerance = LINEARISE_TOLERANCE_M / _METRES_PER_DEGREE

    @property
    def system(self) -> tuple[int | None, str | None]:
        """EPSG code of the declared system if it is accepted, else what to say of it.

        Raises
        ------
        ObfuscatedDatum
            The declaration names GCJ-02 or BD-09.
        """
        declared = str(self.info["crs"] or "")
        if not declared:
            return None, "文件没有声明坐标系 / the file declares no system"
        code = declared.removeprefix("EPSG:")
        if code.isascii() and code.isdigit() and int(code) in INPUT_SRIDS:
            return int(code), None
        srid = identify_wkt(declared)
        if srid is not None:
            return srid, None
        told = declared[:80].split('"')[1] if declared[:80].count('"') > 1 else declared[:40]
        return None, f"声明的坐标系不可接受 / the declared system is not accepted: {told!r}"

    def family(self, notes: Notes) -> Family | None:
        """What the layer declares to hold, or what most of its features are where it declares nothing."""
        declared = family_of(str(self.info["geometry_type"] or ""))
        if declared is not None or self.info["geometry_type"] is None:
            return declared
        counts = dict.fromkeys(GEOMETRIC, 0)
        for batch in self.batches(20_000, []):
            for family in GEOMETRIC:
                counts[family] += int(np.count_nonzero(of_family(batch.geometries, family)))
        present = [family for family in GEOMETRIC if counts[family]]
        if len(present) > 1:
            told = ", ".join(f"{family.value} {counts[family]}" for family in present)
            note(
                notes,
                "mixed-types",
                f"几何类型混杂：{told}",
                f"mixed geometry types: {told}",
                sum(counts.values()),
            )
        return max(present, key=lambda family: counts[family]) if present else None

    def batches(self, size: int, notes: Notes) -> Iterator[Batch]:
        """All features in the order of the file.

        Raises
        ------
        UnreadableSource
            Broken, or, where the count was made from the file itself, ended before all were read.
        """
        start = 0
        try:
            with self._open(size) as (_, reader):
                for record in reader:
                    table = pa.Table.from_batches([record])
                    geometries = self._geometries(table, notes)
                    yield Batch(start, geometries, tidy(table, self.fields, notes))
                    start += len(geometries)
        except _GDAL_FAULTS:
            raise self._unreadable() from None
        if self.info["driver"] in _COUNTED and start < self.count:
            raise UnreadableSource(
                self.name,
                f"it breaks off after {start} of {self.count} features",
                f"{self.count} 个要素只读到 {start} 个",
            )

    def _open(self, size: int) -> Any:
        return pyogrio.raw.open_arrow(
            self.path, layer=self.layer, batch_size=size, use_pyarrow=True, **self.options
        )

    def _geometries(self, table: pa.Table, notes: Notes) -> Geometries:
        if self.geometry_column not in table.column_names:
            return np.full(table.num_rows, None, dtype=object)
        wkb = table.column(self.geometry_column).to_numpy()
        return from_wkb(wkb, self.tolerance, notes)

    def _unreadable(self) -> UnreadableSource:
        return UnreadableSource(self.name, "its content is broken or incomplete", "内容损坏或不完整")


def from_wkb(wkb: Geometries, tolerance: float, notes: Notes) -> Geometries:
    """Geometries from their bytes; arcs become chords, rings that are left open are closed, both with a note.

    What has a type that no layer can hold (a solid, a triangulated surface) becomes an empty collection, so
    that it is counted as of a wrong type and not as missing.
    """
    try:
        found: Geometries = shapely.from_wkb(wkb, on_invalid="ignore")
    except NotImplementedError:
        found = np.full(len(wkb), None, dtype=object)
    unread = np.flatnonzero(
        shapely.is_missing(found) & np.array([item is not None for item in wkb], dtype=bool)
    )
    for place in unread:
        found[place] = _one(bytes(wkb[place]), tolerance, notes)
    return found


def _one(wkb: bytes, tolerance: float, notes: Notes) -> Any:
    try:
        read = shapely.from_wkb(wkb, on_invalid="ignore")
        if read is None:
            read = shapely.from_wkb(wkb, on_invalid="fix")
            if read is not None:
                note(notes, "rings-closed", "未闭合的环已闭合", "open rings were closed")
    except (NotImplementedError, shapely.errors.GEOSException):
        read = None
    if read is not None:
        return read
    try:
        curved = linearise(wkb, tolerance)
    except UnknownShape:
        return shapely.GeometryCollection()
    zh, en = (
        f"曲线已按 {LINEARISE_TOLERANCE_M} 米容差转为折线",
        f"arcs became chords within {LINEARISE_TOLERANCE_M} m",
    )
    note(notes, "curves-linearised", zh, en)
    return curved
