"""Tests and checks: what CI runs is what everybody runs."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from deploy import client_build, identity, installation, packages, running, site
from deploy.client_build import Node
from deploy.places import Places, for_tests, live, make_var
from deploy.refusals import SetupError

MYPY_TARGETS = (
    *("spatial", "process", "accounts", "layers", "tiles"),
    *("planning", "gridcity", "demo", "config", "deploy"),
)
CHECKS = {
    "ruff": ("-m", "ruff", "check", "."),
    "ruff format": ("-m", "ruff", "format", "--check", "."),
    "mypy": ("-m", "mypy", *MYPY_TARGETS),
    "import contracts": ("-c", "from importlinter.cli import lint_imports_command as run; run()"),
    "migrations": ("manage.py", "makemigrations", "--check", "--dry-run"),
}
# A full run is shared out between processes as tests/together.py says: the tests wait for others half of their time.
SHARED_OUT = ("-n", "2", "--dist", "loadgroup", "--no-loadscope-reorder")


@dataclass(frozen=True)
class TestBed:
    """A prepared place to run tests: programs, and a database that tests may wipe."""

    places: Places
    node: Node

    def python(self, *arguments: str) -> bool:
        """Run the locked interpreter in the checkout against the test database; whether it succeeded."""
        sys.stdout.flush()
        environment = site.environment(self.places, "owner") | running.mark(self.places, "tests")
        browser = packages.chromium()
        if browser is not None:
            environment["ONEMAP_CHROMIUM"] = browser
        command = [str(self.places.python), *arguments]
        done = subprocess.run(
            command, cwd=self.places.root, env=environment, stdin=subprocess.DEVNULL, check=False
        )
        return done.returncode == 0

    def npm(self, *arguments: str) -> bool:
        """Run npm in client/; whether it succeeded."""
        sys.stdout.flush()
        return client_build.run_npm(self.places, self.node, *arguments) == 0


@contextmanager
def test_bed(places: Places, *, disposable: bool) -> Iterator[TestBed]:
    """Set up what tests need, with a cluster apart from the live one, so that no test can touch live data.

    At the end the cluster is stopped, and whatever the tests left running is ended.

    Raises
    ------
    SetupError
        Tests of this checkout are running already.
    """
    make_var(live())
    make_var(places)
    lock = running.take_lock(places, "tests")
    if lock is None:
        raise SetupError("本目录的测试正在运行。", "Tests of this checkout are running already.")
    cluster = None
    with lock:
        try:
            with running.take_setup_lock(live()):
                node = installation.prepare_programs(tests=True)
            cluster = installation.prepare_cluster(places, disposable=disposable)
            yield TestBed(places, node)
        finally:
            identity.end(running.remains(places, "tests"), 5)
            if cluster is not None:
                cluster.stop()


def test(arguments: Sequence[str]) -> int:
    """Every suite; pytest's own summary comes last. With arguments: pytest alone, with them."""
    if arguments:
        return pytest_only(*arguments)
    with test_bed(for_tests(), disposable=True) as bed:
        print("== client: vitest", flush=True)
        client = bed.npm("test")
        note = "" if client else " (the client's tests FAILED, see above)"
        print(f"== platform: pytest{note}", flush=True)
        platform = bed.python("-m", "pytest", *SHARED_OUT, "tests")
    return 0 if client and platform else 1


def check() -> int:
    """Style, types, import directions, migrations and the client's own checks; names those that failed."""
    failed = []
    with test_bed(for_tests(), disposable=True) as bed:
        for name, command in CHECKS.items():
            print(f"== {name}", flush=True)
            if not bed.python(*command):
                failed.append(name)
        print("== client: types, eslint", flush=True)
        if not bed.npm("run", "--silent", "check"):
            failed.append("client")
    print(f"checks failed: {', '.join(failed)}" if failed else "all checks passed", flush=True)
    return 1 if failed else 0


def pytest_only(*arguments: str) -> int:
    """One part of the platform's tests."""
    with test_bed(for_tests(), disposable=True) as bed:
        return 0 if bed.python("-m", "pytest", *arguments) else 1


def fuzz(minutes: float) -> int:
    """The generators of tests/fuzzing for so many minutes; each door's first fault is told at the end."""
    os.environ["ONEMAP_FUZZ_MINUTES"] = str(minutes)
    return pytest_only("tests/fuzzing", "-s")


def bench(arguments: Sequence[str]) -> int:
    """The measurements of tests/benchmarks, on a cluster of their own with the live one's settings."""
    folder = live().root / "tests" / "benchmarks"
    if not (folder / "__main__.py").exists():
        raise SetupError("tests/benchmarks 不存在。", "tests/benchmarks is missing.")
    with test_bed(Places(live().root, live().var / "bench"), disposable=False) as bed:
        site.migrate(bed.places)
        return 0 if bed.python("-m", "tests.benchmarks", *arguments) else 1
