"""var/bench.json as contract.md says."""

import json

import pytest

from tests.benchmarks.measure import alternate
from tests.benchmarks.report import Row, rows_of, table, write


@pytest.mark.parametrize(
    ("name", "peer", "target"),
    [
        ("import_polygons", "ogr2ogr", 0.67),
        ("import_indexed", "ogr2ogr", 0.67),
        ("import_append", "ogr2ogr", 0.4),
        ("import_replace", "create", 0.5),
        ("items_geojson_10k", "mapserver", 3.0),
        ("items_geojson_10k", "tipg", 1.0),
        ("changeset_2000", "published", 0.62),
        ("changeset_50", "published", 0.9),
        ("mvt_z16_citygrid", "bare-sql", 0.8),
    ],
)
def test_targets_are_those_of_the_contract(name, peer, target):
    assert Row(name, peer, 1.0, 1.0).target == target


def test_a_ratio_on_the_target_is_met():
    assert Row("mvt_z14_uncached", "bare-sql", 1.0, 0.8).to_json()["met"] is True
    assert Row("mvt_z14_uncached", "bare-sql", 1.0, 0.799).to_json()["met"] is False


def test_a_row_with_refusals_is_not_met_however_fast():
    assert Row("edit_20x2_p95", "figure", 0.01, 0.139, {"refused": 1}).to_json()["met"] is False
    assert Row("edit_20x2_p95", "figure", 0.01, 0.139, {"refused": 0}).to_json()["met"] is True


def test_the_file_has_one_row_per_peer_with_numbers(tmp_path):
    rows = rows_of("items_geojson_10k", {"ours": 0.1, "mapserver": 0.4, "tipg": 0.05})
    missing = [{"peer": "martin", "rows": ["mvt_z16_uncached"], "why": "not on this machine"}]

    write(
        tmp_path / "bench.json",
        rows,
        size="city",
        count=480_000,
        missing=missing,
        versions={"postgresql": "15"},
    )

    body = json.loads((tmp_path / "bench.json").read_text())
    assert body["size"] == "city"
    assert body["missing"] == missing
    assert [(one["peer"], one["ratio"], one["target"], one["met"]) for one in body["rows"]] == [
        ("mapserver", 4.0, 3.0, True),
        ("tipg", 0.5, 1.0, False),
    ]
    assert list(tmp_path.iterdir()) == [tmp_path / "bench.json"]
    assert len(table(rows)) == 3


def test_sides_take_turns_and_the_first_round_does_not_count():
    asked = []

    def side(name, seconds):
        def run(number):
            asked.append((name, number))
            return seconds[number]

        return run

    medians = alternate({"a": side("a", [90, 1, 2, 30]), "b": side("b", [90, 5, 4, 3])}, 3)

    assert medians == {"a": 2, "b": 4}
    assert asked == [("a", 0), ("b", 0), ("b", 1), ("a", 1), ("a", 2), ("b", 2), ("b", 3), ("a", 3)]
