import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from config import libraries
from tests.conftest import ROOT, free_port, wait_until

RIGHT = {"wrong": 0, "first": []}


def answers(address):
    try:
        with urllib.request.urlopen(f"http://{address}/ogc/conformance", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def run(site, *words):
    done = subprocess.run(
        [sys.executable, *words],
        env={**site.env, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_web_servers_threads_get_right_answers_from_every_library(site):
    address = f"127.0.0.1:{free_port()}"
    words = [str(Path(sys.executable).with_name("granian")), "--interface", "wsgi", "--workers", "1"]
    words += ["--host", "127.0.0.1", "--port", address.split(":")[1], "tests.config.mixed_wsgi:application"]
    with (site.folder / "mixed.log").open("ab") as log:
        server = subprocess.Popen(
            words,
            env={**site.env, "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            stderr=log,
            stdout=log,
            start_new_session=True,
        )
    try:
        wait_until(lambda: answers(address), 60)
        with urllib.request.urlopen(f"http://{address}/mixed", timeout=120) as answer:
            assert json.load(answer) == {"calls": 1600, **RIGHT}
    finally:
        site.kill(server)


def test_a_workers_job_gets_right_answers_with_rasterio_beside(fresh_site):
    fresh_site.env["ONEMAP_JOB_MODULES"] = "tests.config.mixed_raster"
    fresh_site.env["PYTHONPATH"] = str(ROOT)
    fresh_site.shell("from process import jobs; jobs.enqueue('mixed_calls', {}, created_by='test')")
    fresh_site._start(fresh_site.command("worker"), "worker")
    ((state, found),) = wait_until(
        lambda: fresh_site.query(
            "SELECT state, result FROM process_job WHERE state IN ('done', 'failed', 'parked')"
        ),
        120,
    )
    assert (state, found) == ("done", {"calls": 2000, **RIGHT})


def test_a_command_gets_right_answers(site):
    code = "import json; from tests.config import mixed_calls; print(json.dumps(mixed_calls.report()))"
    assert run(site, "manage.py", "shell", "-v0", "-c", code) == {"calls": 1600, **RIGHT}


def test_a_render_process_gets_right_answers_with_mapnik_beside(site):
    assert run(site, "-m", "tests.config.mixed_render") == {"calls": 2400, **RIGHT}


def test_no_process_but_the_renderers_has_mapnik(site):
    code = "import sys, json, config.urls; print(json.dumps([n for n in ('mapnik', 'rasterio') if n in sys.modules]))"
    assert run(site, "manage.py", "shell", "-v0", "-c", code) == []


def test_the_wheels_carry_one_library_each():
    assert Path(libraries.gdal_library()).parent.name == "pyogrio.libs"
    assert Path(libraries.geos_library()).parent.name == "shapely.libs"


@pytest.mark.parametrize(
    ("package", "pattern"), [("no_such_package", "*"), ("shapely", "*.so*"), ("shapely", "x*")]
)
def test_a_wheel_without_its_library_is_named(package, pattern):
    with pytest.raises(libraries.MissingLibrary, match=package):
        libraries.bundled(package, pattern)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("3.12.4", (3, 12, 4)),
        ("GEOS 3.14.1-CAPI-1.20.5", (3, 14, 1)),
        ("3.10.0dev", (3, 10, 0)),
        ("none", ()),
    ],
)
def test_versions_are_compared_by_number(text, version):
    assert libraries.version_of(text) == version


def test_the_network_stays_off_for_proj():
    assert os.environ["PROJ_NETWORK"] == "OFF"
