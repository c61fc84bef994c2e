"""The only code that reads cells of rasters: what a scope allows, at one revision, piece by piece.

Files are opened with the site's own GDAL, for each reading anew, so that threads share nothing. Coordinates are
those of the storage CRS. A cell may be seen where its centre lies within the scope's area; any other cell is like
one without value, and both are NaN here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyogrio
import shapely
from django.conf import settings
from django.contrib.gis.gdal import GDALException, GDALRaster
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from layers.models import RasterVersion
from layers.rights import Scope
from spatial.errors import Kind, OnemapError
from spatial.numbers import BBox

Numbers = NDArray[np.float64]

# The library keeps decoded tiles for the whole process; a twentieth of the memory is too much for that.
pyogrio.set_gdal_config_options({"GDAL_CACHEMAX": "64"})  # MB

MOST_READ = 1_024  # columns and rows read at once; more is read thinned out
_NEAR = 512  # samples of a line within so many cells are read together


class RasterUnavailable(OnemapError):
    """The file of a raster's version cannot be read: the operator has to look."""

    kind: ClassVar = Kind.UNAVAILABLE
    code: ClassVar = "raster-unavailable"
    message: ClassVar = "raster {layer} cannot be read at the moment"
    message_zh: ClassVar = "栅格 {layer} 暂时无法读取"


class NoSuchBand(OnemapError):
    """The raster has fewer bands."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "no-such-band"
    message: ClassVar = "raster {layer} has the bands 1 to {bands}"
    message_zh: ClassVar = "栅格 {layer} 的波段号为 1 至 {bands}"


@dataclass(frozen=True, slots=True)
class Here:
    """What one band says at a point.

    Attributes
    ----------
    cell
        The value of the cell the point lies in, None without value.
    smooth
        The value between the centres of the four cells around, None for codes and without value.
    """

    cell: float | None
    smooth: float | None


def path_of(version: RasterVersion) -> Path:
    """Where the file of a version lies."""
    return Path(settings.ONEMAP_VAR) / "rasters" / version.file


def version_at(scope: Scope, revision: int | None) -> RasterVersion | None:
    """The version that was current at a revision (now), None where there was none yet."""
    versions = RasterVersion.objects.filter(layer_id=scope.layer.id)
    if revision is None:
        return versions.filter(rev_to=None).first()
    return versions.filter(rev_from__lte=revision).order_by("-rev_from").first()


class RasterReader:
    """An open file, and how much of it may be seen."""

    def __init__(self, version: RasterVersion, scope: Scope, raster: GDALRaster) -> None:
        self.version, self.scope, self._raster = version, scope, raster
        self.west, _, _, self.north = version.extent
        self.cell = version.cell
        self.height = (version.extent[3] - version.extent[1]) / version.rows
        self.area = _area(scope)

    @property
    def smooth(self) -> bool:
        """Whether there is anything between two values: measures, not codes."""
        return str(self.version.dtype).startswith("float")

    def at(self, x: float, y: float) -> list[Here]:
        """What every band says at a point."""
        place = np.array([[x, y]])
        return [
            Here(_or_none(self._nearest(band, place)), _or_none(self._between(band, place)))
            for band in range(1, self.version.bands + 1)
        ]

    def along(self, band: int, points: Numbers) -> Numbers:
        """Values at points, shape (n, 2): between the cells for measures, of the cell itself for codes."""
        self._check(band)
        return self._between(band, points) if self.smooth else self._nearest(band, points)

    def over(self, band: int, points: Numbers) -> Numbers:
        """Values of the cells at points that lie side by side, shape (n, 2), thinned out where they are many."""
        self._check(band)
        columns, rows = self._places(points)
        known = (columns >= 0) & (columns < self.version.columns) & (rows >= 0) & (rows < self.version.rows)
        found = np.full(len(points), np.nan)
        if not known.any():
            return found
        columns, rows = columns[known].astype(np.int64), rows[known].astype(np.int64)
        left, top = int(columns.min()), int(rows.min())
        wide, tall = int(columns.max()) - left + 1, int(rows.max()) - top + 1
        thin = max(1, -(-max(wide, tall) // MOST_READ))
        shape = (-(-wide // thin), -(-tall // thin))
        cells = self._read(band, (left, top), (wide, tall), shape)
        picked = (rows - top) * shape[1] // tall, (columns - left) * shape[0] // wide
        found[known] = cells[picked]
        return self._seen(found, known, columns, rows, thin)

    def _seen(self, found: Numbers, known: NDArray[np.bool_], columns: Any, rows: Any, thin: int) -> Numbers:
        """Hide what lies outside the area; a thinned value speaks for all cells around it, so all must lie inside."""
        if self.area is not None:
            area = self.area if thin == 1 else self.area.buffer(-1.5 * thin * max(self.cell, self.height))
            hidden = ~shapely.intersects_xy(area, *self._centres(columns, rows))
            found[np.flatnonzero(known)[hidden]] = np.nan
        return found

    def _nearest(self, band: int, points: Numbers) -> Numbers:
        columns, rows = self._places(points)
        return self._cells(band, columns, rows)

    def _between(self, band: int, points: Numbers) -> Numbers:
        """Bilinear between centres; cells without value do not count, and where the own cell has none there is none."""
        if not self.smooth:
            return np.full(len(points), np.nan)
        across = (points[:, 0] - self.west) / self.cell - 0.5
        down = (self.north - points[:, 1]) / self.height - 0.5
        left, top = np.floor(across), np.floor(down)
        right, below = np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])
        own_columns, own_rows = self._places(points)
        # The own cell and its four neighbours side by side, so that each part of the file is read once.
        columns = np.column_stack([own_columns, left[:, None] + right])
        rows = np.column_stack([own_rows, top[:, None] + below])
        values = self._cells(band, columns.ravel(), rows.ravel()).reshape(-1, 5)
        weights = np.abs(1 - right - (across - left)[:, None]) * np.abs(1 - below - (down - top)[:, None])
        weights[~np.isfinite(values[:, 1:])] = 0.0
        total, weight = np.nansum(weights * values[:, 1:], axis=1), weights.sum(axis=1)
        known = np.isfinite(values[:, 0]) & (weight > 0)
        return np.where(known, total / np.where(known, weight, 1.0), np.nan)

    def _places(self, points: Numbers) -> tuple[Numbers, Numbers]:
        """Column and row of the cells that points lie in, as whole floats; -1 where there is no place at all."""
        with np.errstate(invalid="ignore"):
            columns = np.floor((points[:, 0] - self.west) / self.cell)
            rows = np.floor((self.north - points[:, 1]) / self.height)
        lost = ~(np.isfinite(columns) & np.isfinite(rows))
        columns[lost] = rows[lost] = -1
        return columns, rows

    def _centres(self, columns: Any, rows: Any) -> tuple[Any, Any]:
        return self.west + (columns + 0.5) * self.cell, self.north - (rows + 0.5) * self.height

    def _cells(self, band: int, columns: Numbers, rows: Numbers) -> Numbers:
        """Values of cells one by one; what lies near to each other is read together."""
        found = np.full(len(columns), np.nan)
        known = (columns >= 0) & (columns < self.version.columns) & (rows >= 0) & (rows < self.version.rows)
        if self.area is not None and known.any():
            known[known] = shapely.intersects_xy(self.area, *self._centres(columns[known], rows[known]))
        waiting = [np.flatnonzero(known)]
        while waiting:
            which = waiting.pop()
            if not len(which):
                continue
            left, top = int(columns[which].min()), int(rows[which].min())
            wide, tall = int(columns[which].max()) - left + 1, int(rows[which].max()) - top + 1
            if max(wide, tall) > _NEAR and len(which) > 1:
                waiting += [which[: len(which) // 2], which[len(which) // 2 :]]
                continue
            cells = self._read(band, (left, top), (wide, tall), (wide, tall))
            found[which] = cells[rows[which].astype(int) - top, columns[which].astype(int) - left]
        return found

    def _read(
        self, band: int, offset: tuple[int, int], size: tuple[int, int], shape: tuple[int, int]
    ) -> Numbers:
        """A window, shape (rows, columns), thinned to `shape` (from the overviews, where there are some)."""
        try:
            raw = self._raster.bands[band - 1].data(offset=offset, size=size, shape=shape, as_memoryview=True)
        except GDALException:
            raise RasterUnavailable(layer=self.scope.layer.name) from None
        kept = np.frombuffer(raw, dtype=self.version.dtype).reshape(shape[1], shape[0])
        cells = kept.astype(np.float64)
        if self.version.nodata is not None:
            cells[kept == kept.dtype.type(self.version.nodata)] = np.nan
        cells[~np.isfinite(cells)] = np.nan
        return cells

    def _check(self, band: int) -> None:
        if not 1 <= band <= self.version.bands:
            raise NoSuchBand(layer=self.scope.layer.name, bands=self.version.bands)


@contextmanager
def reading(scope: Scope, version: RasterVersion) -> Iterator[RasterReader]:
    """Open a version for one reading.

    Raises
    ------
    RasterUnavailable
        Its file is missing or broken.
    """
    try:
        raster = GDALRaster(str(path_of(version)))
    except GDALException:
        raise RasterUnavailable(layer=scope.layer.name) from None
    yield RasterReader(version, scope, raster)


def samples(line: Numbers, step: float, most: int) -> tuple[Numbers, Numbers]:
    """Points along a line every `step` metres, its vertices' last one among them.

    Returns
    -------
    tuple of arrays
        Distances from the line's start, metres on the plane, shape (n,), n <= `most`; and the points, (n, 2).
    """
    legs = np.hypot(*np.diff(line, axis=0).T)
    until = np.concatenate([[0.0], np.cumsum(legs)])
    length = float(until[-1])
    number = min(int(length / step + 1e-9) + 1, most) if step > 0 else 1
    distances = np.minimum(np.arange(number) * step, length)
    if number < most and distances[-1] < length - 1e-6:
        distances = np.append(distances, length)
    points = np.column_stack([np.interp(distances, until, line[:, axis]) for axis in (0, 1)])
    return distances, points


def centres(box: BBox, width: int, height: int) -> Numbers:
    """Centres of the cells of a box cut into `width` times `height`, row by row from the top; shape (n, 2)."""
    x = box.xmin + (np.arange(width) + 0.5) * (box.xmax - box.xmin) / width
    y = box.ymax - (np.arange(height) + 0.5) * (box.ymax - box.ymin) / height
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def _area(scope: Scope) -> BaseGeometry | None:
    if scope.areas is None:
        return None
    area = shapely.union_all([shapely.from_wkb(one) for one in scope.areas])
    shapely.prepare(area)
    return area


def _or_none(values: Numbers) -> float | None:
    return float(values[0]) if np.isfinite(values[0]) else None
