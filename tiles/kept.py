"""Picture tiles that were drawn and are kept, each group of them with what it shows.

MapProxy draws and writes four by four tiles at once. Beside them stands a note: the layer's revision, read before they
were drawn, and the day. Whoever asks for a tile has the note judged: the same revision, and the tile is served; a later
one, and the database is asked whether anything changed there since; if so, the group is drawn again. So a tile is never
older than the answer of any other door, whatever process died or lagged, and what was not touched stays.

A group is drawn under a lock of the file system, which a dead process lets go of. Its note is taken away first and
written last: files without a note are not served.
"""

import fcntl
import json
import logging
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from layers.catalogue import LayerInfo
from layers.moments import Moment
from layers.ogc import axes
from layers.overviews.cells import block_side
from layers.touching import state_of, touched
from spatial.citygrid import TILE_PIXELS
from spatial.crs import crs_of
from spatial.numbers import BBox
from spatial.tilegrids import TileMatrixSet
from tiles.drawing.questions import overview_level
from tiles.drawing.reach import BUFFER_PX
from tiles.proxy.configuration import META_BUFFER_PX, META_TILES, cache_of, folder

log = logging.getLogger("onemap.kept")

PNG_BEGIN, PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"


class NotKept(Exception):
    """A tile cannot be kept: the disk has no room for it, or does not let us write. It can still be drawn."""


@dataclass(frozen=True, slots=True)
class Shows:
    """What a tile drawn now shows.

    `changed` is the microsecond of that revision; `day` is of layers with valid time alone. Where the tile shows
    overviews, the revision is theirs and `built` says of which making.
    """

    revision: int
    changed: int | None
    day: str | None
    built: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """Tiles that are drawn together."""

    layer: LayerInfo
    grid: TileMatrixSet
    z: int
    column: int  # of its first tile
    row: int

    @classmethod
    def of(cls, layer: LayerInfo, grid: TileMatrixSet, index: tuple[int, int, int]) -> "Group":
        """The group of a tile (z, x, y)."""
        z, x, y = index
        return cls(layer, grid, z, x - x % META_TILES[0], y - y % META_TILES[1])

    @property
    def folder(self) -> Path:
        """Of this layer, style and grid."""
        return folder() / cache_of(self.layer) / self.grid.identifier

    @property
    def note(self) -> Path:
        """The file that tells what the group shows."""
        return self.folder / "notes" / str(self.z) / f"{self.column}_{self.row}.json"

    def file(self, x: int, y: int) -> Path:
        """The file of one tile; MapProxy counts levels from nought."""
        return self.folder / str(self.z - self.grid.min_level) / str(x) / f"{y}.png"

    def files(self) -> Iterator[Path]:
        """The files of all its tiles, there or not."""
        for x in range(self.column, self.column + META_TILES[0]):
            for y in range(self.row, self.row + META_TILES[1]):
                yield self.file(x, y)

    @property
    def metres(self) -> float:
        """Of a pixel."""
        return self.grid.resolution(self.z) * self.grid.metres_per_unit

    def box(self, more: float) -> bytes | None:
        """What can reach into its pictures, and `more` metres around: WKB in the storage CRS."""
        first = self.grid.bounds(self.z, self.column, self.row)
        side = first.xmax - first.xmin
        reach = side / TILE_PIXELS * (META_BUFFER_PX + BUFFER_PX) + more / self.grid.metres_per_unit
        right, low = first.xmin + META_TILES[0] * side, first.ymax - META_TILES[1] * side
        box = BBox(first.xmin - reach, low - reach, right + reach, first.ymax + reach)
        return axes.box_to_storage(box, crs_of(self.grid.srid))


def tile(group: Group, index: tuple[int, int, int], draw: Callable[[], bytes]) -> tuple[bytes, Shows]:
    """A tile that shows what is true now, and what it shows.

    Parameters
    ----------
    draw
        Has MapProxy give the tile, drawing its group where a file is missing.

    Raises
    ------
    NotKept
    """
    path = group.file(*index[1:])
    now = shows(group)
    known = _read(group)
    if known is not None and (known == now or _still_true(group, known, now)):
        body = _intact(path)
        if body is not None:
            return body, known
    if not has_room():
        raise NotKept()
    try:
        with _locked(group):
            return _drawn(group, path, draw)
    except OSError as error:
        log.error("tiles cannot be kept: %s", error.strerror)
        raise NotKept() from error


def has_room() -> bool:
    """Whether the disk has more than the share that is the database's."""
    place = folder() if folder().is_dir() else settings.ONEMAP_VAR
    disk = shutil.disk_usage(place)
    return disk.free >= settings.ONEMAP_DISK_RESERVE * disk.total


def _drawn(group: Group, path: Path, draw: Callable[[], bytes]) -> tuple[bytes, Shows]:
    """Drawn by us, or by whoever held the lock before."""
    now = shows(group)
    known = _read(group)
    body = _intact(path) if known is not None and (known == now or _still_true(group, known, now)) else None
    if body is not None and known is not None:
        return body, known
    for stale in (group.note, *group.files()):
        stale.unlink(missing_ok=True)
    body = draw()
    _write(group, now)
    return body, now


def shows(group: Group) -> Shows:
    """What the group would show if it were drawn now."""
    state = state_of(group.layer)
    day = str(Moment.today().valid_from) if group.layer.valid_time else None
    if state.shown is not None and overview_level(group.metres, state.first_level) is not None:
        return Shows(state.shown, None, day, state.built)
    return Shows(state.revision, state.changed, day, None)


def _still_true(group: Group, known: Shows, now: Shows) -> bool:
    """Whether nothing of what a group shows changed; if so, its note says the later revision from now on."""
    if (known.day, known.built) != (now.day, now.built) or known.revision >= now.revision:
        return False
    box = group.box(block_side() if now.built is not None else 0.0)
    if box is not None and touched(group.layer, known.revision, now.revision, known.changed, box):
        return False
    _write(group, now)
    return True


def _read(group: Group) -> Shows | None:
    try:
        return Shows(**json.loads(group.note.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _write(group: Group, now: Shows) -> None:
    """Whole or not at all; a note that cannot be written leaves tiles that are drawn anew."""
    try:
        group.note.parent.mkdir(parents=True, exist_ok=True)
        handle, made = tempfile.mkstemp(dir=group.note.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(now), file)
        os.replace(made, group.note)
    except OSError as error:
        log.warning("a note about tiles could not be written: %s", error.strerror)


def _intact(path: Path) -> bytes | None:
    """A tile's bytes; None where it is not there or not whole (a power cut leaves files without content)."""
    try:
        body = path.read_bytes()
    except OSError:
        return None
    return body if body.startswith(PNG_BEGIN) and body.endswith(PNG_END) else None


@contextmanager
def _locked(group: Group) -> Iterator[Any]:
    """One at a time draws a group, in all processes."""
    path = folder() / "locks" / f"{_lock_of(group)}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _lock_of(group: Group) -> str:
    """One of 4,096 locks: they are never removed, so there must not be one for each group."""
    told = f"{cache_of(group.layer)}/{group.grid.identifier}/{group.z}/{group.column}/{group.row}"
    return f"{zlib.crc32(told.encode()) % 4096:03x}"
