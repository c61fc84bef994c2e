"""What runs of an installation: the supervisor's record, and every process with the installation's mark."""

import fcntl
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from deploy import identity
from deploy.identity import Process
from deploy.places import Places, read_json, write_json

SERVICES = ("web", "worker", "follower")
MARK = "ONEMAP_PROCESS"


@dataclass(frozen=True)
class Record:
    """A running platform.

    Attributes
    ----------
    supervisor
        The process that watches over the others.
    url
        Where the platform answers; empty until its port is chosen.
    """

    supervisor: Process
    url: str


def mark(places: Places, service: str) -> dict[str, str]:
    """The environment entry that marks a service's processes, and whatever they start, as ours."""
    return {MARK: f"{places.digest}-{service}"}


def remains(places: Places, service: str) -> list[Process]:
    """Living processes of one service, also those whose parent was killed."""
    return identity.marked(f"{MARK}={places.digest}-{service}")


def all_remains(places: Places) -> list[Process]:
    """Living processes of all services."""
    return [process for service in SERVICES for process in remains(places, service)]


def write_record(places: Places, url: str) -> None:
    """Note this process as the supervisor."""
    own = identity.find(os.getpid())
    if own is not None:
        write_json(_record_path(places), {"hash": places.digest, "supervisor": asdict(own), "url": url})


def read_record(places: Places) -> Record | None:
    """The running platform; None when its supervisor is dead, or watches the folder this is a copy of."""
    content = read_json(_record_path(places))
    if content.get("hash") != places.digest:
        return None
    try:
        supervisor = Process(**content["supervisor"])
    except (KeyError, TypeError):
        return None
    return Record(supervisor, str(content.get("url", ""))) if supervisor.is_alive() else None


def forget_record(places: Places) -> None:
    """Remove the note of the supervisor."""
    _record_path(places).unlink(missing_ok=True)


def _record_path(places: Places) -> Path:
    return places.var / "run" / "supervisor.json"


def take_lock(places: Places, name: str) -> IO[str] | None:
    """Hold one of the installation's locks until the returned file is closed; None when another has it."""
    file = _lock_file(places, name)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def take_setup_lock(places: Places) -> IO[str]:
    """Wait for other set-ups of this installation, then hold the lock until the returned file is closed."""
    held = take_lock(places, "setup")
    if held is not None:
        return held
    print("onemap: waiting for another set-up of this checkout to end", flush=True)
    file = _lock_file(places, "setup")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def _lock_file(places: Places, name: str) -> IO[str]:
    path = places.var / "run" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("a", encoding="utf-8")
