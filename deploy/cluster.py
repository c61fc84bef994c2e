"""The private PostgreSQL cluster of one installation: where it lives, its start, its end, its recovery."""

import contextlib
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from deploy import identity, packages
from deploy.cluster_settings import settings_text
from deploy.identity import Process
from deploy.owner import Owner
from deploy.places import Places, write_json
from deploy.refusals import SetupError

PORT = 5432  # names the socket's file only; the server listens on no address
START_SECONDS = 600  # replaying the log after a crash in the middle of a large import takes minutes
STOP_SECONDS = 60


@dataclass(frozen=True)
class Cluster:
    """A database cluster on disk, running or not.

    Attributes
    ----------
    places
        The installation it belongs to.
    owner
        The system user whose it is.
    data, socket
        Its data folder; the short private folder of its socket (a socket's path has at most 107 bytes).
    disposable
        Whether it is a cluster for tests, which trades safety in a power cut for speed.
    """

    places: Places
    owner: Owner
    data: Path
    socket: Path
    disposable: bool = False

    @property
    def version(self) -> int:
        """Major version of the server that the data needs; without data, the newest installed."""
        stated = self.data / "PG_VERSION"
        installed = packages.postgres_versions()
        needed = int(stated.read_text().strip()) if stated.exists() else max(installed, default=0)
        if needed not in installed:
            raise SetupError(
                f"数据库需要 PostgreSQL {needed} 与 PostGIS，本机没有。",
                f"The database needs PostgreSQL {needed} with PostGIS, which this machine does not have.",
            )
        return needed

    def program(self, name: str) -> str:
        """Path of one of the server's programs."""
        return str(packages.POSTGRES_FOLDER / str(self.version) / "bin" / name)

    def create(self, superuser_password: str) -> bool:
        """Make the cluster; False when it exists. Interrupted work is thrown away and redone."""
        if (self.data / "PG_VERSION").exists():
            return False
        print("onemap: making a private database cluster", flush=True)
        unfinished = self.data.with_name(f"{self.data.name}.new")
        self._remove(unfinished)
        self._remove(self.data)
        self.owner.take(unfinished)
        # initdb reads the password from a file only, and the file has to be readable by its own user.
        script = 'f=$(mktemp) || exit 1; trap \'rm -f "$f"\' EXIT; cat > "$f"; "$@" --pwfile="$f"'
        command = [self.program("initdb"), "-D", str(unfinished), "-U", "postgres", "-E", "UTF8"]
        command += ["--locale=C.UTF-8", "--auth=scram-sha-256", "--data-checksums"]
        done = self.owner.run(["/bin/sh", "-c", script, "sh", *command], superuser_password + "\n")
        if done.returncode != 0:
            raise SetupError(f"initdb 失败：{done.stderr.strip()}", f"initdb failed: {done.stderr.strip()}")
        configuration = unfinished / "postgresql.conf"
        self.owner.write(configuration, configuration.read_text() + "\ninclude_dir = 'conf.d'\n")
        self.owner.take(unfinished / "conf.d")
        unfinished.rename(self.data)
        return True

    def start(self) -> bool:
        """Start the server and wait until it accepts connections; False when it ran already.

        Comes back by itself after anything that was killed: orphaned backends are ended, lock files of the
        dead are removed, and the server replays its log.
        """
        if self.postmaster() is not None:
            if self._accepts():
                return False
            self.stop()  # its socket was cleaned away, or it hangs: nobody can reach it
        self._end_orphans()
        self._make_socket_folder()
        self._remove_stale_locks()
        text = settings_text(self.socket, PORT, disposable=self.disposable)
        self.owner.write(self.data / "conf.d" / "onemap.conf", text)
        log = self.places.logs / "postgres-start.log"
        with log.open("ab") as output:
            server = subprocess.Popen(
                [self.program("postgres"), "-D", str(self.data)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                umask=0o077,
                **self.owner.identity(),
            )
        self._await_start(server, log)
        return True

    def _await_start(self, server: "subprocess.Popen[bytes]", log: Path) -> None:
        """Wait until a server that was just started accepts connections."""
        begun = time.monotonic()
        pause = threading.Event()
        told = False
        while not self._accepts():
            if server.poll() is not None or time.monotonic() - begun > START_SECONDS:
                raise SetupError(
                    f"数据库没有启动。日志：{log} 与 {self.data}/log",
                    f"The database did not start. Logs: {log} and {self.data}/log",
                )
            if not told and time.monotonic() - begun > 5:
                print("onemap: waiting for the database (it may be recovering)", flush=True)
                told = True
            pause.wait(0.05)

    def stop(self) -> None:
        """End the server and everything of it; return when no process is left."""
        server = self.postmaster()
        if server is not None:
            identity.send(server, signal.SIGINT)  # PostgreSQL's fast shutdown
            identity.wait_gone([server], STOP_SECONDS)
            identity.end([server], 10, signal.SIGQUIT)
        self._end_orphans()
        with contextlib.suppress(OSError):
            self.socket.rmdir()

    def postmaster(self) -> Process | None:
        """The running server of this very data folder."""
        try:
            number = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None
        process = identity.find(number)
        return process if process is not None and number in self.owner.pids_in(self.data) else None

    def processes(self) -> list[Process]:
        """Every process of the server, orphaned ones too."""
        found = (identity.find(number) for number in self.owner.pids_in(self.data))
        return [process for process in found if process is not None]

    def _accepts(self) -> bool:
        """Whether the server takes connections on our socket."""
        command = [self.program("pg_isready"), "-q", "-h", str(self.socket), "-p", str(PORT)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def _end_orphans(self) -> None:
        """End backends whose server was killed: a new one must not start beside them."""
        orphans = self.processes()
        if orphans:
            identity.end(orphans, 10, signal.SIGQUIT)

    def _make_socket_folder(self) -> None:
        """Make the socket's folder, private; refuse one that somebody else holds under that name."""
        try:
            self.socket.mkdir(mode=0o700)
        except FileExistsError:
            state = self.socket.lstat()
            if (
                self.socket.is_symlink()
                or not self.socket.is_dir()
                or state.st_uid not in (0, self.owner.uid)
            ):
                raise SetupError(
                    f"{self.socket} 被他人占用，请删除后重试。",
                    f"{self.socket} is held by somebody else; remove it.",
                ) from None
        self.owner.take(self.socket)

    def _remove_stale_locks(self) -> None:
        """Remove lock files whose process number another program has, or a dead server nobody has collected.

        PostgreSQL takes whatever has that number for a rival. Called only after `_end_orphans` has seen that
        no process works in the data folder; a lock whose number is free is left to PostgreSQL's own check.
        """
        for lock in (self.data / "postmaster.pid", self.socket / f".s.PGSQL.{PORT}.lock"):
            try:
                number = int(lock.read_text().split("\n", 1)[0])
            except (FileNotFoundError, ValueError):
                continue
            if identity.is_taken(number):
                lock.unlink(missing_ok=True)

    def _remove(self, folder: Path) -> None:
        """Remove the remains of an interrupted set-up."""
        if folder.exists():
            subprocess.run(["rm", "-rf", "--", str(folder)], check=True)

    def note(self) -> None:
        """Write down where the cluster is, for the site and for people."""
        content = {
            "data": str(self.data),
            "socket": str(self.socket),
            "port": PORT,
            "os_user": self.owner.name,
            "hash": self.places.digest,
            "var": str(self.places.var),
        }
        write_json(self.places.var / "cluster", content)
