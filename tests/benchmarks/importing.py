"""Rows of loading: our import with all its checks against ogr2ogr; a delivery in which little changed against our own.

import_polygons and import_append load the file into a layer without fields to sort by; import_indexed makes four
indexes besides, on both sides.
"""

import time

from tests.benchmarks.measure import alternate
from tests.benchmarks.parcels import SORTED
from tests.benchmarks.peers import Missing, Ogr2ogr
from tests.benchmarks.report import rows_of

LAYER = "bench_import"
LOADED, INDEXED, REPLACED = ("import_polygons", "import_append"), "import_indexed", "import_replace"
NAMES = (*LOADED, INDEXED, REPLACED)
SORTABLE = {name: {"indexed": True} for name in SORTED}


def ours(bed, path, mode, layer=LAYER, **options):
    """Seconds from the call of import_now to its report; the worker does the job, as in a running site."""
    told = bed.loader.ask({"path": str(path), "options": {"layer": layer, "mode": mode, **options}})
    if told["report"]["status"] != "done":
        raise RuntimeError(str(told["report"])[:2000])
    return told["seconds"]


def timed(function, *arguments):
    began = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - began


def measure(run, path, changed):
    """The rows that are wanted.

    Parameters
    ----------
    changed
        Makes the file of the next delivery.
    """
    rows = []
    if run.wants(*LOADED, INDEXED):
        rows += _beside_loader(run, path)
    if run.wants(REPLACED):
        rows += _replace(run, path, changed())
    return rows


def _beside_loader(run, path):
    try:
        loader = Ogr2ogr(run.bed)
    except Missing as missing:
        run.notes.miss("ogr2ogr", [*LOADED, INDEXED], missing)
        return []
    run.notes.version("ogr2ogr", loader.version)
    rows = _load(run, path, loader) if run.wants(*LOADED) else []
    return rows + (_load_indexed(run, path, loader) if run.wants(INDEXED) else [])


def _load(run, path, loader):
    """Each round creates a layer and appends the same file to it, on both sides."""
    made = {"create": {"ours": {}, "ogr2ogr": {}}, "append": {"ours": {}, "ogr2ogr": {}}}

    def our_round(number):
        made["create"]["ours"][number] = ours(run.bed, path, "create")
        made["append"]["ours"][number] = ours(run.bed, path, "append")
        run.bed.drop_layers(LAYER)
        return made["create"]["ours"][number]

    def their_round(number):
        made["create"]["ogr2ogr"][number] = timed(loader.create, path)
        made["append"]["ogr2ogr"][number] = timed(loader.append, path)
        return made["create"]["ogr2ogr"][number]

    created = alternate({"ours": our_round, "ogr2ogr": their_round}, run.rounds)
    appended = alternate({side: times.__getitem__ for side, times in made["append"].items()}, run.rounds)
    return [*rows_of(LOADED[0], created), *rows_of(LOADED[1], appended)]


def _load_indexed(run, path, loader):
    def our_round(_number):
        seconds = ours(run.bed, path, "create", fields=SORTABLE)
        run.bed.drop_layers(LAYER)
        return seconds

    def their_round(_number):
        return timed(loader.create, path) + timed(loader.index, SORTED)

    return rows_of(INDEXED, alternate({"ours": our_round, "ogr2ogr": their_round}, run.rounds))


def _replace(run, path, changed):
    """A delivery in which one in a hundred changed, by key; the layer's own creation is its peer."""
    created = {}

    def replaced(number):
        created[number] = ours(run.bed, path, "create", key="code")
        seconds = ours(run.bed, changed, "replace", key="code")
        run.bed.drop_layers(LAYER)
        return seconds

    seconds = alternate({"ours": replaced}, run.rounds)
    return rows_of(REPLACED, seconds | alternate({"create": created.__getitem__}, run.rounds))
