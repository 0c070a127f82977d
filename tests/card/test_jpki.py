"""The session with a card, against the virtual one and against answers written down."""

import gc
import weakref

import pytest

from appliance.card.connection import Meter, conversation
from appliance.card.files import CardTraits, ReaderTraits
from appliance.card.jpki import (
    CertificateLockedError,
    JpkiSession,
    NoCertificateError,
    NoSignatureCertificateError,
    NotOpenedError,
    UnknownCardError,
)
from appliance.card.key import Key
from appliance.card.token import Kind
from appliance.errors import MadoguchiError
from tests.card.conftest import Generation
from tests.card.holders import assert_signed, session_with, visit
from tests.card.table import Script, Wire
from tests.sim.card import files
from tests.sim.card.card import VirtualCard
from tests.sim.card.files import Ef, Secret
from tests.sim.fixtures import MakeCard


@pytest.fixture
def card(make_card: MakeCard, generation: Generation) -> VirtualCard:
    return make_card(generation=generation.number)


def test_certificate_and_signature_in_five_exchanges(card: VirtualCard, generation: Generation) -> None:
    session, meter = session_with(card)
    certificate, signature = visit(session, generation)
    assert_signed(certificate, signature)
    assert generation.certificate_bytes in (len(certificate), None)
    assert len(signature) == generation.signature_bytes
    commands = 15 + 7 + 4 + 9 + 6 + (51 if generation.signature_bytes == 256 else 48)
    answers = 2 + len(certificate) + 2 + 2 + 2 + len(signature) + 2
    assert (meter.exchanges, meter.bytes) == (5, commands + answers)
    if generation.certificate_bytes:
        assert meter.bytes == 1811


def test_ten_exchanges_without_extended_le(make_card: MakeCard, generation: Generation) -> None:
    card = make_card(generation=generation.number)
    card.extended_le = False
    reader = ReaderTraits()
    session, meter = session_with(card, reader)
    length = len(session.read_certificate())
    reads = -(-length // 256)
    assert meter.exchanges == 2 + reads  # one of them to find out
    session, meter = session_with(card, reader)
    assert_signed(*visit(session, generation))
    assert meter.exchanges == 4 + reads
    if generation.certificate_bytes:
        assert (meter.exchanges, meter.bytes) == (10, 1844)


@pytest.mark.parametrize("extended", [True, False])
@pytest.mark.parametrize("style", ["filler", "style_61xx", "style_6cxx", "style_6282", "no_limit", "counter_9000"])
@pytest.mark.parametrize("key", Key)
def test_habits_of_cards_make_no_difference(
    card: VirtualCard, generation: Generation, style: str, extended: bool, key: Key
) -> None:
    setattr(card, style, True)
    card.extended_le = extended
    assert_signed(*visit(session_with(card)[0], generation, key))


def test_one_pin_is_enough_for_several_signatures(card: VirtualCard, generation: Generation) -> None:
    session, meter = session_with(card)
    certificate, first = visit(session, generation)
    assert_signed(certificate, first)
    assert_signed(certificate, session.sign(generation.digest))
    assert meter.exchanges == 6


def test_both_keys_in_one_conversation(card: VirtualCard, generation: Generation) -> None:
    session, _ = session_with(card)
    assert_signed(*visit(session, generation))
    with pytest.raises(NotOpenedError):
        session.sign(generation.digest, Key.SIGNATURE)
    assert_signed(*visit(session, generation, Key.SIGNATURE))
    assert card.verified == {Secret.PIN, Secret.PASSWORD}


def test_without_a_pin_nothing_is_signed(card: VirtualCard, generation: Generation) -> None:
    session, _ = session_with(card)
    for key in Key:
        with pytest.raises(NotOpenedError):
            session.sign(generation.digest, key)
    with pytest.raises(CertificateLockedError):
        session.read_certificate(Key.SIGNATURE)


@pytest.mark.parametrize("key", Key)
def test_after_leaving_nobody_signs_without_a_pin(card: VirtualCard, generation: Generation, key: Key) -> None:
    session, _ = session_with(card)
    visit(session, generation, key)
    assert session.leave()
    card.reset()
    assert card.verified == frozenset()
    other = JpkiSession(conversation(Wire(card), Meter()))
    with pytest.raises(NotOpenedError):
        other.sign(generation.digest, key)
    with pytest.raises(CertificateLockedError):
        other.read_certificate(Key.SIGNATURE)


def test_what_another_program_left_open_is_closed_and_counted(card: VirtualCard, generation: Generation) -> None:
    card.counter_9000, card.pin_tries = True, 2
    session, _ = session_with(card)
    session.open(bytearray(b"1234"))
    card.pin_tries = 2
    card.reset()
    other = JpkiSession(conversation(Wire(card), Meter()))
    assert other.tries_left() == 2
    assert card.verified == frozenset()
    assert_signed(*visit(other, generation))


def test_a_digest_of_another_length_is_a_mistake_and_asks_nothing() -> None:
    script = Script([])
    with pytest.raises(ValueError, match="5 bytes"):
        JpkiSession(script).sign(b"short")
    assert script.commands == []


@pytest.mark.parametrize(
    ("digest", "first", "second"),
    [(32, "802A00973330", "802A009720"), (48, "802A009730", "802A00974330"), (64, "802A009740", "802A00975330")],
)
@pytest.mark.parametrize("refusal", ["6A80", "6700"])
def test_a_form_that_the_card_does_not_take_is_followed_by_the_other(
    digest: int, first: str, second: str, refusal: str
) -> None:
    script = Script(["9000", refusal, "AABB9000"])
    assert JpkiSession(script).sign(bytes(digest)) == b"\xaa\xbb"
    assert script.commands[1].startswith(first)
    assert script.commands[2].startswith(second)


def test_leaving_a_card_that_is_gone_is_no_error(card: VirtualCard) -> None:
    session, _ = session_with(card)
    session.kind()
    card.removed_at = card.count + 1
    assert session.leave() is False


def test_a_card_that_hands_out_its_control_information() -> None:
    script = Script(["6A86", "6F049000", "63C3"])
    assert JpkiSession(script).tries_left() == 3
    assert script.commands[1] == "00A404000AD392F00026010000000100"


@pytest.mark.parametrize("answer", ["6A82", "6D00", "6E00", "6999"])
def test_another_kind_of_card_is_unknown(answer: str) -> None:
    with pytest.raises(UnknownCardError):
        JpkiSession(Script([answer])).read_certificate()


@pytest.mark.parametrize(
    ("kind", "error", "name"),
    [
        (files.Kind.ANDROID, CertificateLockedError, "android"),
        (files.Kind.JUKI, NoCertificateError, "juki_card"),
    ],
)
def test_other_carriers_are_named(
    make_card: MakeCard, kind: files.Kind, error: type[MadoguchiError], name: str
) -> None:
    card = make_card(kind=kind)
    with pytest.raises(error) as caught:
        session_with(card)[0].read_certificate()
    assert caught.value.fields == {"kind": name}
    assert card.pin_tries == 3


@pytest.mark.parametrize("kind", [files.Kind.ANDROID, files.Kind.IPHONE])
def test_a_telephone_shows_its_certificate_after_the_pin(
    make_card: MakeCard, generation: Generation, kind: files.Kind
) -> None:
    session, _ = session_with(make_card(kind=kind, generation=generation.number))
    session.open(bytearray(b"1234"))
    assert_signed(session.read_certificate(), session.sign(generation.digest))


def test_a_card_without_a_signature_certificate_is_not_asked_for_its_password(make_card: MakeCard) -> None:
    card = make_card(with_signature=False)
    session, _ = session_with(card)
    password = bytearray(b"ABC123")
    with pytest.raises(NoSignatureCertificateError) as caught:
        session.open(password, Key.SIGNATURE)
    assert caught.value.fields == {"kind": "card"}
    assert card.password_tries == 5
    assert password == bytes(6)


def test_token_information_is_not_read_where_it_decides_nothing(card: VirtualCard, generation: Generation) -> None:
    visit(session_with(card)[0], generation)
    assert not any(one.command.startswith(("00B086", "00B088")) for one in card.exchanges)


def test_what_a_token_says_is_asked_once_an_insertion(make_card: MakeCard) -> None:
    card, traits = make_card(kind=files.Kind.ANDROID), CardTraits()
    for _ in range(2):
        session, _ = session_with(card, traits=traits)
        assert session.kind() is Kind.ANDROID
        assert session.available() == frozenset(Key)
    commands = [one.command for one in card.exchanges]
    assert [sum(one.startswith(start) for one in commands) for start in ("00B086", "00B088")] == [1, 1]


def test_a_token_that_does_not_say_is_of_unknown_kind_and_may_have_everything() -> None:
    session = JpkiSession(Script(["9000", "6A82", "6A82", "6A82", "6A82"]))
    assert session.kind() is Kind.UNKNOWN
    assert session.available() == frozenset(Key)


def test_a_card_without_a_certificate_says_so() -> None:
    with pytest.raises(NoCertificateError):
        JpkiSession(Script(["9000", "FF" * 300 + "9000", "6A82", "6A82"])).read_certificate()


def test_a_session_that_is_over_is_gone_at_once(card: VirtualCard, generation: Generation) -> None:
    session, _ = session_with(card)
    visit(session, generation)
    left_behind = weakref.ref(session)
    gc.disable()  # whoever waits for the collector keeps the objects of hundreds of visits
    try:
        del session
        assert left_behind() is None
    finally:
        gc.enable()


def test_the_individual_number_is_never_asked_for(card: VirtualCard, generation: Generation) -> None:
    session, _ = session_with(card)
    for key in Key:
        visit(session, generation, key)
    session.leave()
    assert card.forbidden_selected == []
    assert set(card.selected_aids) == {files.JPKI_AP, files.ISD}
    read = {one.command[4:6] for one in card.exchanges if one.command.startswith("00B0")}
    allowed = (Ef.AUTHENTICATION_CERTIFICATE, Ef.SIGNATURE_CERTIFICATE, Ef.CERTIFICATES_PRESENT)
    assert read == {f"{0x80 | one:02X}" for one in allowed}
