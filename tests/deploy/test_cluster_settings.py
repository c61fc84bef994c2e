from pathlib import Path

import pytest

from deploy import cluster_settings


@pytest.mark.parametrize(
    ("memory", "buffers"),
    [(512, 128), (1024, 256), (8192, 2048), (16384, 4096), (24 * 1024, 4096), (10**6, 4096)],
)
def test_a_quarter_of_memory_at_most_four_gigabytes(memory, buffers):
    assert cluster_settings.scaled(memory, 2, disposable=False)["shared_buffers"] == f"'{buffers}MB'"


def test_one_core_runs_no_query_in_parallel():
    assert cluster_settings.scaled(4096, 1, disposable=False)["max_parallel_workers_per_gather"] == "0"


def test_the_live_cluster_is_safe_and_closed():
    text = cluster_settings.settings_text(Path("/run/onemap-0"), 5432, disposable=False)
    assert "listen_addresses = ''" in text
    assert "password_encryption = 'scram-sha-256'" in text
    assert "fsync" not in text
    assert "synchronous_commit" not in text


def test_only_a_cluster_for_tests_is_fast_at_the_cost_of_safety():
    assert "fsync = off" in cluster_settings.settings_text(Path("/run/onemap-0"), 5432, disposable=True)
