"""Events as lines of JSON that cannot carry a secret."""

import json
import logging

import pytest

from appliance.log import ROOT, EventLog, JsonLines, place, start_logging
from tests.sim.logged import Logged

SECRET = "4821"


def test_an_event_is_one_line_of_json(logged: Logged) -> None:
    start_logging("info")
    EventLog("kiosk").info("visit.committed", visit=3, ms=41, linked=True, note="見本", entry=None)
    (line,) = logged()
    assert str(line.pop("at")).endswith("+00:00")
    assert line == {
        "level": "info",
        "program": "kiosk",
        "event": "visit.committed",
        "visit": 3,
        "ms": 41,
        "linked": True,
        "note": "見本",
        "entry": None,
    }


def test_the_level_decides(logged: Logged) -> None:
    log = EventLog("syncd")
    start_logging("warning")
    log.debug("a.b")
    log.info("a.b")
    log.warning("a.c")
    log.error("a.d")
    start_logging("debug")
    log.debug("a.e")
    assert [(line["event"], line["level"]) for line in logged()] == [
        ("a.c", "warning"),
        ("a.d", "error"),
        ("a.e", "debug"),
    ]


@pytest.mark.parametrize("value", [b"\x04\x08", bytearray(b"1234"), [1], {"pin": 1}, ValueError(SECRET), object()])
def test_what_is_not_plain_is_refused_without_being_shown(value: object, logged: Logged) -> None:
    start_logging("debug")
    with pytest.raises(TypeError) as refused:
        EventLog("kiosk").info("a.b", fine=1, bad=value)  # type: ignore[arg-type]  # that it is refused is the point
    assert str(refused.value) == f"field bad of a.b is a {type(value).__name__}, not a plain value"
    assert logged() == []


def test_bytes_are_refused_even_when_nobody_would_read_them(logged: Logged) -> None:
    start_logging("error")
    with pytest.raises(TypeError):
        EventLog("kiosk").debug("a.b", key=b"k" * 32)  # type: ignore[arg-type]  # that it is refused is the point


def test_the_text_of_a_foreign_exception_is_never_written(logged: Logged) -> None:
    start_logging("info")
    try:
        int(f"x{SECRET}")
    except ValueError:
        logging.getLogger("some.library").exception("could not read")
    (line,) = logged()
    assert (line["event"], line["message"], line["exception"]) == ("library", "could not read", "ValueError")
    assert SECRET not in str(line)


def test_libraries_are_heard_from_warning_up(logged: Logged) -> None:
    start_logging("debug")
    logging.getLogger("paho").debug("chatter")
    logging.getLogger("paho").info("chatter")
    logging.getLogger("paho").warning("broken %s", "pipe")
    assert [line["message"] for line in logged()] == ["broken pipe"]


def test_a_line_break_stays_inside_the_line() -> None:
    record = logging.LogRecord(f"{ROOT}.hub", logging.INFO, "", 0, "a.b", None, None)
    record.__dict__["fields"] = {"name": 'two\nlines"'}
    text = JsonLines().format(record)
    assert "\n" not in text
    assert json.loads(text)["name"] == 'two\nlines"'


def test_the_place_of_an_error_is_where_it_was_raised() -> None:
    def deep() -> None:
        raise ValueError(SECRET)

    with pytest.raises(ValueError) as caught:
        deep()
    found = place(caught.value)
    file, line = found.split(":")
    assert file == "test_log.py"
    assert int(line) == deep.__code__.co_firstlineno + 1
    assert SECRET not in found
    assert place(ValueError(SECRET)) == ""
