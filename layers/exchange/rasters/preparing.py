"""A raster on its way: received, judged by its header, rewritten as a file of ours, published as a version.

What opens the delivered file is another process (layers/exchange/geotiff.py); here is only what its header says and
what became of it. The rewritten file lies in the rasters' folder before any version names it, and is swept from
there when none does.
"""

import hashlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import shapely
from django.conf import settings

from layers.exchange.inspecting import Held, city_outline, contradicted, crs_missing
from layers.exchange.options import BadOption, ImportOptions, judge
from layers.exchange.rasters.decoding import answers
from layers.exchange.rasters.files import folder
from layers.models import Layer, Lineage
from layers.ogc import axes
from process.context import JobContext
from spatial.crs import (
    INPUT_SRIDS,
    InaccurateTransform,
    Transformation,
    contradiction,
    crs_of,
    parse_crs,
    transformation,
)
from spatial.errors import Kind, OnemapError
from spatial.numbers import BBox
from spatial.rastergrid import Grid, target_grid
from spatial.rasterheader import NotATiff, RasterHeader, RasterUnfit, is_tiff, judge_cell, judge_header
from spatial.validity import Family

RESERVE_SHARE = 0.05  # of the volume, left free for everything else


class NoRoomForRaster(OnemapError):
    """The volume has no room for the raster."""

    kind: ClassVar = Kind.STORAGE_FULL
    code: ClassVar = "no-room-for-raster"
    message: ClassVar = "the raster needs up to {needed:,} bytes, {free:,} are free; tell the operator"
    message_zh: ClassVar = "栅格入库最多需要 {needed:,} 字节，剩余 {free:,} 字节，请联系运维"


@dataclass
class PreparedRaster:
    """A raster that was looked at.

    Attributes
    ----------
    held
        What a person has to say first; then nothing was written.
    file
        Name of the rewritten file in the rasters' folder.
    facts
        sha256, size, columns, rows, bands, dtype, nodata, cell, extent (storage CRS), statistics: what a version
        keeps; and source_crs, accuracy_m, resampling for the report.
    origin
        source_name, sha256, driver, source_crs, encoding: what the lineage keeps.
    notes
        Findings of the report: code, level, message, message_zh.
    """

    options: ImportOptions
    held: list[Held] = field(default_factory=list)
    file: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    origin: dict[str, str] = field(default_factory=dict)
    notes: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """As the facts of a delivery's part; the options are kept beside them."""
        return {"file": self.file, "facts": self.facts, "origin": self.origin, "notes": self.notes}

    @classmethod
    def from_json(cls, options: ImportOptions, facts: Mapping[str, Any]) -> "PreparedRaster":
        """From a delivery's part."""
        return cls(options, [], **{name: facts[name] for name in ("file", "facts", "origin", "notes")})


def inspect_raster(path: Path, options: ImportOptions) -> PreparedRaster:
    """Read the header alone: what a person has to say before the raster can be prepared.

    Raises
    ------
    OnemapError
        The raster cannot be taken at all.
    """
    target_of(options)
    found = PreparedRaster(options)
    with tempfile.TemporaryDirectory(dir=folder(), prefix=".look-") as scratch:
        _look(found, _alone(path, Path(scratch)), path.name)
    return found


def prepare_raster(
    context: JobContext,
    options: ImportOptions,
    origin: Mapping[str, str],
    span: tuple[float, float] = (0.0, 0.9),
) -> PreparedRaster:
    """Judge a raster and rewrite it into the rasters' folder, where no version names it yet.

    Parameters
    ----------
    origin
        `path`, `name` and `sha256` of the received file.
    span
        Which part of the job's progress this is.

    Raises
    ------
    OnemapError
        The raster cannot be taken.
    """
    target_of(options)
    context.progress("inspect", span[0])
    found = PreparedRaster(options)
    with tempfile.TemporaryDirectory(dir=folder(), prefix=".work-") as scratch:
        source = _alone(Path(origin["path"]), Path(scratch))
        looked = _look(found, source, origin["name"])
        context.fail_point(1)
        if looked is None:
            return found
        header, srid, grid = looked
        _make_room(header, grid)
        task: dict[str, Any] = {
            "verb": "rewrite",
            "path": str(source),
            "plain": str(Path(scratch) / "plain.tif"),
            "target": str(Path(scratch) / "stored.tif"),
            "header": header.to_json(),
            "grid": asdict(grid),
            "srid": srid,
            "storage": settings.ONEMAP_SRID,
            "parameters": settings.ONEMAP_CRS_PARAMETERS,
            "most_bytes": 2 * _cells_bytes(header, grid) + 2**28,
        }
        done = _follow(context, task, origin["name"], span)
        context.fail_point(2)
        _keep(found, Path(task["target"]), done, grid)
    _note(found, header, srid, origin, done)
    return found


def target_of(options: ImportOptions) -> Layer | None:
    """The layer a raster goes into, None where it makes one.

    Raises
    ------
    BadOption
        The layer is none of rasters, or the option has no meaning for a raster.
    """
    layer = judge(options)
    if layer is not None and layer.family != Family.RASTER.value:
        raise BadOption(
            option="--layer", reason=f"layer {layer.name} holds {layer.family} features, no raster"
        )
    if options.mode not in {"create", "replace"}:
        raise BadOption(option="--mode", reason="a raster is created or replaced as a whole")
    if options.valid_time:
        raise BadOption(option="--valid-time", reason="a raster has record time alone")
    return layer


def _alone(path: Path, scratch: Path) -> Path:
    """The file alone, under a name of ours: what lies beside it is not read."""
    target = scratch / "source.tif"
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)
    return target


def _look(found: PreparedRaster, source: Path, name: str) -> tuple[RasterHeader, int, Grid] | None:
    """Header, EPSG code and stored grid of a file; None when a person has to decide something first."""
    with source.open("rb") as file:
        if not is_tiff(file.read(4)):
            raise NotATiff(name=name)
    size = source.stat().st_size
    task = {"verb": "header", "path": str(source), "most_bytes": 2**20}
    told = [line for line in answers(task, name) if line is not None][-1]
    header = RasterHeader.from_json(told["header"])
    judge_header(header, size)
    options = found.options
    srid = parse_crs(options.source_crs, INPUT_SRIDS).srid if options.source_crs else header.srid
    move, found.held = _settle_crs(header, srid)
    if move is None or found.held:
        return None
    crs = crs_of(move.source)
    judge_cell(header, geographic=crs.geographic)
    if not _within(header.bounds, axes.storable(crs)):
        raise RasterUnfit(
            fault="out-of-range",
            why="part of it lies where the storage coordinate system has no place",
            why_zh="部分范围超出平台坐标系可表示的范围",
        )
    grid = target_grid(header, move)
    _judge_city(found, grid)
    return None if found.held else (header, move.source, grid)


def _settle_crs(header: RasterHeader, srid: int | None) -> tuple[Transformation | None, list[Held]]:
    """The way into the storage CRS, or what a person has to say first."""
    if srid is None:
        return None, [crs_missing(header.bounds, header.crs_note)]
    if wrong := contradiction(header.bounds, srid):
        return None, [contradicted(wrong, srid)]
    try:
        return transformation(srid, settings.ONEMAP_SRID, settings.ONEMAP_CRS_PARAMETERS), []
    except InaccurateTransform as error:
        give = f'ONEMAP_CRS_PARAMETERS={{"{srid}->{settings.ONEMAP_SRID}": "+proj=pipeline …"}}'
        return None, [Held("crs-inaccurate", error.text("en"), error.text("zh"), give)]


def _within(box: BBox, other: BBox) -> bool:
    low = other.xmin <= box.xmin and other.ymin <= box.ymin
    return low and box.xmax <= other.xmax and box.ymax <= other.ymax


def _judge_city(found: PreparedRaster, grid: Grid) -> None:
    if city_outline().intersects(shapely.box(*grid.extent)):
        return
    why, why_zh = "the raster lies outside the city", "栅格位于市域之外"
    if "outside-city" in found.options.accept:
        _say(found, "outside-city", why, why_zh, level="warning")
    else:
        found.held.append(Held("outside-city", why, why_zh, "--accept outside-city"))


def _cells_bytes(header: RasterHeader, grid: Grid) -> int:
    stored = header.expanded_bytes * grid.columns * grid.rows // (header.columns * header.rows)
    return max(header.expanded_bytes, stored)


def _make_room(header: RasterHeader, grid: Grid) -> None:
    usage = shutil.disk_usage(folder())
    free = usage.free - int(usage.total * RESERVE_SHARE)
    needed = 2 * _cells_bytes(header, grid)  # the file between and, at worst, the one that is kept
    if needed > free:
        raise NoRoomForRaster(needed=needed, free=max(free, 0))


def _follow(
    context: JobContext, task: Mapping[str, Any], name: str, span: tuple[float, float]
) -> dict[str, Any]:
    """Let the rewriting go on, hand its progress on, and end it when the job is cancelled."""
    done: dict[str, Any] = {}
    asked = time.monotonic()
    for line in answers(task, name):
        if line is not None and "share" in line:
            context.progress(line["step"], span[0] + (span[1] - span[0]) * line["share"])
        elif line is not None:
            done = line["done"]
        if time.monotonic() - asked > 1.0:
            context.check_cancel()
            asked = time.monotonic()
    return done


def _keep(found: PreparedRaster, path: Path, done: Mapping[str, Any], grid: Grid) -> None:
    """Give the rewritten file its lasting name."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    found.file = f"{secrets.token_hex(12)}.tif"
    names = ("columns", "rows", "bands", "dtype", "nodata", "statistics")
    found.facts = {
        **{name: done[name] for name in names},
        "sha256": digest.hexdigest(),
        "size": path.stat().st_size,
        "cell": grid.cell,
        "extent": grid.extent,
    }
    path.rename(folder() / found.file)
    descriptor = os.open(folder(), os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def _note(
    found: PreparedRaster,
    header: RasterHeader,
    srid: int,
    origin: Mapping[str, str],
    done: Mapping[str, Any],
) -> None:
    found.origin = {
        "source_name": origin["name"],
        "sha256": origin["sha256"],
        "driver": "GTiff",
        "source_crs": f"EPSG:{srid}",
        "encoding": "",
    }
    if done["resampling"]:
        _say(
            found,
            "resampled",
            f"moved from EPSG:{srid} onto the storage grid ({done['resampling']})",
            f"由 EPSG:{srid} 重采样到平台格网（{done['resampling']}）",
        )
    if done["spared"]:
        value = done["nodata"]
        _say(
            found,
            "nodata-spared",
            f"every value occurs: {value:g} now marks cells without value, cells that had it got the next one",
            f"所有取值均被使用：{value:g} 改作无值标记，原值为 {value:g} 的像元取下一个值",
        )
    if header.nodata is not None and header.nodata != done["nodata"]:
        _say(found, "nodata-changed", "the value for no value was changed", "无值标记已更换")
    earlier = Lineage.objects.filter(sha256=origin["sha256"], layer__name=found.options.layer).first()
    if earlier is not None:
        revision = earlier.revision
        _say(found, "same-file", f"the same file made revision {revision}", f"同一文件已用于修订 {revision}")


def _say(found: PreparedRaster, code: str, message: str, message_zh: str, *, level: str = "note") -> None:
    found.notes.append({"code": code, "level": level, "message": message, "message_zh": message_zh})
