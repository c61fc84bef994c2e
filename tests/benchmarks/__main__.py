"""Measure, print the table, write var/bench.json."""

import argparse
import os
import shutil
import sys
from pathlib import Path

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from layers.levels import city_grid  # noqa: E402 - Django first
from tests.benchmarks import drafts, importing, memory, parcels, report, serving  # noqa: E402
from tests.benchmarks.bare_sql import Floor  # noqa: E402
from tests.benchmarks.bed import Bed  # noqa: E402
from tests.benchmarks.measure import Client  # noqa: E402
from tests.benchmarks.peers import MapServer, Missing, Tipg  # noqa: E402
from tests.conftest import ROOT, wait_until  # noqa: E402

PARTS = ("memory", "imports", "items", "tiles", "changesets")
MVT_ROWS = [name for name, *_ in serving.TILES]


class Notes:
    """What stands beside the figures: versions, and the peers that are missing."""

    def __init__(self):
        self.versions, self.missing = {}, []

    def version(self, name, text):
        self.versions[name] = text

    def miss(self, peer, rows, why):
        self.missing.append({"peer": peer, "rows": rows, "why": str(why)})
        print(f"missing: {peer}: {why}", file=sys.stderr, flush=True)

    def lines(self):
        yield from (
            f"missing: {one['peer']} ({one['why']}): {', '.join(one['rows'])}" for one in self.missing
        )
        yield "versions: " + "; ".join(f"{name} {text}" for name, text in self.versions.items())


def arguments():
    parser = argparse.ArgumentParser(prog="tests.benchmarks", description=__doc__)
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {','.join(PARTS)}")
    parser.add_argument("--count", type=int, default=480_000, help="parcels (targets are stated for 480,000)")
    parser.add_argument("--rounds", type=int, default=5, help="measured rounds; the median counts")
    parser.add_argument("--output", type=Path, default=ROOT / "var" / "bench.json")
    return parser.parse_args()


def name_absent(notes):
    """Tile servers that are compared nowhere here are named, so that nobody takes silence for a win."""
    for name in ("pg_tileserv", "martin"):
        found = shutil.which(name)
        notes.miss(name, MVT_ROWS, "not compared, though installed" if found else "not on this machine")


def started(peer, notes, rows, *words):
    """The peer, running; None where the machine does not have it."""
    try:
        found = peer(*words)
    except Missing as missing:
        notes.miss(peer.name, rows, missing)
        return None
    notes.version(found.name, found.version)
    return found


def serve(bed, options, path, notes, parts):
    """Rows of reading, on a layer imported for them."""
    extent = parcels.lattice(options.count)
    importing.ours(bed, path, "create", serving.LAYER)
    bed.settle()
    client, servers, rows = Client(), [], []
    try:
        if "items" in parts:
            limits = (
                parcels.WEST, parcels.SOUTH, parcels.WEST + 60 * extent[0], parcels.SOUTH + 60 * extent[1],
            )  # fmt: skip
            servers.append(started(MapServer, notes, ["items_geojson_10k"], bed, serving.LAYER, limits))
        tipg = None
        if {"items", "tiles"} & set(parts):
            tipg = started(Tipg, notes, ["items_geojson_10k", *MVT_ROWS[:2]], bed, serving.LAYER)
        servers.append(tipg)
        running = [one for one in servers if one is not None]
        if "items" in parts:
            rows += serving.measure_items(bed, client, running, options.rounds, extent)
        if "tiles" in parts:
            name_absent(notes)
            floor = Floor(bed.dsn)
            rows += serving.measure_tiles(bed, client, floor, tipg, options.rounds, extent, city_grid())
            floor.close()
        if "changesets" in parts:
            rows += drafts.measure(bed, client, options.rounds, extent)
    finally:
        client.close()
        for server in servers:
            if server is not None:
                server.stop()
    return rows


def main():
    options, notes, rows = arguments(), Notes(), []
    parts = options.only.split(",")
    folder = ROOT / "var" / "bench"
    print(f"making {options.count} parcels (once)", file=sys.stderr, flush=True)
    path = parcels.geopackage(folder, options.count)
    bed = Bed(folder / f"site-{os.getpid()}", settings.DATABASES["default"]["NAME"])
    try:
        bed.prepare()
        if "memory" in parts:  # before there is a worker
            rows += memory.measure(bed, folder)
        bed.start_web()
        bed.start_worker()
        wait_until(lambda: bed.status("/healthz") == 200, 60)
        for name, text in bed.versions().items():
            notes.version(name, text)
        if "imports" in parts:
            rows += importing.measure(bed, path, options.rounds, notes)
            changed = parcels.next_year(folder, options.count)
            rows += importing.measure_replace(bed, path, changed, options.rounds)
        if {"items", "tiles", "changesets"} & set(parts):
            rows += serve(bed, options, path, notes, parts)
    finally:
        bed.leave()
    report.write(options.output, rows, count=options.count, missing=notes.missing, versions=notes.versions)
    print("\n".join([*report.table(rows), *notes.lines(), f"written: {options.output}"]))


if __name__ == "__main__":
    main()
