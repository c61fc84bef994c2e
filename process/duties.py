"""What workers do again and again beside jobs: idempotent, each by one worker at a time."""

import logging
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection

log = logging.getLogger("onemap.duties")

LOCK_SPACE = 0x6F6D6475  # the first half of every duty's advisory lock; the second is made of its name


@dataclass
class Duty:
    """A function that is due every so many seconds."""

    name: str
    seconds: float
    function: Callable[[], object]
    due: float = 0.0

    def run(self) -> None:
        """Do it, unless another worker is at it. A failure is logged; the next time it is tried again."""
        self.due = time.monotonic() + self.seconds
        try:
            self._alone()
        except Exception as error:
            log.error("the duty %s failed", self.name, exc_info=error)
            connection.close()

    def _alone(self) -> None:
        number = zlib.crc32(self.name.encode()) - (1 << 31)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_SPACE, number])
            mine = cursor.fetchone()[0]
        if mine:
            try:
                self.function()
            finally:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_SPACE, number])


_duties: dict[str, Duty] = {}


def register(name: str, seconds: float, function: Callable[[], object]) -> None:
    """Let workers call `function` every `seconds`. It runs in the worker itself, so it must be short."""
    _duties[name] = Duty(name, seconds, function)


def run_due() -> float:
    """Do what is due; return the seconds until something is due again (at most 1)."""
    for duty in list(_duties.values()):
        if time.monotonic() >= duty.due:
            duty.run()
    return max(0.0, min([1.0, *(duty.due - time.monotonic() for duty in _duties.values())]))
