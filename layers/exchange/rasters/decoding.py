"""Asking the process that opens GeoTIFF files (layers/exchange/geotiff.py) to do something."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from django.conf import settings

from spatial.errors import Kind, OnemapError


class UnreadableRaster(OnemapError):
    """The file says it is a GeoTIFF but cannot be decoded."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "raster-unreadable"
    message: ClassVar = "{name} cannot be read: its content is broken, incomplete or needs too much memory"
    message_zh: ClassVar = "{name} 无法读取：内容损坏、不完整或解码所需内存过大"


def answers(task: Mapping[str, Any], name: str) -> Iterator[dict[str, Any] | None]:
    """What the process for GeoTIFF says, line by line; None for each half second it says nothing.

    It sees nothing of this process's environment, and ends with this generator.

    Raises
    ------
    UnreadableRaster
        It could not do its task, or died of it.
    """
    program = [sys.executable, "-m", "layers.exchange.geotiff"]
    quiet = {"OPENBLAS_NUM_THREADS": "1", "PROJ_NETWORK": "OFF", "LC_ALL": "C.UTF-8"}
    with subprocess.Popen(
        program,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=settings.BASE_DIR,
        env=quiet,
    ) as child:
        try:
            assert child.stdin is not None and child.stdout is not None
            child.stdin.write(json.dumps(task).encode() + b"\n")
            child.stdin.close()
            yield from _spoken(child.stdout.fileno(), name)
        except BrokenPipeError:
            raise UnreadableRaster(name=name) from None
        finally:
            child.kill()


def _spoken(descriptor: int, name: str) -> Iterator[dict[str, Any] | None]:
    rest = b""
    while True:
        if not select.select([descriptor], [], [], 0.5)[0]:
            yield None
            continue
        more = os.read(descriptor, 1 << 16)
        if not more:
            raise UnreadableRaster(name=name)
        *lines, rest = (rest + more).split(b"\n")
        for line in lines:
            told = json.loads(line)
            if "fault" in told:
                raise UnreadableRaster(name=name)
            yield told
            if "share" not in told:
                return
