"""The tile follower: a process that brings overviews to the present within a second of a change.

It asks the database several times a second which layers are behind their feed, remakes the blocks that changed, and
leaves what takes long to jobs. Where it stands is in the database, so it may die at any moment, and two of them do
no harm: a layer that one is at is left alone by the other.
"""

import logging
import os
import threading
import time
from datetime import timedelta

from django.db import DatabaseError, InterfaceError, connection
from django.db.models.functions import Now

from layers.models import Follower
from layers.overviews.following import Behind, behind, catch_up

log = logging.getLogger("onemap.follower")

POLL_S = 0.3
BEAT_S = 5.0
PAUSE_S = 30.0  # before a layer that failed is tried again
ALIVE_WITHIN = timedelta(seconds=30)


def live_follower() -> bool:
    """Whether a follower said lately that it is alive."""
    return Follower.objects.filter(heartbeat_at__gt=Now() - ALIVE_WITHIN).exists()


class TileFollower:
    """One follower process."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._beat_due = 0.0
        self._paused: dict[int, float] = {}

    def stop(self) -> None:
        """End after what is being done."""
        self.stopping.set()

    def run(self) -> None:
        """Follow until stopped. A database that is away is asked again."""
        while not self.stopping.is_set():
            try:
                busy = self.turn()
            except (DatabaseError, InterfaceError) as error:
                log.warning("the follower lost the database: %s", type(error).__name__)
                connection.close()
                busy = False
            if not busy:
                self.stopping.wait(POLL_S)
        connection.close()

    def turn(self) -> bool:
        """Say that the follower is alive, look once, do what is to be done; whether anything was."""
        if time.monotonic() >= self._beat_due:
            self._beat_due = time.monotonic() + BEAT_S
            facts = {"pid": os.getpid(), "heartbeat_at": Now()}
            Follower.objects.update_or_create(pk=1, defaults=facts)
        waiting = [one for one in behind() if self._paused.get(one.layer, 0.0) <= time.monotonic()]
        return any([self._follow(one) for one in waiting])

    def _follow(self, one: Behind) -> bool:
        """Bring one layer to the present; one that fails does not hold up the others."""
        if self.stopping.is_set():
            return False
        try:
            return catch_up(one, by_job=True)
        except Exception as error:
            log.error("the overviews of layer %s could not be made", one.layer, exc_info=error)
            self._paused[one.layer] = time.monotonic() + PAUSE_S
            connection.close()
            return False
