"""One event is one line, whatever was sent: threats.md P-20."""

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.logs import JsonFormatter


def line_of(text, error=None):
    record = logging.LogRecord("onemap.test", logging.ERROR, __file__, 1, "fault at %s", (text,), error)
    record.request_id = "0" * 32
    return JsonFormatter().format(record)


FORGED = [
    "a\r\n{}",
    "\n",
    "\x1b[31mred",
    "\u202egnp.exe",
    "\u2028",
    "\u2029",
    "\x85",
    '","level":"info"',
    "\ud800",
    "\x7f",
]


@pytest.mark.parametrize("text", FORGED)
def test_a_forged_line_stays_inside_its_event(text):
    line = line_of(text)
    assert len(line.splitlines()) == 1
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["message"] == f"fault at {text}"


def test_an_exception_stays_inside_its_event():
    try:
        raise ValueError("a\nb\x1b")
    except ValueError as error:
        line = line_of("x", (ValueError, error, error.__traceback__))
    assert len(line.splitlines()) == 1
    assert "ValueError" in json.loads(line)["exception"]


@given(st.text())
def test_any_text_is_one_printable_line(text):
    assert line_of(text).isprintable()
