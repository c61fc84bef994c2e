import pytest
from django.core.cache import cache
from django.db import connection

from accounts.actions import ensure_department, ensure_role, ensure_user

PASSWORD = "correct horse battery"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """The database of the tests is emptied between tests, which the audit refuses elsewhere."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for table in ("process_auditrecord", "process_auditseal"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER never_emptied")


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
