"""The pool of render processes: who draws, and what happens when one of them dies.

Mapnik holds Python's lock while it encodes, keeps memory, and sets variables of its own: it lives in processes beside
the server (docs/decisions/0021). They are started when first needed, one for each core, and replaced after a number
of pictures, when they grew, and whenever one fails to answer. Whoever was waiting for that one is told at once; no
half picture is ever passed on.
"""

import logging
import os
import queue
import select
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from django.db import connection

from spatial.errors import Kind, OnemapError
from tiles.drawing import wire

log = logging.getLogger("onemap.drawing")

MOST_PICTURES = 2_000
MOST_MEMORY = 1_500_000_000  # bytes
START_S = 20.0


class NotDrawn(OnemapError):
    """The picture could not be drawn."""

    kind: ClassVar = Kind.UNAVAILABLE
    code: ClassVar = "not-drawn"
    message: ClassVar = "the picture could not be drawn; try again in a moment"
    message_zh: ClassVar = "地图未能绘制，请稍后再试"


class DrawingBusy(OnemapError):
    """All render processes are at work."""

    kind: ClassVar = Kind.BUSY
    code: ClassVar = "drawing-busy"
    message: ClassVar = "too many pictures are being drawn; try again in a moment"
    message_zh: ClassVar = "绘图任务过多，请稍后再试"


@dataclass(frozen=True, slots=True)
class Picture:
    """What to draw.

    Attributes
    ----------
    digest, xml
        The map, and a name that is equal for equal maps.
    box
        x0, y0, x1, y1 in the map's CRS.
    format
        Mapnik's name of the encoding.
    background
        As CSS colour; "transparent".
    """

    digest: str
    xml: str
    width: int
    height: int
    box: tuple[float, float, float, float]
    format: str = "png32"
    background: str = "transparent"


class Child:
    """One render process."""

    def __init__(self) -> None:
        self.drawn, self.memory = 0, 0
        command = [sys.executable, "-m", "tiles.drawing.child", *settings.ONEMAP_FONTS]
        self.process = subprocess.Popen(
            command,
            cwd=settings.BASE_DIR,
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._answer(START_S)

    def draw(self, picture: Picture, seconds: float) -> bytes:
        """The picture, encoded.

        Raises
        ------
        NotDrawn
            It died, or did not answer in time; it is of no use any more. Or Mapnik said no.
        """
        head = {
            "digest": picture.digest,
            "width": picture.width,
            "height": picture.height,
            "box": picture.box,
            "format": picture.format,
            "background": picture.background,
        }
        try:
            assert self.process.stdin is not None
            wire.write(self.process.stdin, head, picture.xml.encode())
        except OSError as error:
            raise NotDrawn() from error
        told, body = self._answer(seconds)
        self.drawn, self.memory = self.drawn + 1, told["memory"]
        if "failed" in told:
            log.error("a picture could not be drawn: %s", told["failed"])
            raise NotDrawn()
        return body

    def _answer(self, seconds: float) -> tuple[dict[str, Any], bytes]:
        stream = self.process.stdout
        assert stream is not None
        if not select.select([stream], [], [], seconds)[0]:
            self.end()
            raise NotDrawn()
        try:
            return wire.read(stream)
        except (wire.Ended, ValueError, OSError) as error:
            self.end()
            raise NotDrawn() from error

    @property
    def spent(self) -> bool:
        """Whether another one had better take its place."""
        return self.process.poll() is not None or self.drawn >= MOST_PICTURES or self.memory > MOST_MEMORY

    def end(self) -> None:
        """End it, whatever it is doing."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


def _environment() -> dict[str, str]:
    """What a render process needs to know: where the database is, by libpq's own names, and as whom to ask it."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ", "HOME") if name in os.environ}
    told = {**settings.ONEMAP_RENDER_DATABASE, "NAME": connection.settings_dict["NAME"]}
    names = {
        "NAME": "PGDATABASE",
        "USER": "PGUSER",
        "PASSWORD": "PGPASSWORD",
        "HOST": "PGHOST",
        "PORT": "PGPORT",
    }
    limits = (
        f"-c default_transaction_read_only=on -c statement_timeout={settings.ONEMAP_DRAW_SECONDS * 1000:.0f}"
    )
    found = {names[key]: str(value) for key, value in told.items() if key in names and value}
    return {**kept, **found, "PGOPTIONS": limits, "PGAPPNAME": "onemap-render", "MALLOC_ARENA_MAX": "2"}


class Pool:
    """The render processes of this server process."""

    def __init__(self, size: int) -> None:
        self._places: queue.LifoQueue[Child | None] = queue.LifoQueue()
        for _ in range(size):
            self._places.put(None)

    def draw(self, picture: Picture) -> bytes:
        """Draw a picture in whichever process is free.

        Raises
        ------
        DrawingBusy, NotDrawn
        """
        end = time.monotonic() + settings.ONEMAP_DRAW_SECONDS
        try:
            child = self._places.get(timeout=settings.ONEMAP_DRAW_SECONDS)
        except queue.Empty as error:
            raise DrawingBusy() from error
        try:
            if child is None or child.spent:
                if child is not None:
                    child.end()
                child = None
                child = Child()
            return child.draw(picture, max(end - time.monotonic(), 1.0))
        finally:
            self._places.put(child)


_pool: Pool | None = None
_lock = threading.Lock()


def pool() -> Pool:
    """The pool of this process, made when first asked for."""
    global _pool  # noqa: PLW0603 - one for each process
    with _lock:
        if _pool is None:
            _pool = Pool(settings.ONEMAP_RENDER_PROCESSES)
        return _pool
