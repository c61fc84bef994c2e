"""Watch over the platform's processes: start them, start them again when they die, end them together."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

from deploy import identity, ports, running, site
from deploy.cluster import Cluster
from deploy.health import answers
from deploy.places import Places, write_text
from deploy.refusals import SetupError

WEB_PROCESSES = 2
WEB_THREADS = 64
END_SECONDS = 30
STEADY_SECONDS = 60  # a process that ran this long was not started in vain
LONGEST_PAUSE_SECONDS = 30
LOG_BYTES = 64 * 1024 * 1024


@dataclass
class Service:
    """One process of the platform that has to run, with what follows when it does not.

    Attributes
    ----------
    failures
        Ends in a row without a steady run between them; each doubles the pause before the next start.
    due
        When to start it (monotonic seconds).
    """

    name: str
    command: list[str]
    environment: dict[str, str]
    process: "subprocess.Popen[bytes] | None" = None
    failures: int = 0
    begun: float = 0.0
    due: float = 0.0

    def start(self, places: Places) -> None:
        """Start the process in a session of its own: the terminal's Ctrl-C is the supervisor's to handle."""
        identity.end(running.remains(places, self.name), 10)
        self.begun = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            cwd=places.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            umask=0o077,
        )

    def watch(self, places: Places) -> None:
        """Start the process when it is due; notice its end."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.due:
                self.start(places)
            return
        code = self.process.poll()
        if code is None:
            return
        self.failures = 0 if now - self.begun > STEADY_SECONDS else self.failures + 1
        pause = min(2.0 ** (self.failures - 1), LONGEST_PAUSE_SECONDS) if self.failures else 0.0
        say(f"{self.name} ended ({_reason(code)}); starting it again in {pause:.0f} s")
        self.process, self.due = None, now + pause

    def end(self) -> None:
        """Ask the process to end; does not wait."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)


@dataclass
class Supervisor:
    """The platform in one process tree.

    Attributes
    ----------
    cluster
        The private database cluster; None when DATABASE_URL names another database.
    on_begin
        Called when no other platform of this installation can start any more.
    on_healthy
        Called with the address once the platform answers.
    """

    places: Places
    cluster: Cluster | None
    host: str
    wanted_port: int | None
    on_begin: Callable[[], None]
    on_healthy: Callable[[str], None]
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Run the platform until a signal asks for its end; no process is left when this returns.

        Raises
        ------
        SetupError
            The platform runs already, or the port is taken.
        """
        lock = running.take_lock(self.places, "supervisor")
        if lock is None:
            raise SetupError("平台已在运行。", "The platform is running already.")
        with lock:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, self._on_signal)
            identity.end(running.all_remains(self.places), 10)
            port, hold = ports.choose(self.host, self.wanted_port)
            services = make_services(self.places, self.host, port)
            url = address(self.host, port)
            try:
                running.write_record(self.places, url)
                write_text(self.places.var / "port", f"{port}\n", mode=0o644)
                self.on_begin()
                self._watch(services, url)
            finally:
                self._end(services)
                if hold is not None:
                    hold.close()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping.set()

    def _watch(self, services: list[Service], url: str) -> None:
        """Look at everything twice a second until the end is asked for."""
        database = _watch_cluster(self.cluster)
        told = False
        while not self.stopping.is_set():
            database()
            for service in services:
                service.watch(self.places)
            if not told and answers(url):
                self.on_healthy(url)
                told = True
            _keep_log_short(self.places)
            self.stopping.wait(0.5)

    def _end(self, services: list[Service]) -> None:
        """End services first, then the database they use."""
        for service in services:
            service.end()
        leaders = [found for item in services if item.process and (found := identity.find(item.process.pid))]
        identity.wait_gone(leaders, END_SECONDS)
        identity.end(running.all_remains(self.places), 2)
        if self.cluster is not None:
            self.cluster.stop()
        running.forget_record(self.places)


def _watch_cluster(cluster: Cluster | None) -> Callable[[], None]:
    """A check, cheap enough for every round, that starts the database again when its server is gone."""
    if cluster is None:
        return lambda: None
    server = cluster.postmaster()

    def check() -> None:
        nonlocal server
        if server is None or not server.is_alive():
            say("the database server ended; starting it again")
            try:
                cluster.start()
            except SetupError as refusal:
                say(refusal.english)
            server = cluster.postmaster()

    return check


def make_services(places: Places, host: str, port: int) -> list[Service]:
    """The processes of the platform: the web server without rights to change tables, worker and follower."""
    python = str(places.python)
    web = [
        python,
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--http",
        "1",
        "--no-ws",
        "--host",
        host,
        "--port",
        str(port),
    ]
    web += ["--workers", str(WEB_PROCESSES), "--blocking-threads", str(WEB_THREADS), "--backpressure", "128"]
    web += [
        "--respawn-failed-workers",
        "--workers-kill-timeout",
        "10",
        "--no-access-log",
        "--log-level",
        "error",
    ]
    return [
        Service(
            "web",
            [*web, "config.wsgi:application"],
            site.environment(places, "web") | running.mark(places, "web"),
        ),
        Service(
            "worker",
            [python, "manage.py", "worker"],
            site.environment(places, "owner") | running.mark(places, "worker"),
        ),
        Service(
            "follower",
            [python, "manage.py", "follow_tiles"],
            site.environment(places, "owner") | running.mark(places, "follower"),
        ),
    ]


def address(host: str, port: int) -> str:
    """The address to open on this machine for a server that listens on `host`.

    Examples
    --------
    >>> address("0.0.0.0", 8000), address("::", 8001), address("10.1.2.3", 80)
    ('http://127.0.0.1:8000/', 'http://[::1]:8001/', 'http://10.1.2.3:80/')
    """
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{name}]:{port}/" if ":" in name else f"http://{name}:{port}/"


def say(text: str) -> None:
    """A line for the operator, with the time: it ends up in a log."""
    print(f"onemap: {time.strftime('%Y-%m-%d %H:%M:%S')} {text}", flush=True)


def _reason(code: int) -> str:
    """How a process ended, in words."""
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _keep_log_short(places: Places) -> None:
    """Turn the background log over when it is large; writers append, so emptying it under them is safe."""
    log = places.logs / "onemap.log"
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.with_suffix(".log.1").write_bytes(log.read_bytes())
        with log.open("r+b") as file:
            file.truncate(0)
