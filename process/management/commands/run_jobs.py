"""The child process that does jobs. Started by workers and commands, not by people.

It reads lines from stdin, `take` or `take ID`, and answers on stdout with `none`, or with `took ID` and, when
the job has ended, `ended ID`. It ends when stdin does; if that happens during a job, its parent is gone and
it dies.
"""

import logging
import os
import queue
import resource
import sys
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, InterfaceError, connection

from process.context import JobContext, LostJob, die
from process.execution import claim, perform

log = logging.getLogger("onemap.jobs")


class Command(BaseCommand):
    """`manage.py run_jobs`, for `process.children` alone."""

    help = "do jobs for the process at the other end of stdin (internal)"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--memory", type=int, default=0, help="bytes of private memory, a hard limit")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["memory"]:
            resource.setrlimit(resource.RLIMIT_DATA, (options["memory"], options["memory"]))
        # What libraries print must not be taken for an answer.
        answers = os.fdopen(os.dup(1), "w", buffering=1)
        os.dup2(2, 1)
        Requests(answers).serve()


class Requests:
    """The conversation with the parent."""

    def __init__(self, answers: Any) -> None:
        self.answers = answers
        self.lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.busy = threading.Event()

    def serve(self) -> None:
        """Answer until stdin ends."""
        threading.Thread(target=self.listen, daemon=True).start()
        while (line := self.lines.get()) is not None:
            number = line.removeprefix("take").strip()
            self.take(int(number) if number else None)

    def listen(self) -> None:
        """Read requests; when they end during a job, die with the parent."""
        for line in sys.stdin:
            self.lines.put(line)
        if self.busy.is_set():
            die()
        self.lines.put(None)

    def take(self, job_id: int | None) -> None:
        """Do one job on a connection of its own: what a handler sets or locks ends with it."""
        self.busy.set()
        with connection.cursor() as cursor:
            # A killed process's statement must not hold the job's lock until it has its answer.
            cursor.execute("SET client_connection_check_interval = '2s'")
        # A parent that is gone cannot be told, and then the job is not taken: no attempt of it is used up.
        context = claim(job_id, lambda number: self.answers.write(f"took {number}\n"))
        if context is not None:
            self.perform(context)
        connection.close()
        self.busy.clear()
        self.answers.write("none\n" if context is None else f"ended {context.job_id}\n")

    def perform(self, context: JobContext) -> None:
        """Do a job; when it cannot be ended from here any more, end the process, so that the sweep may."""
        try:
            perform(context)
        except (LostJob, DatabaseError, InterfaceError) as error:
            log.warning("job %s was lost by its process: %s", context.job_id, type(error).__name__)
            raise SystemExit(1) from None
