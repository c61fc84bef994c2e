"""A render process: reads what to draw from its input, writes the picture to its output, until the input ends.

It knows no Django and no rights: what it may read is in the questions it is given, and its database login may read
only. Started by tiles.drawing.pool as `python -m tiles.drawing.child FONT...`.
"""

import os
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO

from tiles.drawing import wire
from tiles.drawing.reach import BUFFER_PX
from tiles.render import mapnik

MOST_MAPS = 64
MEMORY = Path("/proc/self/statm")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Maps:
    """Maps that were drawn lately, with their connections; the least recently drawn goes first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Any] = OrderedDict()

    def get(self, digest: str, xml: str) -> Any:
        """The map of this digest."""
        found = self._kept.get(digest)
        if found is None:
            found = mapnik.Map(16, 16)
            mapnik.load_map_from_string(found, xml)
            found.buffer_size = BUFFER_PX
            self._kept[digest] = found
            if len(self._kept) > MOST_MAPS:
                self._kept.popitem(last=False)
        self._kept.move_to_end(digest)
        return found


def draw(maps: Maps, asked: dict[str, Any], xml: str) -> bytes:
    """One picture, encoded as asked (Mapnik's names: png32, png8:m=h, jpeg85, webp:quality=80)."""
    page = maps.get(asked["digest"], xml)
    page.resize(asked["width"], asked["height"])
    page.background = mapnik.Color(asked["background"])
    page.aspect_fix_mode = mapnik.aspect_fix_mode.RESPECT
    page.zoom_to_box(mapnik.Box2d(*asked["box"]))
    image = mapnik.Image(asked["width"], asked["height"])
    mapnik.render(page, image, asked.get("factor", 1.0))
    found: bytes = image.to_string(asked["format"])
    return found


def serve(source: BinaryIO, target: BinaryIO) -> None:
    """Draw until the other side is gone."""
    maps = Maps()
    wire.write(target, {"ready": mapnik.version_string()})
    while True:
        try:
            asked, xml = wire.read(source)
        except wire.Ended:
            return
        body, told = b"", {}
        try:
            body = draw(maps, asked, xml.decode())
        except RuntimeError as error:
            # Mapnik raises this for all: a style it cannot read, a database that is away.
            told = {"failed": str(error)[:2000]}
            maps = Maps()
        memory = int(MEMORY.read_text().split()[1]) * PAGE
        wire.write(target, {**told, "memory": memory}, body)


def main() -> None:
    """The process; whatever libraries print goes to the log, not between the frames."""
    target = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    for font in sys.argv[1:]:
        mapnik.FontEngine.register_font(font)
    serve(sys.stdin.buffer, target)


if __name__ == "__main__":
    main()
