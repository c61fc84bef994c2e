"""One run of the benchmark: what is wanted, on which site, beside which peers."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from layers.levels import city_grid
from tests.benchmarks import drafts, editing, importing, memory, parcels, questions, serving
from tests.benchmarks.bare_sql import Floor
from tests.benchmarks.measure import Client
from tests.benchmarks.peers import MapServer, Missing, Tipg
from tests.benchmarks.tile_servers import Martin, PgFeatureserv, PgTileserv

PARTS = {
    "memory": memory.NAMES,
    "imports": importing.NAMES,
    "items": (serving.ITEMS_ROW,),
    "tiles": serving.TILE_NAMES,
    "filters": questions.NAMES,
    "changesets": drafts.NAMES,
    "edits": (editing.NAME,),
}
FULL = 480_000  # parcels of a city
NAMES = tuple(name for names in PARTS.values() for name in names)
FINE_TILES = tuple(name for name in serving.TILE_NAMES if serving.by_peers(name))


class Notes:
    """What stands beside the figures: versions, and the peers that are missing."""

    def __init__(self):
        self.versions, self.missing = {}, []

    def version(self, name, text):
        self.versions[name] = text

    def miss(self, peer, rows, why):
        """Name rows that a peer is missing from, so that nobody takes silence for a win."""
        self.missing.append({"peer": peer, "rows": list(rows), "why": str(why)})
        print(f"missing: {peer}: {why}", file=sys.stderr, flush=True)

    def lines(self):
        yield from (
            f"missing: {one['peer']} ({one['why']}): {', '.join(one['rows'])}" for one in self.missing
        )
        yield "versions: " + "; ".join(f"{name} {text}" for name, text in self.versions.items())


@dataclass
class Run:
    """What the measuring functions share.

    `extent` is the columns and rows of parcels; `plans` a file for the plans of our own statements.
    """

    bed: object
    count: int
    rounds: int
    wanted: frozenset
    edit_seconds: float
    plans: Path | None = None
    notes: Notes = field(default_factory=Notes)
    client: Client = field(default_factory=Client)

    @property
    def extent(self):
        return parcels.lattice(self.count)

    def wants(self, *names):
        """Whether any of these rows is to be measured."""
        return not self.wanted.isdisjoint(names)


def chosen(text):
    """The rows that a list of parts and rows names.

    Raises
    ------
    ValueError
        A word is neither.
    """
    found = set()
    for word in text.split(","):
        if word not in PARTS and word not in NAMES:
            raise ValueError(f"{word} is neither a part ({', '.join(PARTS)}) nor a row ({', '.join(NAMES)})")
        found.update(PARTS.get(word, (word,)))
    return frozenset(found)


def measure_memory(run, folder):
    """The rows of memory, of files as large as the run's size asks."""
    if not run.wants(*PARTS["memory"]):
        return []
    share = run.count / FULL
    points, polygons = ([round(one * share) for one in counts] for counts in (memory.POINTS, memory.POLYGONS))
    return memory.measure(run.bed, folder, points, polygons)


def measure(run, folder):
    """All the rows that are wanted, on a site whose web server and worker run."""
    path, rows = parcels.geopackage(folder, run.count), []
    for name, text in run.bed.versions().items():
        run.notes.version(name, text)
    try:
        if run.wants(*PARTS["imports"]):
            rows += importing.measure(run, path, lambda: parcels.next_year(folder, run.count))
        if run.wanted - frozenset((*PARTS["imports"], *PARTS["memory"])):
            rows += _reading(run, path)
    finally:
        run.client.close()
    return rows


def _reading(run, path):
    """Rows of reading and editing, on a layer imported for them."""
    importing.ours(run.bed, path, "create", serving.LAYER, fields=importing.SORTABLE)
    run.bed.draw_overviews()
    run.bed.settle()
    floor, peers, rows = Floor(run.bed.dsn), [], []
    try:
        for peer in (MapServer, Tipg, PgTileserv, PgFeatureserv, Martin):
            if run.wants(*_rows_of(peer)) and (one := _started(peer, run)) is not None:
                peers.append(one)
        rows += serving.measure_items(run, floor, peers)
        rows += serving.measure_tiles(run, floor, peers, city_grid())
        rows += questions.measure(run, floor, peers)
        if run.plans is not None:
            questions.explain(run, run.plans)
        rows += drafts.measure(run)
        rows += editing.measure(run)  # last: it changes the layer
    finally:
        floor.close()
        for peer in peers:
            peer.stop()
    return rows


def _rows_of(peer):
    offered = {"items": (serving.ITEMS_ROW,), "tile": FINE_TILES, "filtered": questions.NAMES}
    return [name for method, names in offered.items() if hasattr(peer, method) for name in names]


def _started(peer, run):
    """The peer, running; None where the machine does not have it."""
    try:
        found = peer(run.bed, serving.LAYER, run.extent)
    except Missing as missing:
        run.notes.miss(peer.name, sorted(run.wanted.intersection(_rows_of(peer))), missing)
        return None
    run.notes.version(found.name, found.version)
    return found
