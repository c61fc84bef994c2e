"""Measure, print the table, write var/bench.json."""

import argparse
import os
import sys
from pathlib import Path

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from tests.benchmarks import report, running  # noqa: E402 - Django first
from tests.benchmarks.bed import Bed  # noqa: E402
from tests.conftest import ROOT, wait_until  # noqa: E402

# Parcels, measured rounds, seconds of editing. Targets are stated for the city; small proves that every row works.
SIZES = {"small": (12_000, 1, 3.0), "city": (480_000, 5, 30.0)}


def arguments(words=None):
    parser = argparse.ArgumentParser(prog="tests.benchmarks", description=__doc__)
    parser.add_argument("--only", default=",".join(running.PARTS), help="parts or rows, separated by commas")
    parser.add_argument("--size", choices=SIZES, default="city", help="small: every row in a minute or two")
    parser.add_argument("--rounds", type=int, help="measured rounds; the median counts")
    parser.add_argument(
        "--plans", type=Path, help="a file for the database's plans of the filters' statements"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "var" / "bench.json")
    found = parser.parse_args(words)
    try:
        found.wanted = running.chosen(found.only)
    except ValueError as error:
        parser.error(str(error))
    return found


def main():
    options = arguments()
    count, rounds, edit_seconds = SIZES[options.size]
    folder = ROOT / "var" / "bench"
    print(f"making {count} parcels (once)", file=sys.stderr, flush=True)
    bed = Bed(folder / f"site-{os.getpid()}", settings.DATABASES["default"]["NAME"])
    try:
        bed.prepare()
        run = running.Run(bed, count, options.rounds or rounds, options.wanted, edit_seconds, options.plans)
        rows = running.measure_memory(run, folder)  # before there is a worker
        bed.start_web()
        bed.start_worker()
        wait_until(lambda: bed.status("/healthz") == 200, 60)
        rows += running.measure(run, folder)
    finally:
        bed.leave()
    told = {
        "size": options.size,
        "count": count,
        "missing": run.notes.missing,
        "versions": run.notes.versions,
    }
    report.write(options.output, rows, **told)
    print("\n".join([*report.table(rows), *run.notes.lines(), f"written: {options.output}"]))


if __name__ == "__main__":
    main()
