"""The tile follower: keeps overviews fresh until it is told to stop."""

import signal
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from layers.overviews.following import behind, catch_up
from tiles.follower import TileFollower


class Command(BaseCommand):
    """`manage.py follow_tiles`; SIGTERM or SIGINT stops it."""

    help = "keep the overviews of small zooms fresh until told to stop"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="bring all layers to the present and end")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            for one in behind():
                catch_up(one, by_job=False)
            return
        follower = TileFollower()

        def stop(number: int, frame: FrameType | None) -> None:
            follower.stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        follower.run()
