"""Reading and rewriting GeoTIFF, as a program of its own: `python -m layers.exchange.geotiff`.

The only module that knows rasterio. It is never loaded where the site runs: what a file may do to the library that
decodes it ends with this process, whose memory, files and time are bounded. The task is one line of JSON on
stdin; the answers are lines of JSON on stdout, the last of them `header`, `done` or `fault`. When nobody reads
them any more the process ends.
"""

import ctypes
import json
import math
import os
import resource
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp, MaskFlags, Resampling
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader, DatasetWriter
from rasterio.shutil import copy
from rasterio.transform import from_origin
from rasterio.warp import reproject
from rasterio.windows import Window

from spatial.crs import INPUT_SRIDS, identify_wkt, transformation
from spatial.errors import OnemapError
from spatial.rastergrid import Grid, Move, Piece, fit_nodes, pieces
from spatial.rasterheader import RasterHeader, integer_range, resampling_of, stored_nodata

Cells = NDArray[Any]

PR_SET_PDEATHSIG = 1  # Linux: a signal when the process that asked ends
MEMORY = 2 * 2**30  # bytes of private memory
CACHE = 192 * 2**20  # bytes of GDAL's cache of blocks
STRIP_BYTES = 32 * 2**20  # what is held at once of a raster that keeps its grid
# No side-car is looked for or written, nothing is fetched; arithmetic keeps to one thread.
ENVIRONMENT = {
    "GDAL_CACHEMAX": CACHE,
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_NUM_THREADS": "1",
    "GTIFF_IGNORE_READ_ERRORS": "NO",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
}
COG = {
    "driver": "COG",
    "COMPRESS": "DEFLATE",  # the one good method that every reader of the platform has
    "PREDICTOR": "YES",
    "BLOCKSIZE": "512",
    "BIGTIFF": "IF_SAFER",
    "OVERVIEWS": "AUTO",
    "STATISTICS": "NO",
}


def tell(**facts: Any) -> None:
    """One line to the process that asked."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def read_header(path: Path) -> RasterHeader:
    """The header of a file, by the one driver that may open it."""
    with rasterio.open(path, driver="GTiff") as source:
        srid, note = _crs(source)
        placed = not source.transform.is_identity
        alpha = source.colorinterp[-1] == ColorInterp.alpha
        few = source.indexes[:64]  # what is refused for its thousands of bands need not be listed whole
        return RasterHeader(
            columns=source.width,
            rows=source.height,
            bands=source.count,
            dtypes=tuple(source.dtypes[: len(few)]) + ("",) * (source.count - len(few)),
            transform=tuple(source.transform)[:6] if placed else None,
            srid=srid,
            crs_note=note,
            nodata=source.nodata,
            palette=source.colorinterp[0] == ColorInterp.palette,
            masked=not alpha and MaskFlags.per_dataset in source.mask_flag_enums[0],
            alpha=alpha,
            block=source.block_shapes[0],
            units=tuple((source.units[one - 1] or "")[:32] for one in few),
            names=tuple((source.descriptions[one - 1] or "")[:80] for one in few),
        )


def _crs(source: DatasetReader) -> tuple[int | None, str]:
    if not source.crs:
        return None, ""
    code = source.crs.to_epsg()
    if code in INPUT_SRIDS:
        return int(code), ""
    text = source.crs.to_wkt()
    try:
        known = identify_wkt(text)
    except OnemapError as error:
        return None, error.text("en")
    name = source.crs.to_dict().get("init", "") or text[:60]
    return known, "" if known else f"EPSG:{code}" if code else str(name)


class Statistics:
    """What the values of one band are, gathered piece by piece."""

    def __init__(self, unit: str, name: str) -> None:
        self.unit, self.name = unit, name
        self.cells, self.total = 0, 0.0
        self.low, self.high = math.inf, -math.inf

    def add(self, values: Cells) -> None:
        """Take in cells that have a value."""
        if values.size:
            self.cells += values.size
            self.total += float(values.sum(dtype=np.float64))
            self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))

    def to_json(self) -> dict[str, Any]:
        """As a version of the raster keeps them."""
        some = self.cells > 0
        mean = self.total / max(self.cells, 1)  # of the largest numbers there is no sum
        return {
            "name": self.name,
            "unit": self.unit,
            "cells": self.cells,
            "minimum": self.low if some else None,
            "maximum": self.high if some else None,
            "mean": mean if some and math.isfinite(mean) else None,
        }


class Rewriting:
    """One raster on its way into the storage grid."""

    def __init__(
        self, source: DatasetReader, header: RasterHeader, grid: Grid, move: Move, resampling: str
    ) -> None:
        self.source, self.header, self.grid, self.move = source, header, grid, move
        self.resampling = resampling
        self.bands = list(range(1, header.data_bands + 1))
        self.nodata, self.spared = self._nodata()
        units = header.units or ("",) * header.bands
        names = header.names or ("",) * header.bands
        self.statistics = [Statistics(units[one - 1], names[one - 1]) for one in self.bands]

    def _nodata(self) -> tuple[float | None, bool]:
        """The value for cells without value; and whether true cells of that value must give way to the next one."""
        chosen = stored_nodata(self.header)
        hides = self.header.masked or self.header.alpha or not self.grid.kept
        if chosen is not None or not hides:
            return chosen, False
        low, high = integer_range(self.header.dtype)
        if high - low > 65_535:
            return float(low if low < 0 else high), False
        free = np.ones(high - low + 1, dtype=bool)
        for _, cells in self.strips():
            free[np.unique(cells).astype(np.int64) - low] = False
        for value in (low, high, *(np.flatnonzero(free) + low).tolist()):
            if free[value - low]:
                return float(value), False
        return float(low), True

    def strips(self) -> Iterator[tuple[Window, Cells]]:
        """The source in strips of its whole width."""
        wide = self.header.columns * self.header.data_bands * np.dtype(self.header.dtype).itemsize
        tall = max(1, min(STRIP_BYTES // wide, self.header.rows))
        step = tall - tall % 512 if tall >= 512 else tall
        for row in range(0, self.header.rows, step):
            window = Window(0, row, self.header.columns, min(step, self.header.rows - row))
            yield window, self.read(window)

    def read(self, window: Window) -> Cells:
        """Cells of a window, those without value marked by the value chosen for that."""
        cells: Cells = self.source.read(self.bands, window=window)
        chosen = getattr(self, "nodata", None)
        if chosen is None:
            return cells
        if self.header.floating:
            cells[~np.isfinite(cells)] = chosen
        elif self.spared:
            cells[cells == chosen] = chosen + 1
        if self.header.nodata is not None and self.header.nodata != chosen:
            cells[cells == self.header.nodata] = chosen
        if self.header.masked or self.header.alpha:
            cells[:, self.source.dataset_mask(window=window) == 0] = chosen
        return cells

    def write(self, target: DatasetWriter) -> None:
        """Write every cell of the target, telling how far it is."""
        rows = self.grid.rows
        for window, cells in self.strips() if self.grid.kept else self.warped():
            self._count(cells)
            target.write(cells, window=window)
            tell(step="rewrite", share=0.7 * (window.row_off + window.height) / rows)
        if self.header.palette:
            target.write_colormap(1, self.source.colormap(1))

    def _count(self, cells: Cells) -> None:
        for band, values in zip(self.statistics, cells, strict=True):
            band.add(values if self.nodata is None else values[values != values.dtype.type(self.nodata)])

    def warped(self) -> Iterator[tuple[Window, Cells]]:
        """The target in pieces, each from a window of the source alone."""
        for piece in pieces(self.header, self.move, self.grid):
            window = Window(piece.column, piece.row, piece.columns, piece.rows)
            shape = (len(self.bands), piece.rows, piece.columns)
            cells = np.full(shape, self.nodata, dtype=self.header.dtype)
            if piece.window is not None:
                self._warp(piece, cells)
            yield window, cells

    def _warp(self, piece: Piece, cells: Cells) -> None:
        mesh, moved = fit_nodes(self.header, self.move, self.grid, piece)
        ties = [
            GroundControlPoint(col=column, row=row, x=x, y=y)
            for (column, row), (x, y) in zip(mesh.tolist(), moved.tolist(), strict=True)
        ]
        # Both sides are metres from the piece's corner; which plane they lie in makes no difference any more.
        reproject(
            self.read(Window(*(piece.window or (0, 0, 0, 0)))),
            cells,
            gcps=ties,
            src_crs="EPSG:3857",
            dst_crs="EPSG:3857",
            dst_transform=from_origin(0, 0, self.grid.cell, self.grid.height),
            src_nodata=self.nodata,
            dst_nodata=self.nodata,
            resampling=Resampling[self.resampling],
            num_threads=1,
            tolerance=0.01,  # of a cell
            warp_mem_limit=64,
        )


def rewrite(task: Mapping[str, Any]) -> None:
    """Write a raster anew as a Cloud Optimized GeoTIFF on the storage grid, and tell what is in it."""
    header = RasterHeader.from_json(task["header"])
    grid = Grid(**task["grid"])
    move = transformation(task["srid"], task["storage"], task["parameters"])
    resampling = resampling_of(header)
    plain, target = Path(task["plain"]), Path(task["target"])
    with rasterio.open(task["path"], driver="GTiff") as source:
        work = Rewriting(source, header, grid, move, resampling)
        with rasterio.open(plain, "w", **_profile(work, task["storage"])) as written:
            work.write(written)
    tell(step="overviews", share=0.75)
    averaged = "NEAREST" if resampling == "nearest" else "AVERAGE"
    copy(plain, target, OVERVIEW_RESAMPLING=averaged, **COG)
    plain.unlink()
    descriptor = os.open(target, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    tell(
        done={
            "columns": grid.columns,
            "rows": grid.rows,
            "bands": header.data_bands,
            "dtype": header.dtype,
            "nodata": work.nodata,
            "resampling": None if grid.kept else resampling,
            "spared": work.spared,
            "statistics": [one.to_json() for one in work.statistics],
        }
    )


def _profile(work: Rewriting, storage: int) -> dict[str, Any]:
    """The file between: without compression, so that pieces can come in any order."""
    grid = work.grid
    layout = {} if grid.kept or min(grid.columns, grid.rows) < 512 else {"tiled": True, "blockxsize": 512}
    return {
        "driver": "GTiff",
        "width": grid.columns,
        "height": grid.rows,
        "count": work.header.data_bands,
        "dtype": work.header.dtype,
        "crs": f"EPSG:{storage}",
        "transform": rasterio.Affine(grid.cell, 0, grid.west, 0, -grid.height, grid.north),
        "nodata": work.nodata,
        "BIGTIFF": "IF_SAFER",
        "SPARSE_OK": "TRUE",
        **layout,
        **({"blockysize": 512} if layout else {}),
    }


def main() -> None:
    """Do the task that stands on stdin."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    task = json.loads(sys.stdin.readline())
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (task["most_bytes"], task["most_bytes"]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        with rasterio.Env(**ENVIRONMENT):
            if task["verb"] == "header":
                tell(header=read_header(Path(task["path"])).to_json())
            else:
                rewrite(task)
    except BrokenPipeError:
        os._exit(1)  # nobody waits for this any more
    except (RasterioError, MemoryError, OSError, ValueError) as error:
        tell(fault=type(error).__name__)


if __name__ == "__main__":
    main()
