"""Rows import_polygons and import_append: our import with all its checks against ogr2ogr; import_replace: our own."""

import json
import subprocess
import sys
import time

from tests.benchmarks.measure import alternate
from tests.benchmarks.peers import Missing, Ogr2ogr
from tests.benchmarks.report import rows_of
from tests.conftest import ROOT

LAYER = "bench_import"


def ours(bed, path, mode, layer=LAYER, key=None):
    """Seconds from the call of import_now to its report; the worker does the job, as in a running site."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.one_import", str(path), layer, mode, *([key] if key else [])],
        env=bed.env, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    told = json.loads(done.stdout.splitlines()[-1])
    if told["report"]["status"] != "done":
        raise RuntimeError(str(told["report"])[:2000])
    return told["seconds"]


def timed(function, *arguments):
    began = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - began


def measure(bed, path, rounds, notes):
    """Both rows: each round creates a layer and appends the same file to it, on both sides."""
    try:
        loader = Ogr2ogr(bed)
    except Missing as missing:
        notes.miss("ogr2ogr", ["import_polygons", "import_append"], missing)
        return []
    notes.version("ogr2ogr", loader.version)
    made = {"create": {"ours": {}, "ogr2ogr": {}}, "append": {"ours": {}, "ogr2ogr": {}}}

    def our_round(number):
        made["create"]["ours"][number] = ours(bed, path, "create")
        made["append"]["ours"][number] = ours(bed, path, "append")
        bed.drop_layers(LAYER)
        return made["create"]["ours"][number]

    def their_round(number):
        made["create"]["ogr2ogr"][number] = timed(loader.create, path)
        made["append"]["ogr2ogr"][number] = timed(loader.append, path)
        return made["create"]["ogr2ogr"][number]

    created = alternate({"ours": our_round, "ogr2ogr": their_round}, rounds)
    appended = alternate({side: times.__getitem__ for side, times in made["append"].items()}, rounds)
    return [*rows_of("import_polygons", created), *rows_of("import_append", appended)]


def measure_replace(bed, path, changed, rounds):
    """The row of a delivery in which one in a hundred changed, by key; the layer's own creation is its peer."""
    created = {}

    def replaced(number):
        created[number] = ours(bed, path, "create", key="code")
        seconds = ours(bed, changed, "replace", key="code")
        bed.drop_layers(LAYER)
        return seconds

    seconds = alternate({"ours": replaced}, rounds)
    return rows_of("import_replace", seconds | alternate({"create": created.__getitem__}, rounds))
