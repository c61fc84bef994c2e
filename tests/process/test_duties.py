"""Duties are done when due, by one worker at a time, and survive their failures."""

import zlib

import pytest
from django.db import connections

from process import duties
from process.models import Worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def done(monkeypatch):
    monkeypatch.setattr(duties, "_duties", {})
    return []


def test_a_duty_is_done_at_once_and_then_when_due(done):
    duties.register("count", 3600, lambda: done.append(1))
    assert 0 <= duties.run_due() <= 1.0
    duties.run_due()
    assert done == [1]


def test_a_failing_duty_stops_neither_the_others_nor_itself(done):
    def fail():
        done.append("failed")
        raise ValueError

    duties.register("fail", 0, fail)
    duties.register("count", 0, lambda: done.append("counted"))
    duties.run_due()
    duties.run_due()
    assert done == ["failed", "counted", "failed", "counted"]


def test_what_another_worker_is_at_is_left_to_it(done):
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        number = zlib.crc32(b"count") - (1 << 31)
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [duties.LOCK_SPACE, number])
    duties.register("count", 0, lambda: done.append(1))
    duties.run_due()
    assert done == []
    other.close()
    Worker.objects.exists()
    duties.run_due()
    assert done == [1]
