"""Sightings become events with numbers; who watches misses nothing."""

import threading
import time
from dataclasses import replace

from appliance.card.events import EVENTS_KEPT, CardEvents
from appliance.card.readers import Sighting
from appliance.card.service import CardEvent, CardState

HERE = ("Alpha Reader 00 00", "Beta Reader 01 00")
EMPTY = Sighting(CardState.EMPTY, HERE[0], 0, readers=HERE)
CARD = Sighting(CardState.PRESENT, HERE[0], 1, readers=HERE)


def test_nothing_was_seen_yet() -> None:
    events = CardEvents()
    assert events.last is None
    assert events.next(0, 0) is None


def test_what_is_seen_again_is_no_event() -> None:
    events = CardEvents()
    assert events.note(EMPTY) == "reader.empty"
    assert events.note(EMPTY) is None
    assert events.next(1, 0) is None


def test_insertions_are_counted_over_all_readers() -> None:
    events = CardEvents()
    other = replace(CARD, reader=HERE[1])
    numbers = []
    for sighting in (EMPTY, CARD, replace(CARD, mark=3), other, CARD, EMPTY, CARD):
        events.note(sighting)
        assert events.last is not None
        numbers.append(events.last.insertion)
    assert numbers == [0, 1, 2, 3, 4, 4, 5]


def test_another_program_or_another_reader_is_no_other_card() -> None:
    events = CardEvents()
    events.note(CARD)
    assert events.note(replace(CARD, held=True)) == "reader.held"
    assert events.last == CardEvent(CardState.PRESENT, HERE[0], 1, held=True, readers=HERE)
    assert events.note(CARD) == "reader.seen"
    assert events.note(replace(CARD, readers=HERE[:1])) == "reader.seen"
    assert events.last == CardEvent(CardState.PRESENT, HERE[0], 1, readers=HERE[:1])


def test_a_card_that_stops_answering_is_the_same_card() -> None:
    events = CardEvents()
    assert events.note(CARD) == "card.seen"
    assert events.note(replace(CARD, state=CardState.MUTE)) == "card.mute"
    assert events.last is not None
    assert events.last.insertion == 1


def test_who_waits_is_woken_by_the_next_event() -> None:
    events = CardEvents()
    events.note(EMPTY)
    threading.Timer(0.05, events.note, [CARD]).start()
    found = events.next(1, 5)
    assert found is not None
    assert (found[0], found[1].state) == (2, CardState.PRESENT)


def test_who_is_too_slow_misses_the_oldest() -> None:
    events = CardEvents()
    for mark in range(EVENTS_KEPT + 10):
        events.note(replace(EMPTY, mark=mark))
    found = events.next(1, 0)
    assert found is not None
    assert found[0] == 11


def test_at_the_end_nobody_waits() -> None:
    events = CardEvents()
    events.note(EMPTY)
    events.end()
    before = time.monotonic()
    assert events.next(1, 5) is None
    assert time.monotonic() - before < 1
