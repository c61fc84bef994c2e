"""The worker: does queued jobs and the platform's periodic duties until it is told to stop."""

import signal
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from process.worker import WorkerProcess


class Command(BaseCommand):
    """`manage.py worker`; SIGTERM or SIGINT stops it."""

    help = "do queued jobs and periodic duties until told to stop"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--slots", type=int, default=2, help="jobs done at a time (default 2)")
        parser.add_argument(
            "--patience", type=float, default=60, help="seconds for jobs to end once told to stop"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        worker = WorkerProcess(options["slots"], options["patience"])

        def stop(number: int, frame: FrameType | None) -> None:
            worker.stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        worker.run()
