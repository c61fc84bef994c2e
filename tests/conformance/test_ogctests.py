"""The executable test suite `ogctests` (OGC API Features, Core) against the running server.

It wants an older pyarrow than the platform and so has an environment of its own below `var/tools`, made once from
ogctests.txt (every package by hash). It fetches nothing from outside: its schemas are inside its package.
"""

import hashlib
import os
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from deploy.places import live
from deploy.python_environment import make_tool
from tests.real_buildings import SEEN, key_of

LOCK = Path(__file__).with_name("ogctests.txt")
TESTS = 29


@pytest.fixture(scope="session")
def suite():
    """The interpreter of the suite's own environment."""
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:8]
    folder = make_tool(live(), f"ogctests-{digest}", "--require-hashes", "--requirement", str(LOCK))
    return folder / "bin" / "python"


def outcomes(suite, address, folder):
    """Name and outcome of every test of features/core."""
    report = folder / "report.xml"
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--pyargs", "ogctests.features.core"]
    done = subprocess.run(
        [str(suite), *words, f"--junit-xml={report}", f"--rootdir={folder}"],
        env={
            **{name: text for name, text in os.environ.items() if "PYTEST" not in name},
            "INSTANCE_URL": address,
        },
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert report.exists(), done.stdout[-3000:] + done.stderr[-1000:]
    found = {}
    for case in ET.parse(report).iter("testcase"):
        words = [child.get("message", "") for child in case if child.tag in {"failure", "error", "skipped"}]
        found[case.get("name")] = " ".join(words) or "passed"
    return found


def test_every_test_of_features_core_passes(suite, site, blocks, tmp_path):
    found = outcomes(suite, f"{site.url}/ogc", tmp_path)
    assert set(found.values()) == {"passed"}, found
    assert len(found) == TESTS


def test_it_passes_for_a_key_too(suite, site, blocks, buildings, tmp_path):
    # A department of its own: the suite asks every collection it is told of for its features.
    fields = ("--fields", ",".join(SEEN))
    site.manage(
        "grant", "--layer", buildings.name, "--to", "department:emergency", "--actions", "view,query", *fields
    )
    address = site.url.replace("http://", f"http://any:{key_of(site, 'emergency')}@")
    found = outcomes(suite, f"{address}/ogc", tmp_path)
    assert set(found.values()) == {"passed"}, found
    assert len(found) == TESTS
