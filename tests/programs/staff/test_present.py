"""The state of the box as the pages tell it."""

from dataclasses import replace
from datetime import datetime

import pytest

from appliance.errors import Field
from appliance.ledger.entry import EPOCH_MS
from appliance.programs.staff.present import Presenter, State
from appliance.services.condition import FAULT, Condition, Heard
from appliance.services.sealing import HOST_ONLY
from tests.services.test_checks import WELL
from tests.web.messages import SENTENCES

SINCE_MS = 1_794_990_000_000


def told(condition: Condition) -> State:
    return Presenter(lambda: condition, SENTENCES, lambda: 8_000_000).state()


def test_a_box_that_is_well() -> None:
    state = told(WELL)
    assert state.well
    assert (state.line, state.reader, state.problems) == ("online", "empty", [])
    assert (state.sent_size, state.line_since, state.confirmed_at, state.reason) == (0, None, None, "")


@pytest.mark.parametrize(
    ("enrolled", "sync", "line"),
    [
        (False, None, "none"),
        (False, Heard({"connected": True}, 0), "none"),
        (True, None, "silent"),
        (True, Heard({"connected": True}, 120_001), "silent"),
        (True, Heard({"connected": True}, 120_000), "online"),
        (True, Heard({"connected": False}, 0), "offline"),
        (True, Heard({}, 0), "offline"),
    ],
)
def test_the_line_in_one_word(enrolled: bool, sync: Heard | None, line: str) -> None:
    assert told(replace(WELL, enrolled=enrolled, sync=sync)).line == line


@pytest.mark.parametrize(
    ("reader", "word"),
    [
        (None, "silent"),
        (Heard({"state": "empty"}, 60_001), "silent"),
        (Heard({"state": "present"}, 60_000), "present"),
        (Heard({"state": "reader_absent"}, 0), "reader_absent"),
    ],
)
def test_the_reader_in_one_word(reader: Heard | None, word: str) -> None:
    assert told(replace(WELL, reader=reader)).reader == word


def test_what_was_sent_counts_only_while_the_line_is_up() -> None:
    said: dict[str, Field] = {
        "connected": True,
        "sent_size": 7,
        "since_ms": SINCE_MS,
        "confirmed_ms": SINCE_MS + 1000,
        "reason": "x",
    }
    up = told(replace(WELL, sync=Heard(said, 0)))
    assert up.sent_size == 7
    assert up.line_since == datetime.fromtimestamp(SINCE_MS / 1000).astimezone()
    assert up.confirmed_at == datetime.fromtimestamp(SINCE_MS / 1000 + 1).astimezone()
    assert up.reason == "x"
    assert told(replace(WELL, sync=Heard({**said, "connected": False}, 0))).sent_size == 0
    assert told(replace(WELL, sync=Heard(said, 200_000))).sent_size == 0


@pytest.mark.parametrize("odd", [None, "soon", 0, -5, EPOCH_MS - 1])
def test_odd_times_are_no_times(odd: str | int | None) -> None:
    state = told(replace(WELL, sync=Heard({"connected": True, "since_ms": odd, "sent_size": odd}, 0)))
    assert state.line_since is None


def test_what_is_only_to_be_known_leaves_the_box_well() -> None:
    state = told(replace(WELL, keys=HOST_ONLY))
    assert state.well
    assert [one.code for one in state.notes] == ["health.keys_on_disk"]


def test_problems_are_told_in_three_sentences_faults_first() -> None:
    state = told(replace(WELL, reader=None, enrolled=False, receipted=7))
    assert not state.well
    assert [one.code for one in state.problems] == ["health.kiosk_silent", "health.not_enrolled"]
    first, second = state.problems
    assert first.severity == FAULT
    assert first.what == SENTENCES.text("ja", "health.kiosk_silent")
    assert "3 件の記録" in second.means
    assert second.cure == SENTENCES.text("ja", "health.not_enrolled", "next")


def test_why_records_wait_is_said_in_one_breath() -> None:
    assert told(replace(WELL, receipted=WELL.recorded)).backlog.startswith("送るものはありません")
    slow: dict[str, Field] = {
        "connected": True, "reason": "lessons", "rate_bit_s": 250_000, "until_ms": SINCE_MS, "bytes_an_entry": 1_000,
    }  # fmt: skip
    said = told(replace(WELL, recorded=50_000, receipted=10_000, sync=Heard(slow, 0))).backlog
    hour = f"{datetime.fromtimestamp(SINCE_MS / 1000).astimezone():%H:%M}"
    assert f"{hour} までは ゆっくり送っています。残り 40,000 件（約 40.0 MB）" in said
    assert "あと約 21 分" in said
    assert f"{hour} からなら、約 40 秒" in said
