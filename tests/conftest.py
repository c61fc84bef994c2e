"""What every test may ask for: real data, a site that runs, people with names."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings

from tests import databases, together

ROOT = Path(__file__).parents[1]
# Fixtures that test modules name as plugins and import from too: told before the first import.
pytest.register_assert_rewrite(
    *(f"tests.{name}" for name in ("layermaking", "matrix", "hostility", "surveying", "changesetting"))
)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data beside the checkout."""
    return ROOT.parent / "shared" / "data"


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config, items):
    """Groups are named before others read them; the order is ours after others made theirs."""
    if not together.one_of_several(config):
        return (yield)
    together.name_groups(items)
    answer = yield
    together.assert_grouped(items)
    items.sort(key=together.rank)
    return answer


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    with together.turn(item):
        return (yield)


def pytest_sessionfinish(session):
    """The templates go with the last that may copy them."""
    if not together.one_of_several(session.config):
        for made in together.run_folder(session.config).glob("template_*"):
            Site(made, made.name).drop()


def template(config, stem, make):
    """Name of a database to copy, made once for all workers of a run."""
    folder = together.run_folder(config)
    name = f"template_{stem}_{folder.name.replace('-', '_')}"
    one = Site(folder / name, name)
    with together.locked(folder / f"{stem}.lock"):
        if not one.folder.exists():
            make(one)
    return one.name


@pytest.fixture(scope="session")
def migrated(request):
    """Name of a database with the platform's empty tables, to copy."""
    return template(request.config, "migrated", lambda one: one.create())


@pytest.fixture(scope="session")
def peopled(request, migrated):
    """Name of one with the demonstration departments and accounts too."""

    def make(one):
        one.copy(migrated)
        one.shell("from demo.actions import settle_people; settle_people()")

    return template(request.config, "peopled", make)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix, migrated):
    """The database of the tests is a copy too."""
    connection.settings_dict["TEST"]["TEMPLATE"] = migrated


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """The database of the tests is emptied between tests, which the audit refuses elsewhere."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for table in ("process_auditrecord", "process_auditseal"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER never_emptied")


@pytest.fixture(scope="session", autouse=True)
def files_when_asked():
    """Each client in this process makes the middleware anew: files are found when asked for, not listed each time."""
    with override_settings(WHITENOISE_AUTOREFRESH=True):
        yield


def wait_until(condition, seconds=30.0, step=0.05):
    """The first true answer of `condition`; fails the test when none comes in time."""
    end, pause = time.monotonic() + seconds, threading.Event()
    while time.monotonic() < end:
        if answer := condition():
            return answer
        pause.wait(step)
    raise AssertionError(f"{condition} did not come true within {seconds} s")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Site:
    """A whole site of its own: database, web server and worker as processes."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.processes: list[subprocess.Popen] = []
        # settings.DATABASES names the test database of this very run inside tests; the server is the same.
        self.server = {
            key: settings.DATABASES["default"][key] for key in ("USER", "PASSWORD", "HOST", "PORT")
        }
        self.env = {
            **os.environ,
            "DATABASE_URL": self.url_of(name),
            "ONEMAP_VAR": str(folder),
            "ONEMAP_SECRET_KEY": "test-" * 10,
            "ONEMAP_DEMO_PASSWORD": "Test-city-2026",
        }
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def url_of(self, name: str) -> str:
        s = self.server
        password = f":{s['PASSWORD']}" if s["PASSWORD"] else ""
        return f"postgres://{s['USER']}{password}@/{name}?host={s['HOST']}&port={s['PORT']}"

    def connect(self, name: str | None = None):
        s = self.server
        return psycopg2.connect(
            dbname=name or self.name,
            user=s["USER"],
            password=s["PASSWORD"],
            host=s["HOST"],
            port=s["PORT"] or None,
        )

    def query(self, text: str, *values):
        with self.connect() as linked, linked.cursor() as cursor:
            cursor.execute(text, values)
            return cursor.fetchall() if cursor.description else []

    def create(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with closing(self.connect("postgres")) as linked:
            databases.create(linked, self.name)
        subprocess.run(self.command("migrate", "-v0"), env=self.env, check=True, cwd=ROOT)

    def copy(self, template: str) -> None:
        """Make the database as a copy of another one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with closing(self.connect("postgres")) as linked:
            databases.create(linked, self.name, template)

    def drop(self) -> None:
        with closing(self.connect("postgres")) as linked:
            databases.drop(linked, self.name)
        shutil.rmtree(self.folder, ignore_errors=True)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, str(ROOT / "manage.py"), *words]

    def manage(self, *words: str, env: dict | None = None) -> tuple[int, dict]:
        """Run a management command; its exit code and its JSON."""
        done = subprocess.run(
            [*self.command(*words), "--json"],
            env={**self.env, **(env or {})},
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=600,
        )
        lines = done.stdout.strip().splitlines()
        assert lines, done.stderr[-4000:]
        return done.returncode, json.loads(lines[-1])

    def shell(self, code: str) -> str:
        """Run Python inside the site; what it prints."""
        done = subprocess.run(
            [sys.executable, "-c", f"import django; django.setup()\n{code}"],
            env=self.env,
            capture_output=True,
            text=True,
            cwd=ROOT,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    def start_web(self) -> subprocess.Popen:
        granian = Path(sys.executable).with_name("granian")
        words = [str(granian), "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(self.port)]
        words += ["--workers", "1", "--blocking-threads", "32", "--no-access-log", "config.wsgi:application"]
        process = self._start(words, "web")
        wait_until(self.answers, 60)
        return process

    def start_worker(self) -> subprocess.Popen:
        process = self._start(self.command("worker"), "worker")
        wait_until(lambda: self.status("/healthz") == 200, 60)
        return process

    def _start(self, words: list[str], name: str) -> subprocess.Popen:
        log = (self.folder / f"{name}.log").open("ab")
        process = subprocess.Popen(
            words, env=self.env, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
        )
        self.processes.append(process)
        return process

    def kill(self, process: subprocess.Popen) -> None:
        """End a process and all it started, without a word."""
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            assert process.poll() is not None
        process.wait()

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                self.kill(process)

    def answers(self) -> bool:
        return self.status("/healthz") in {200, 503}

    def get(self, path: str, key: str | None = None, headers: dict | None = None, method="GET", body=None):
        """Status, headers and bytes of an answer."""
        sent = {**({"Authorization": f"Bearer {key}"} if key else {}), **(headers or {})}
        data = json.dumps(body).encode() if body is not None else None
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(self.url + path, headers=sent, method=method, data=data)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def status(self, path: str) -> int:
        try:
            return self.get(path)[0]
        except (OSError, urllib.error.URLError):
            return 0

    def json(self, path: str, key: str | None = None, **more) -> dict:
        status, _, body = self.get(path, key, **more)
        assert status == 200, (status, body[:500])
        return json.loads(body)


@pytest.fixture(scope="session")
def site(tmp_path_factory, peopled):
    """A running site with the demonstration departments but no layer: tests import their own."""
    one = Site(tmp_path_factory.mktemp("site"), f"onemap_site_{os.getpid()}")
    one.copy(peopled)
    one.start_web()
    one.start_worker()
    yield one
    one.stop()
    one.drop()


@pytest.fixture(scope="session")
def city(tmp_path_factory, migrated):
    """A running site with the demonstration city of size small."""
    one = Site(tmp_path_factory.mktemp("city"), f"onemap_city_{os.getpid()}")
    one.copy(migrated)
    one.start_web()
    one.start_worker()
    code, report = one.manage("demo_city", "--size", "small")
    assert code == 0, report
    yield one
    one.stop()
    one.drop()


@pytest.fixture(scope="session")
def live_site(city):
    """Address of the running demonstration city."""
    return city.url


@pytest.fixture
def fresh_site(tmp_path_factory, peopled):
    """A site of its own for tests that kill things; nothing runs yet."""
    one = Site(tmp_path_factory.mktemp("fresh"), f"onemap_fresh_{os.getpid()}_{free_port()}")
    one.copy(peopled)
    yield one
    one.stop()
    one.drop()
