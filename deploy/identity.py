"""Which process is which: a process number alone may have been handed to somebody else since it was noted."""

import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
STATE_FIELD = 0  # in the part of /proc/PID/stat after the name in brackets
START_FIELD = 19


@dataclass(frozen=True)
class Process:
    """A process, told from a later one with the same number by its start.

    Attributes
    ----------
    pid
        Process number.
    started
        Clock ticks between the machine's start and the process's.
    boot
        The machine's start, as the kernel names it.
    """

    pid: int
    started: int
    boot: str

    def is_alive(self) -> bool:
        """Whether this very process still runs; a dead one that nobody has collected does not."""
        return find(self.pid) == self


def boot_id() -> str:
    """The kernel's name for the present start of the machine."""
    return (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def find(pid: int) -> Process | None:
    """The process that has this number now, unless it is dead."""
    try:
        stat = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    fields = stat[stat.rindex(")") + 2 :].split()
    if fields[STATE_FIELD] in "ZX":
        return None
    return Process(pid, int(fields[START_FIELD]), boot_id())


def is_taken(pid: int) -> bool:
    """Whether any process has this number, a dead one that nobody has collected included."""
    return (PROC / str(pid)).exists()


def marked(marker: str) -> list[Process]:
    """Every living process whose environment holds `marker` (`NAME=value`), this one excepted.

    A child inherits the mark, whoever its parent is by now, so this finds what a killed supervisor left.
    Processes of other users cannot be read and are never ours.
    """
    wanted = marker.encode()
    return [process for process in _others() if wanted in _environment(process.pid)]


def _others() -> Iterator[Process]:
    """Every living process but this one."""
    for entry in PROC.iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            process = find(int(entry.name))
            if process is not None:
                yield process


def _environment(pid: int) -> list[bytes]:
    """The environment a process was started with; empty when it may not be read."""
    try:
        return (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


def send(process: Process, number: signal.Signals) -> bool:
    """Signal exactly this process; False when it is gone.

    The handle is taken first and the identity checked after, so that a number that changes hands in between
    is never hit.
    """
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return False
    try:
        if not process.is_alive():
            return False
        signal.pidfd_send_signal(handle, number)
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)


def wait_gone(processes: Iterable[Process], seconds: float) -> list[Process]:
    """Wait until all are gone; return those still alive after `seconds`."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    alive = [process for process in processes if process.is_alive()]
    while alive and time.monotonic() < deadline:
        pause.wait(0.05)
        alive = [process for process in alive if process.is_alive()]
    return alive


def end(processes: Iterable[Process], seconds: float, first: signal.Signals = signal.SIGTERM) -> None:
    """Ask processes to end, wait, and kill what has not ended."""
    asked = [process for process in processes if send(process, first)]
    for process in wait_gone(asked, seconds):
        send(process, signal.SIGKILL)
    wait_gone(asked, 5)
    _wait_collected(asked)


def _wait_collected(processes: Iterable[Process], seconds: float = 3.0) -> None:
    """Wait a moment until dead processes have left the process list too; that is their parents' to do."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    numbers = [process.pid for process in processes]
    while any(is_taken(number) for number in numbers) and time.monotonic() < deadline:
        pause.wait(0.05)
