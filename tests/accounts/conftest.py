import pytest
from django.core.cache import cache

from accounts.actions import ensure_department, ensure_role, ensure_user

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def fresh_cache():
    cache.clear()


@pytest.fixture
def city(db):
    return ensure_department("city", "市政府", "City", clearance="sensitive")


@pytest.fixture
def transport(city):
    return ensure_department("transport", "交通", "Transport", city)


@pytest.fixture
def lin(transport):
    """Lin plans roads."""
    planner = ensure_role("planner", "规划编制", "Planner")
    return ensure_user("lin", PASSWORD, transport, [planner], "林")
