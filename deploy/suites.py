"""Tests and checks: what CI runs is what everybody runs."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from deploy import client_build, installation, packages, running, site
from deploy.client_build import Node
from deploy.cluster import Cluster
from deploy.places import Places, for_tests, live, make_var
from deploy.refusals import SetupError

MYPY_TARGETS = (
    "spatial",
    "process",
    "accounts",
    "layers",
    "tiles",
    "planning",
    "gridcity",
    "demo",
    "config",
    "deploy",
)


@dataclass(frozen=True)
class TestBed:
    """A prepared place to run tests: programs, and a database that tests may wipe."""

    places: Places
    node: Node
    cluster: Cluster | None

    def python(self, *arguments: str) -> bool:
        """Run the locked interpreter in the checkout against the test database; whether it succeeded."""
        sys.stdout.flush()
        environment = site.environment(self.places, "owner")
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


def prepare() -> TestBed:
    """Set up what tests need. The test cluster is apart from the live one, so no test can touch live data."""
    make_var(live())
    places = for_tests()
    with running.take_setup_lock(live()):
        node = installation.prepare_programs(tests=True)
        make_var(places)
        cluster = installation.prepare_cluster(places, disposable=True)
    return TestBed(places, node, cluster)


def close(bed: TestBed) -> None:
    """End the test database."""
    if bed.cluster is not None:
        bed.cluster.stop()


def test(arguments: Sequence[str]) -> int:
    """Every suite; pytest's own summary comes last. With arguments: pytest alone, with them."""
    bed = prepare()
    try:
        if arguments:
            return 0 if bed.python("-m", "pytest", *arguments) else 1
        print("== client: vitest", flush=True)
        client = bed.npm("test")
        print(
            "== platform: pytest" + ("" if client else " (the client's tests FAILED, see above)"), flush=True
        )
        platform = bed.python("-m", "pytest", "tests")
    finally:
        close(bed)
    return 0 if client and platform else 1


def check() -> int:
    """Style, types, import directions, migrations and the client's own checks; names those that failed."""
    bed = prepare()
    steps = {
        "ruff": ("-m", "ruff", "check", "."),
        "ruff format": ("-m", "ruff", "format", "--check", "."),
        "mypy": ("-m", "mypy", *MYPY_TARGETS),
        "import contracts": ("-c", "from importlinter.cli import lint_imports_command as run; run()"),
        "migrations": ("manage.py", "makemigrations", "--check", "--dry-run"),
    }
    failed = []
    try:
        for name, command in steps.items():
            print(f"== {name}", flush=True)
            if not bed.python(*command):
                failed.append(name)
        print("== client: types, eslint", flush=True)
        if not bed.npm("run", "--silent", "check"):
            failed.append("client")
    finally:
        close(bed)
    print(f"checks failed: {', '.join(failed)}" if failed else "all checks passed", flush=True)
    return 1 if failed else 0


def pytest_only(*arguments: str) -> int:
    """One part of the tests."""
    bed = prepare()
    try:
        return 0 if bed.python("-m", "pytest", *arguments) else 1
    finally:
        close(bed)


def bench(arguments: Sequence[str]) -> int:
    """The measurements of tests/benchmarks, on a cluster of their own with the live one's settings."""
    folder = live().root / "tests" / "benchmarks"
    if not (folder / "__main__.py").exists():
        raise SetupError("tests/benchmarks 不存在。", "tests/benchmarks is missing.")
    make_var(live())
    places = Places(live().root, live().var / "bench")
    node = installation.prepare_programs(tests=True)
    make_var(places)
    bed = TestBed(places, node, installation.prepare_cluster(places))
    try:
        site.migrate(places)
        return 0 if bed.python("-m", "tests.benchmarks", *arguments) else 1
    finally:
        close(bed)
