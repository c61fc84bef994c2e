"""What passes between a server and its render process: frames of a JSON head and a body, each with its length."""

import json
import struct
from typing import IO, Any

HEAD = struct.Struct("<II")


class Ended(Exception):
    """The other side is gone."""


def write(stream: IO[bytes], head: dict[str, Any], body: bytes = b"") -> None:
    """Send one frame."""
    text = json.dumps(head, ensure_ascii=False).encode()
    stream.write(HEAD.pack(len(text), len(body)) + text)
    stream.write(body)
    stream.flush()


def read(stream: IO[bytes]) -> tuple[dict[str, Any], bytes]:
    """The next frame.

    Raises
    ------
    Ended
    """
    text, body = HEAD.unpack(_exactly(stream, HEAD.size))
    head: dict[str, Any] = json.loads(_exactly(stream, text))
    return head, _exactly(stream, body)


def _exactly(stream: IO[bytes], size: int) -> bytes:
    found = stream.read(size)
    if len(found) < size:
        raise Ended()
    return found
