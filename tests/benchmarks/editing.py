"""Row edit_20x2_p95: twenty editors of one layer at two edits a second each, beside readers of the same layer.

The slowest of twenty edits against the slowest that architecture decision 5 saw where rules come before locks; beside
it the same of the floor (editors.py) and what was refused.
"""

import statistics
import threading

from tests.benchmarks.measure import Client, Helper
from tests.benchmarks.report import Row
from tests.benchmarks.serving import LAYER, boxes

NAME = "edit_20x2_p95"
FIGURE_S = 0.139
READERS, PAGE = 2, 200


class Readers:
    """Clients who read pages of the layer as long as they are let."""

    def __init__(self, run):
        asked = (",".join(str(value) for value in box) for box in boxes(50, *run.extent))
        self.paths = [f"/ogc/collections/{LAYER}/items?limit={PAGE}&bbox={listed}" for listed in asked]
        self.port, self.enough, self.client = run.bed.port, threading.Event(), Client()
        self.thread = threading.Thread(target=self._read)

    def _read(self):
        while not self.enough.is_set():
            self.client.seconds(self.port, self.paths, clients=READERS)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.enough.set()
        self.thread.join()
        self.client.close()


def percentile(seconds):
    """The 95th of a hundred."""
    return statistics.quantiles(seconds, n=20)[-1]


def measure(run):
    """The row: as many seconds of it on each side, one after the other."""
    if not run.wants(NAME):
        return []
    run.bed.let_edit(LAYER)
    ours = Helper("editors", "http", str(run.bed.port), run.bed.key("editors"), LAYER)
    floor = Helper("editors", "sql", run.bed.dsn, LAYER)
    for helper in (ours, floor):
        helper.ask({"seconds": 1})  # connections and plans
    with Readers(run):
        told, bare = (helper.ask({"seconds": run.edit_seconds}) for helper in (ours, floor))
    ours.close()
    floor.close()
    facts = {
        "median": round(statistics.median(told["seconds"]), 6),
        "floor": round(percentile(bare["seconds"]), 6),
        "edits": len(told["seconds"]),
        "refused": told["refused"],
    }
    return [Row(NAME, "figure", percentile(told["seconds"]), FIGURE_S, facts)]
