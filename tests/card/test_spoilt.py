"""Cards that leave, answers that are cut, over-long or nonsense: an error of ours, and never a try for nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.card.connection import CardRemovedError, Meter, conversation
from appliance.card.files import ReaderTraits
from appliance.card.jpki import JpkiSession
from appliance.card.key import Key
from appliance.errors import MadoguchiError
from tests.card.conftest import Generation
from tests.card.holders import pins_sent, session_with, visit
from tests.card.table import Script, quietly, signed
from tests.sim.card import faults
from tests.sim.card.card import VirtualCard
from tests.sim.fixtures import MakeCard


@pytest.fixture
def card(make_card: MakeCard, generation: Generation) -> VirtualCard:
    return make_card(generation=generation.number)


@pytest.mark.parametrize("removed_at", range(1, 12))
@pytest.mark.parametrize("extended", [True, False])
@pytest.mark.parametrize("after_command", [True, False])
@pytest.mark.parametrize("key", Key)
def test_removed_at_any_exchange_no_try_is_lost_and_the_next_tap_works(
    card: VirtualCard, generation: Generation, removed_at: int, extended: bool, after_command: bool, key: Key
) -> None:
    card.extended_le = extended
    reader = ReaderTraits(extended_le=extended)
    session, meter = session_with(card, reader)
    card.removed_at, card.removed_after_command = removed_at, after_command
    try:
        visit(session, generation, key)
    except CardRemovedError:
        assert meter.exchanges == removed_at
    else:
        assert removed_at > meter.exchanges
    assert (card.pin_tries, card.password_tries) == (3, 5)
    assert pins_sent(card) <= 1
    session.leave()
    card.removed_at = None
    visit(session_with(card, reader)[0], generation, key)


@pytest.mark.parametrize("noise", [faults.cut(0), faults.cut(1), faults.overlong(), faults.status(0x6581)])
@pytest.mark.parametrize("number", range(1, 6))
def test_a_spoilt_answer_never_costs_more_than_the_pin_that_was_sent(
    card: VirtualCard, generation: Generation, number: int, noise: faults.Fault
) -> None:
    session, _ = session_with(card)
    card.faults[number] = noise
    try:
        certificate, signature = visit(session, generation)
    except MadoguchiError as error:
        assert error.code in {"card.protocol", "card.unknown", "card.no_certificate"}  # noqa: PT017
    else:
        assert generation.certificate_bytes in (len(certificate), None)
        assert len(signature) >= generation.signature_bytes
    assert card.pin_tries == 3
    assert pins_sent(card) <= 1


@quietly
@given(answers=st.lists(st.binary(min_size=2, max_size=400), min_size=90, max_size=90), key=st.sampled_from(Key))
def test_random_answers_end_in_an_error_of_ours(answers: list[bytes], key: Key) -> None:
    script = Script([one.hex() for one in answers])
    session = JpkiSession(conversation(script, Meter()))
    try:
        session.read_certificate(key)
        signed(session, bytearray(b"1234" if key is Key.AUTHENTICATION else b"ABC123"), bytes(32), key=key)
    except (MadoguchiError, IndexError) as error:
        # IndexError is the script's own: a card that announces more and more came to the end of the test's paper.
        assert isinstance(error, MadoguchiError) or not script._answers  # noqa: PT017
    assert sum(one.startswith(("0020009804", "0020009B06")) for one in script.commands) <= 1
