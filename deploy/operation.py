"""run, start, stop, status: the life of the platform."""

import subprocess
import sys
import threading
import time
from pathlib import Path

from deploy import cluster_location, health, identity, installation, running, site
from deploy.places import Places, make_var
from deploy.refusals import SetupError
from deploy.supervisor import Supervisor, say

HEALTHY_SECONDS = 180
STOP_SECONDS = 150  # the supervisor's own patience with services and database, and some
LOG = "onemap.log"
NOT_RUNNING = 3  # exit code of `status`, as service scripts have it


def run(places: Places, host: str, port: int | None, demo: str) -> int:
    """Set up what is missing and run in the foreground until Ctrl-C."""
    make_var(places)
    lock = running.take_setup_lock(places)
    if _says_running(places):
        return 0
    cluster = installation.prepare(places, demo)

    def greet(url: str) -> None:
        print(site.welcome(places, url) + "\n  停止 stop: Ctrl-C", flush=True)

    Supervisor(places, cluster, host, port, lock.close, greet).run()
    return 0


def supervise(places: Places, host: str, port: int | None) -> int:
    """Run an installation that is set up, watched over by this process; what it says goes to a log."""
    cluster = installation.prepare_cluster(places)
    Supervisor(places, cluster, host, port, lambda: None, lambda url: say(f"healthy: {url}")).run()
    return 0


def start(places: Places, host: str, port: int | None, demo: str) -> int:
    """Set up what is missing, run in the background, return once /healthz answers 200."""
    make_var(places)
    with running.take_setup_lock(places):
        if _says_running(places):
            return 0
        cluster = installation.prepare(places, demo)
        if cluster is not None:
            cluster.stop()  # the supervisor starts it again as its own child, and so collects it when it ends
        record = _start_in_background(places, host, port)
    print(site.welcome(places, record.url), flush=True)
    print(f"  日志 log: {places.logs / LOG}", flush=True)
    return 0


def _start_in_background(places: Places, host: str, port: int | None) -> running.Record:
    """Start a supervisor in a session of its own and wait; a platform that does not get healthy is ended."""
    log = places.logs / LOG
    command = [sys.executable, "-B", "-m", "deploy", "supervise", "--host", host]
    command += ["--port", str(port)] if port is not None else []
    with log.open("ab") as output:
        begun = output.tell()
        process = subprocess.Popen(
            command,
            cwd=places.root,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            umask=0o077,
        )
    record = _await_health(places, process)
    if record is None:
        print(_tail(log, begun), file=sys.stderr, flush=True)
        stop(places, quiet=True)
        raise SetupError(f"启动失败。日志：{log}", f"The platform did not start. Log: {log}")
    return record


def _await_health(places: Places, process: "subprocess.Popen[bytes]") -> running.Record | None:
    """Wait until the platform this process supervises is healthy; None when it ended or took too long."""
    deadline = time.monotonic() + HEALTHY_SECONDS
    pause = threading.Event()
    while time.monotonic() < deadline and process.poll() is None:
        record = running.read_record(places)
        if record is not None and record.supervisor.pid == process.pid and health.answers(record.url):
            return record
        pause.wait(0.2)
    return None


def _tail(log: Path, begun: int, lines: int = 30) -> str:
    """The last lines of what this start wrote into the log."""
    with log.open("rb") as file:
        file.seek(begun)
        text = file.read().decode("utf-8", "replace")
    return "\n".join(text.splitlines()[-lines:])


def stop(places: Places, *, quiet: bool = False) -> int:
    """End the platform, or what a killed one left behind; no process is left when this returns."""
    record = running.read_record(places)
    if record is not None:
        identity.end([record.supervisor], STOP_SECONDS)
    identity.end(running.all_remains(places), 10)
    cluster = cluster_location.existing(places)
    if cluster is not None:
        cluster.stop()
    running.forget_record(places)
    if not quiet:
        print("onemap: 已停止 stopped", flush=True)
    return 0


def status(places: Places) -> int:
    """Say what runs; exit code 0 when healthy, 1 when running but not healthy, 3 when not running."""
    record = running.read_record(places)
    cluster = cluster_location.existing(places)
    server = cluster.postmaster() if cluster is not None else None
    left = running.all_remains(places)
    if record is None:
        print("onemap: 未运行 not running")
        if left or server:
            state = "running" if server else "stopped"
            print(f"  left over from a killed run: {len(left)} processes, database {state}")
            print("  `make run` or `make start` takes over; `make stop` ends them")
        return NOT_RUNNING
    print(f"onemap: 运行中 running  {record.url}  (supervisor {record.supervisor.pid})")
    for service in running.SERVICES:
        pids = " ".join(str(process.pid) for process in running.remains(places, service))
        print(f"  {service:<9} {pids or 'down'}")
    if site.has_private_cluster():
        print(f"  database  {server.pid if server else 'down'}")
    code, body = health.ask(record.url) if record.url else (0, "")
    print(f"  /healthz  {code or 'no answer'} {body}")
    return 0 if code == health.OK else 1


def _says_running(places: Places) -> bool:
    """Say so when the platform runs already."""
    record = running.read_record(places)
    if record is None:
        return False
    print(f"onemap: 已在运行 running already: {record.url} (make status, make stop)", flush=True)
    return True
