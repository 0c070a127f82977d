"""Why records wait, in every state of the line, and how long what is left takes."""

from dataclasses import replace
from datetime import datetime

import pytest

from appliance.errors import Field
from appliance.services.backlog import SILENT_MS, USUAL_BYTES, Backlog, Waiting, explain_backlog, sentences_of
from appliance.services.condition import Condition, Heard
from appliance.store.disk import Disk
from tests.web.messages import SENTENCES

UNTIL = 1_790_000_000_000
WELL = Condition(
    now_ms=UNTIL - 1, recorded=30_000, receipted=10_000, last_entry_ms=1, oldest_pending_ms=1,
    disk=Disk(1 << 30, 1 << 31), enrolled=True, reader=None, sync=None,
)  # fmt: skip


def heard(age_ms: int = 0, **word: Field) -> Condition:
    return replace(WELL, sync=Heard({"connected": True, "bytes_an_entry": 100, **word}, age_ms))


def test_lessons_slow_it_down_until_they_end() -> None:
    found = explain_backlog(heard(reason="lessons", rate_bit_s=250_000, until_ms=UNTIL), 16_000_000)
    assert (found.waiting, found.pending, found.bytes_left) == (Waiting.LESSONS, 20_000, 2_000_000)
    assert (found.until_ms, found.seconds, found.seconds_free) == (UNTIL, 64, 1)


def test_the_cap_of_the_operator_has_no_end_of_its_own() -> None:
    found = explain_backlog(heard(reason="cap", rate_bit_s=100_000, until_ms=None), None)
    assert (found.waiting, found.until_ms, found.seconds, found.seconds_free) == (Waiting.CAP, None, 160, None)


@pytest.mark.parametrize(("line_bit_s", "seconds"), [(None, None), (1_000_000, 16), (10**9, 1)])
def test_what_is_on_its_way_takes_as_long_as_the_line_says(line_bit_s: int | None, seconds: int | None) -> None:
    found = explain_backlog(heard(reason="free", rate_bit_s=None), line_bit_s)
    assert (found.waiting, found.seconds) == (Waiting.SENDING, seconds)


@pytest.mark.parametrize(
    ("condition", "waiting"),
    [
        (replace(WELL, receipted=30_000), Waiting.NOTHING),
        (replace(WELL, enrolled=False), Waiting.NOT_ENROLLED),
        (WELL, Waiting.SILENT),
        (heard(SILENT_MS + 1), Waiting.SILENT),
        (heard(connected=False, reason="lessons", rate_bit_s=250_000), Waiting.OFFLINE),
        (heard(), Waiting.SENDING),
    ],
)
def test_every_other_state_is_told_apart_and_names_no_rate(condition: Condition, waiting: Waiting) -> None:
    found = explain_backlog(condition, None)
    assert (found.waiting, found.seconds, found.until_ms) == (waiting, None, None)


def test_before_anything_was_sent_an_entry_counts_as_usual() -> None:
    assert explain_backlog(WELL, None).bytes_left == 20_000 * USUAL_BYTES


def test_what_is_said_names_the_hour_the_amount_and_both_times() -> None:
    found = explain_backlog(heard(reason="lessons", rate_bit_s=25_000, until_ms=UNTIL), 100_000)
    until = f"{datetime.fromtimestamp(UNTIL / 1000).astimezone():%H:%M}"
    assert sentences_of(found) == [
        ("backlog.lessons", {"pending": 20_000, "left": "2.0 MB", "until": until}),
        ("backlog.takes_minutes", {"count": 11}),
        ("backlog.later_minutes", {"count": 3, "until": until}),
    ]


@pytest.mark.parametrize("waiting", Waiting)
@pytest.mark.parametrize("seconds", [None, 1, 119, 120, 7_199, 7_200, 900_000])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_state_has_its_sentence(waiting: Waiting, seconds: int | None, language: str) -> None:
    backlog = Backlog(waiting, 3, 4_000, UNTIL if waiting is Waiting.LESSONS else None, seconds, seconds)
    for code, fields in sentences_of(backlog):
        assert SENTENCES.text(language, code, **fields)
    assert sentences_of(backlog)[0][1]["left"] == "4 kB"
