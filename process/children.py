"""Child processes that do jobs, seen from their parent."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, ClassVar, Self
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import connection

from spatial.errors import Kind, OnemapError

MEMORY_OF_ONE_PAGE = os.sysconf("SC_PAGE_SIZE")
END_WAIT_S = 5.0


class ChildGone(OnemapError):
    """The child has ended, by itself or killed."""

    kind: ClassVar = Kind.UNAVAILABLE
    code: ClassVar = "job-process-gone"
    message: ClassVar = "the process for jobs does not start; the job waits, and the log says more"
    message_zh: ClassVar = "任务进程无法启动，任务仍在排队，详见日志"


def database_url() -> str:
    """The address of the database this process uses, so that a child uses the very same one."""
    one = connection.settings_dict
    who = quote(one["USER"], safe="") + (f":{quote(one['PASSWORD'], safe='')}" if one["PASSWORD"] else "")
    where = urlencode({name.lower(): one[name] for name in ("HOST", "PORT") if one[name]})
    return f"postgres://{who}@/{quote(one['NAME'], safe='')}?{where}"


class Child:
    """A process that does one job after another.

    It has a session of its own: a Ctrl-C at the terminal reaches the parent alone, which decides.

    Parameters
    ----------
    memory
        Bytes of private memory after which its allocations fail; None for no limit.
    """

    def __init__(self, memory: int | None = None) -> None:
        house = Path(settings.BASE_DIR)
        self.process = subprocess.Popen(
            [
                sys.executable,
                str(house / "manage.py"),
                "run_jobs",
                f"--memory={memory or 0}",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=house,
            # Inherited but for the database: tests, and commands told of another one, hand theirs on.
            env={**os.environ, "DATABASE_URL": database_url()},
            start_new_session=True,
        )
        self.jobs_done = 0
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def take(self, job_id: int | None = None) -> None:
        """Ask it to take a job (any, or the one named)."""
        try:
            self._stdin().write(b"take\n" if job_id is None else f"take {job_id}\n".encode())
            self._stdin().flush()
        except BrokenPipeError:
            raise ChildGone() from None

    def answer(self, wait_s: float) -> str | None:
        """Its next line; None when none came in time.

        Raises
        ------
        ChildGone
        """
        if b"\n" not in self._rest and select.select([self._stdout()], [], [], wait_s)[0]:
            more = os.read(self._stdout().fileno(), 4096)
            if not more:
                raise ChildGone()
            self._rest += more
        line, newline, rest = self._rest.partition(b"\n")
        if not newline:
            return None
        self._rest = rest
        return line.decode()

    def memory(self) -> int:
        """Bytes it occupies by itself, without files mapped into memory, which the kernel may drop."""
        try:
            resident, shared = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1:3]
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return 0
        return (int(resident) - int(shared)) * MEMORY_OF_ONE_PAGE

    def kill(self) -> None:
        """End it at once."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._drop_pipes()

    def close(self) -> None:
        """Let it end: by itself when it is idle, at once when it is not."""
        self._stdin().close()
        try:
            self.process.wait(END_WAIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._drop_pipes()

    def _drop_pipes(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None and not pipe.closed:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue

    def _stdin(self) -> IO[bytes]:
        assert self.process.stdin is not None
        return self.process.stdin

    def _stdout(self) -> IO[bytes]:
        assert self.process.stdout is not None
        return self.process.stdout
