"""Which of several readers counts."""

import pytest

from appliance.card.choice import Choice, Slot
from appliance.card.service import CardState

A, B, C = "Alpha Reader 00 00", "Beta Reader 01 00", "Beta Reader 01 01"
EMPTY, PRESENT, MUTE = CardState.EMPTY, CardState.PRESENT, CardState.MUTE


def counts(choice: Choice, *slots: tuple[str, CardState]) -> str | None:
    """The name of the one that counts, which is then settled on, as whoever looks does."""
    found = choice.foremost([Slot(name, state) for name, state in slots])
    if found is not None:
        choice.settle(found.reader)
    return None if found is None else found.reader


@pytest.mark.parametrize(
    ("prefix", "allowed"),
    [("", [A, B, C]), ("Alpha", [A]), ("Beta Reader", [B, C]), (B, [B]), ("beta", []), ("Gamma", [])],
)
def test_the_configured_name_is_the_beginning_of_a_readers_name(prefix: str, allowed: list[str]) -> None:
    assert Choice(prefix).allowed([A, B, C]) == allowed


def test_no_reader_no_choice() -> None:
    assert counts(Choice("")) is None


@pytest.mark.parametrize("better", [(PRESENT, MUTE), (PRESENT, EMPTY), (MUTE, EMPTY)])
def test_a_card_counts_before_a_mute_one_and_that_before_none(better: tuple[CardState, CardState]) -> None:
    good, bad = better
    assert counts(Choice(""), (A, good), (B, bad)) == A
    assert counts(Choice(""), (A, bad), (B, good)) == B


def test_among_equals_the_first_counts_and_goes_on_counting() -> None:
    choice = Choice("")
    assert counts(choice, (A, EMPTY), (B, EMPTY)) == A
    assert counts(choice, (A, EMPTY), (B, PRESENT)) == B
    assert counts(choice, (A, PRESENT), (B, PRESENT)) == B  # a second card changes nothing
    assert counts(choice, (A, PRESENT), (B, EMPTY)) == A
    assert counts(choice, (A, PRESENT), (B, PRESENT)) == A
    assert counts(choice, (A, EMPTY), (B, EMPTY)) == A


def test_the_reader_that_counted_may_vanish_and_come_back() -> None:
    choice = Choice("")
    assert counts(choice, (A, EMPTY), (B, PRESENT)) == B
    assert counts(choice, (A, PRESENT)) == A
    assert counts(choice, (A, PRESENT), (B, PRESENT)) == A
