"""The row of memory, on files small enough for a test."""

from tests.benchmarks.memory import MemoryRow, peak_of
from tests.benchmarks.report import table


def test_growth_over_fifteen_per_cent_misses_the_target():
    assert MemoryRow("import_memory_points", "small-file", 345.0, 300.0).to_json()["met"] is True
    over = MemoryRow("import_memory_points", "small-file", 346.0, 300.0)
    assert over.to_json()["met"] is False
    assert "346 MiB" in table([over])[1] and "NO" in table([over])[1]


def test_a_process_that_is_gone_has_no_peak():
    assert peak_of(2**22 + 1) == 0.0
