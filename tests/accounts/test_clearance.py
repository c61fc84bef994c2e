"""Levels compare by height."""

import pytest

from accounts.clearance import Clearance

LEVELS = ["public", "internal", "sensitive"]


@pytest.mark.parametrize("one", LEVELS)
@pytest.mark.parametrize("other", LEVELS)
def test_levels_compare_by_height(one, other):
    low, high = LEVELS.index(one), LEVELS.index(other)
    assert (Clearance(one) < Clearance(other)) is (low < high)
    assert (Clearance(one) <= other) is (low <= high)
    assert (Clearance(one) > other) is (low > high)
    assert (Clearance(one) >= Clearance(other)) is (low >= high)


def test_secret_is_no_level():
    with pytest.raises(ValueError, match="secret"):
        Clearance("secret")
