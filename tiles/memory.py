"""Tiles of small zooms that this process made, kept as long as they are true.

One such tile shows a tenth of the city and takes fifty times as long as a tile of a street; everybody who opens the
map asks for the same few. The key holds the scope's digest: two callers share a tile only where they may see the
same. A kept tile is served only under the tag that the database's present state gives, so it is never stale.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Kept = TypeVar("Kept")
MOST_BYTES = 48 * 1024 * 1024  # of one process


class Memory(Generic[Kept]):
    """What was answered, by question; the least recently used goes first.

    Parameters
    ----------
    most
        Bytes in all, as told by whoever remembers something.
    """

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most, self._size = most, 0
        self._kept: OrderedDict[Hashable, tuple[str, Kept, int]] = OrderedDict()
        self._lock = threading.Lock()

    def recall(self, key: Hashable, tag: str) -> Kept | None:
        """What was remembered under this key, if it was so under this very tag."""
        with self._lock:
            found = self._kept.get(key)
            if found is None or found[0] != tag:
                return None
            self._kept.move_to_end(key)
            return found[1]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._size = 0

    def remember(self, key: Hashable, tag: str, value: Kept, size: int) -> None:
        """Keep an answer; nothing that would take more than a tenth of the room."""
        if size * 10 > self._most:
            return
        with self._lock:
            before = self._kept.pop(key, None)
            self._size += size - (before[2] if before else 0)
            self._kept[key] = (tag, value, size)
            while self._size > self._most:
                _, (_, _, gone) = self._kept.popitem(last=False)
                self._size -= gone
