"""What the tests of geometry, systems and formats share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real files of several cities, beside the checkout."""
    return Path(__file__).parents[2].parent / "shared" / "data"
