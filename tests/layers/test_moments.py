"""`as-of` and `datetime`: what is read, and what is refused."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers import catalogue
from layers.models import Change
from layers.moments import CITY_TIME, BadMoment, Moment, parse_moment
from tests import layermaking, people

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]


@pytest.fixture(scope="module")
def layer(kept):
    """A layer of five revisions, one minute apart."""
    people.offices()
    made = layermaking.make_layer("moments_ground", layermaking.ground("moments_ground"))
    Change.objects.filter(layer=made).delete()
    for revision in range(1, 6):
        Change.objects.create(
            layer=made,
            revision=revision,
            at=datetime(2026, 5, 1, 12, revision, tzinfo=UTC),
            kind="edit",
            author="t",
        )
    return catalogue.current().layer("moments_ground")


def test_nothing_asked_is_today_as_known_now(layer):
    today = datetime.now(CITY_TIME).date()
    assert parse_moment(layer, None, None) == Moment(None, today, today)


@pytest.mark.parametrize(
    ("text", "revision"),
    [
        ("rev:0", 0),
        ("rev:3", 3),
        ("rev:007", 7),
        ("2026-05-01T12:00:59Z", 0),
        ("2026-05-01T12:01:00Z", 1),
        ("2026-05-01T12:01:00.000000Z", 1),
        ("2026-05-01t12:03:30z", 3),
        ("2026-05-01T20:03:00+08:00", 3),
        ("2026-05-01T20:02:59.999999999+08:00", 2),
        ("2026-05-01T07:05:00-05:00", 5),
        ("2099-01-01T00:00:00Z", 5),
        ("1900-01-01T00:00:00Z", 0),
    ],
)
def test_as_of_is_the_last_revision_not_later(layer, text, revision):
    assert parse_moment(layer, text, None).revision == revision


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rev:",
        "rev:-1",
        "rev:１",
        "rev:1 ",
        "rev:1\n",
        "rev:1e3",
        "REV:1",
        "1",
        "2026-05-01",
        "now",
        "rev:" + "9" * 19,
    ]
    + ["2026-05-01T12:00:00", "2026-05-01 12:00:00Z", "2026-13-01T12:00:00Z", "2026-05-01T25:00:00Z"]
    + [
        "2026-05-01T12:00:00+99:00",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59Z",
    ]
    + ["２０２６-05-01T12:00:00Z", "'; SELECT pg_sleep(9) --", "rev:1 OR 1=1", "\x00"],
)
def test_as_of_that_is_no_time_is_refused(layer, text):
    with pytest.raises(BadMoment) as refusal:
        parse_moment(layer, text, None)
    assert refusal.value.facts["name"] == "as-of"


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-01-31", date(2026, 1, 31), date(2026, 1, 31)),
        ("2026-01-31T23:00:00Z", date(2026, 2, 1), date(2026, 2, 1)),
        ("2026-01-31T23:00:00+08:00", date(2026, 1, 31), date(2026, 1, 31)),
        ("2026-01-31/2026-02-28", date(2026, 1, 31), date(2026, 2, 28)),
        ("2026-01-31/..", date(2026, 1, 31), None),
        ("2026-01-31/", date(2026, 1, 31), None),
        ("../2026-01-31", None, date(2026, 1, 31)),
        ("/2026-01-31", None, date(2026, 1, 31)),
        ("../..", None, None),
        ("2026-01-31/2026-01-31", date(2026, 1, 31), date(2026, 1, 31)),
        ("2026-01-31T00:00:00Z/2026-03-01", date(2026, 1, 31), date(2026, 3, 1)),
    ],
)
def test_datetime_is_a_day_or_an_interval(layer, text, start, end):
    assert parse_moment(layer, None, text) == Moment(None, start, end)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "..",
        "../",
        "a/b",
        "2026-02-30",
        "2026-01-31/2026-01-30",
        "2026-01-01/2026-01-02/2026-01-03",
        "20260131",
    ]
    + [
        "2026-01-31T00:00:00",
        "２０２６-01-31",
        "2026-01-31 ",
        "2026-01-31\n",
        "0000-01-01",
        "10000-01-01",
        "rev:1",
    ],
)
def test_datetime_that_is_none_is_refused(layer, text):
    with pytest.raises(BadMoment) as refusal:
        parse_moment(layer, None, text)
    assert refusal.value.facts["name"] == "datetime"


def test_both_times_are_read_together(layer):
    assert parse_moment(layer, "rev:2", "2026-01-31/..") == Moment(2, date(2026, 1, 31), None)


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)), st.integers(-12, 14))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_a_time_means_the_same_in_every_zone(layer, when, hours):
    shifted = when.astimezone(CITY_TIME)
    text = when.isoformat().replace("+00:00", "Z")
    local = (when + timedelta(hours=hours)).replace(tzinfo=None).isoformat() + f"{hours:+03d}:00"
    expected = Moment(None, shifted.date(), shifted.date())
    assert parse_moment(layer, None, text) == parse_moment(layer, None, local) == expected
    assert parse_moment(layer, text, None).revision == parse_moment(layer, local, None).revision


@given(
    st.one_of(
        st.text(max_size=40), st.from_regex(r"\A[0-9T:Z.+/ -]{0,40}\Z"), st.from_regex(r"\Arev:.{0,30}\Z")
    )
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_any_text_is_read_or_refused(layer, text):
    for arguments in ((text, None), (None, text)):
        try:
            moment = parse_moment(layer, *arguments)
        except BadMoment as refusal:
            assert refusal.text("zh") and refusal.text("en")
        else:
            assert moment.revision is None or 0 <= moment.revision < 10**18
            assert moment == replace(moment)
