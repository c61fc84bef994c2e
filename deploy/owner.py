"""The operating-system user a database cluster belongs to: PostgreSQL refuses to run as root."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.refusals import SetupError


@dataclass(frozen=True)
class Owner:
    """A system user, and the way to do something as that user."""

    name: str
    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        """Whether this is somebody else than the user who runs set-up."""
        return self.uid != os.geteuid()

    def identity(self) -> dict[str, Any]:
        """Arguments of `subprocess` that make a child run as this user, in a folder it can enter."""
        settings: dict[str, Any] = {"cwd": "/", "env": _environment(self.name)}
        if self.is_other:
            settings |= {"user": self.uid, "group": self.gid, "extra_groups": ()}
        return settings

    def run(self, command: Sequence[str], text: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command as this user with `text` on its standard input; never raises for its exit code."""
        return subprocess.run(
            command, input=text, capture_output=True, text=True, check=False, umask=0o077, **self.identity()
        )

    def take(self, folder: Path) -> None:
        """Make `folder` (and only it) this user's, private."""
        folder.mkdir(exist_ok=True)
        if self.is_other:
            os.chown(folder, self.uid, self.gid)
        folder.chmod(0o700)

    def can_use(self, folder: Path) -> bool:
        """Whether this user reaches `folder` and may write there."""
        return self.run(["/bin/sh", "-c", 'cd -- "$1" && test -w .', "sh", str(folder)]).returncode == 0

    def write(self, path: Path, text: str) -> None:
        """Write a file as this user, so that nothing planted in its folder can be made to write elsewhere."""
        done = self.run(["/bin/sh", "-c", 'cat > "$1"', "sh", str(path)], text)
        if done.returncode != 0:
            raise SetupError(
                f"无法写入 {path}：{done.stderr.strip()}", f"Cannot write {path}: {done.stderr.strip()}"
            )

    def pids_in(self, folder: Path) -> list[int]:
        """Numbers of the processes of this user that work in `folder`."""
        script = (
            'for p in /proc/[0-9]*; do [ "$(readlink "$p/cwd")" = "$1" ] && echo "${p#/proc/}"; done; true'
        )
        done = self.run(["/bin/sh", "-c", script, "sh", str(folder)])
        return [int(line) for line in done.stdout.split()]


def _environment(name: str) -> dict[str, str]:
    """A bare environment: nothing of the caller's (PGDATA, PGHOST, marks) leaks into the server."""
    return {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "USER": name,
        "HOME": "/",
    }


def choose() -> Owner:
    """The user a new cluster belongs to: `postgres` when set-up runs as root, else whoever runs it."""
    if os.geteuid() != 0:
        entry = pwd.getpwuid(os.geteuid())
        return Owner(entry.pw_name, entry.pw_uid, entry.pw_gid)
    return named("postgres")


def named(name: str) -> Owner:
    """The system user with this name."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise SetupError(f"本机没有系统用户 {name}。", f"This machine has no system user {name}.") from None
    return Owner(entry.pw_name, entry.pw_uid, entry.pw_gid)
