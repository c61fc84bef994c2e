"""Every row of the benchmark works, on a city of a few thousand parcels."""

import json

import pytest

from tests.benchmarks import report, running
from tests.benchmarks.__main__ import arguments
from tests.benchmarks.bed import Bed
from tests.conftest import wait_until

PARCELS = 12_000
EVERY = frozenset(running.NAMES) - frozenset(running.PARTS["memory"])  # these: test_memory
BY_OGR2OGR = {"import_polygons", "import_append", "import_indexed"}


@pytest.fixture(scope="module")
def bed(tmp_path_factory, peopled):
    one = Bed(tmp_path_factory.mktemp("bench"), "postgres")
    one.copy(peopled)
    one.start_web()
    one.start_worker()
    wait_until(lambda: one.status("/healthz") == 200, 60)
    yield one
    one.stop()
    one.loader.close()
    one.drop()


def test_every_row_is_measured(bed, tmp_path):
    run = running.Run(bed, PARCELS, 1, EVERY, edit_seconds=1.0, plans=tmp_path / "plans.txt")

    rows = running.measure(run, tmp_path)

    missing = {one["peer"]: set(one["rows"]) for one in run.notes.missing}
    assert EVERY - {row.name for row in rows} == missing.get("ogr2ogr", set())
    assert missing.get("ogr2ogr", set()) in (set(), BY_OGR2OGR)
    assert all(row.ours > 0 and row.theirs > 0 for row in rows)
    assert next(row for row in rows if row.name == "edit_20x2_p95").facts["refused"] == 0
    plans = (tmp_path / "plans.txt").read_text(encoding="utf-8")
    assert all(f"== {name} " in plans for name in running.PARTS["filters"])
    report.write(tmp_path / "it.json", rows, size="small", count=PARCELS, missing=[], versions={})
    assert len(json.loads((tmp_path / "it.json").read_text())["rows"]) == len(rows)


def test_parts_and_rows_are_chosen_by_name():
    assert arguments(["--only", "filters"]).wanted == frozenset(running.PARTS["filters"])
    assert arguments(["--only", "changeset_50,items"]).wanted == {"changeset_50", "items_geojson_10k"}


def test_a_name_that_no_row_has_is_refused(capsys):
    with pytest.raises(SystemExit):
        arguments(["--only", "mvt_z99"])
    assert "mvt_z99" in capsys.readouterr().err
