"""The session with a card, against the virtual one and against answers written down."""

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.x509 import load_der_x509_certificate
from hypothesis import given
from hypothesis import strategies as st

from appliance.card.connection import CardMuteError, CardProtocolError, CardRemovedError, Meter, conversation
from appliance.card.jpki import (
    CertificateLockedError,
    JpkiSession,
    Kind,
    LastTryError,
    LockedError,
    NoCertificateError,
    PinFormError,
    ReaderTraits,
    UnknownCardError,
    WrongPinError,
    check_pin,
)
from appliance.errors import MadoguchiError
from tests.card.table import Script, Wire, quietly
from tests.sim.card import faults, files
from tests.sim.card.card import VirtualCard
from tests.sim.card.files import Ef, Secret
from tests.sim.card.pki import Wish
from tests.sim.fixtures import MakeCard

DIGEST = hashlib.sha256(b"what the person read").digest()
REFERENCE_DER_BYTES = 1453


@pytest.fixture
def card(make_card: MakeCard) -> VirtualCard:
    return make_card()


def session_with(card: VirtualCard, traits: ReaderTraits | None = None) -> tuple[JpkiSession, Meter]:
    card.place()
    meter = Meter()
    return JpkiSession(conversation(Wire(card), meter), traits), meter


def visit(card: VirtualCard, pin: str = "1234", last_try: bool = False) -> tuple[bytes, bytes, Meter]:
    """A whole conversation: certificate, signature, and what it took."""
    session, meter = session_with(card)
    certificate = session.read_certificate()
    return certificate, session.sign(bytearray(pin.encode()), DIGEST, last_try), meter


def assert_signed(certificate: bytes, signature: bytes) -> None:
    key = load_der_x509_certificate(certificate).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(signature, DIGEST, padding.PKCS1v15(), Prehashed(hashes.SHA256()))


def test_certificate_and_signature_in_five_exchanges(card: VirtualCard) -> None:
    certificate, signature, meter = visit(card)
    assert len(certificate) == REFERENCE_DER_BYTES
    assert_signed(certificate, signature)
    assert (meter.exchanges, meter.bytes) == (5, 1811)


def test_ten_exchanges_without_extended_le(card: VirtualCard) -> None:
    card.extended_le = False
    traits = ReaderTraits()
    session, meter = session_with(card, traits)
    session.read_certificate()
    assert meter.exchanges == 8  # one of them to find out
    session, meter = session_with(card, traits)
    certificate = session.read_certificate()
    assert_signed(certificate, session.sign(bytearray(b"1234"), DIGEST))
    assert (meter.exchanges, meter.bytes) == (10, 1844)


def test_a_reader_that_falls_silent_on_extended_le_is_asked_the_short_way(card: VirtualCard) -> None:
    card.extended_le, card.extended_silent = False, True
    traits = ReaderTraits()
    session, _ = session_with(card, traits)
    assert len(session.read_certificate()) == REFERENCE_DER_BYTES
    assert traits.extended_le is False


def test_a_removal_is_not_held_against_a_reader_that_was_seen_to_work(card: VirtualCard) -> None:
    traits = ReaderTraits(extended_le=True)
    session, _ = session_with(card, traits)
    card.removed_at = 2
    with pytest.raises(CardRemovedError):
        session.read_certificate()
    assert traits.extended_le is True


@pytest.mark.parametrize("extended", [True, False])
@pytest.mark.parametrize("style", ["filler", "style_61xx", "style_6cxx", "style_6282", "no_limit", "counter_9000"])
def test_habits_of_cards_make_no_difference(make_card: MakeCard, style: str, extended: bool) -> None:
    card = make_card()
    setattr(card, style, True)
    card.extended_le = extended
    certificate, signature, _ = visit(card)
    assert len(certificate) == REFERENCE_DER_BYTES
    assert_signed(certificate, signature)


@pytest.mark.parametrize("length", [0x5FD, 0x5FE, 0x5FF, 0x600, 0x601, 0x602, 0x603, 1792])
@pytest.mark.parametrize("filler", [True, False])
def test_every_certificate_comes_whole(make_card: MakeCard, length: int, filler: bool) -> None:
    for extended in (True, False):
        card = make_card(authentication=Wish(der_length=length))
        card.filler, card.extended_le = filler, extended
        session, _ = session_with(card)
        certificate = session.read_certificate()
        assert len(certificate) == length
        load_der_x509_certificate(certificate)


def test_progress_goes_up_to_its_end(card: VirtualCard) -> None:
    card.extended_le = False
    told: list[tuple[int, int]] = []
    session_with(card)[0].read_certificate(lambda done, of: told.append((done, of)))
    assert [done for done, _ in told] == list(range(1, len(told) + 1))
    assert told[-1][0] == told[-1][1] == 7
    assert told[1] == (2, 7)


def test_a_wrong_pin_costs_one_try_and_says_how_many_are_left(card: VirtualCard) -> None:
    for left in (2, 1):
        with pytest.raises(WrongPinError) as caught:
            visit(card, "9999")
        assert caught.value.fields == {"tries_left": left}
        assert card.pin_tries == left


def test_the_last_try_is_only_risked_with_consent(card: VirtualCard) -> None:
    card.pin_tries = 1
    with pytest.raises(LastTryError) as caught:
        visit(card, "9999")
    assert caught.value.fields == {"tries_left": 1}
    assert card.pin_tries == 1
    assert_signed(*visit(card, "1234", last_try=True)[:2])
    assert card.pin_tries == 3


def test_the_last_try_locks_the_card_and_says_so(card: VirtualCard) -> None:
    card.pin_tries = 1
    with pytest.raises(LockedError):
        visit(card, "9999", last_try=True)
    assert card.pin_tries == 0


@pytest.mark.parametrize("answer", [0x63C0, 0x6983, 0x6984])
def test_a_locked_card_is_not_sent_a_pin(card: VirtualCard, answer: int) -> None:
    card.pin_tries, card.blocked_counter_sw = 0, answer
    with pytest.raises(LockedError):
        visit(card)
    assert not any("<pin>" in one.command for one in card.exchanges)


def test_a_card_locked_on_purpose_is_locked(card: VirtualCard) -> None:
    card.pin_locked = True
    with pytest.raises(LockedError):
        visit(card)


@pytest.mark.parametrize("answer", [0x6983, 0x6984])
def test_a_card_that_only_shows_the_lock_at_verify(card: VirtualCard, answer: int) -> None:
    session = JpkiSession(Script(["63C3", f"{answer:04X}"]))
    with pytest.raises(LockedError):
        session.sign(bytearray(b"1234"), DIGEST)
    assert session.known_tries == 0


@pytest.mark.parametrize("pin", ["", "123", "12345", "12a4", "１２３４", "12 4", "-123"])
def test_what_is_no_pin_is_not_sent(card: VirtualCard, pin: str) -> None:
    session, meter = session_with(card)
    session.read_certificate()
    typed = bytearray(pin.encode())
    with pytest.raises(PinFormError):
        session.sign(typed, DIGEST)
    assert meter.exchanges == 2
    assert not any(typed)


@quietly
@given(st.binary(max_size=8))
def test_four_digits_and_nothing_else_are_a_pin(typed: bytes) -> None:
    try:
        check_pin(typed)
    except PinFormError:
        assert not (len(typed) == 4 and typed.isdigit())
    else:
        assert len(typed) == 4
        assert typed.isdigit()


@pytest.mark.parametrize(
    "answers",
    [
        ["63C3", "9000", "AA9000"],
        ["63C3", "63C2"],
        ["63C3", CardRemovedError()],
        ["63C3", CardMuteError()],
        ["63C3", "6A80"],
        ["63C1"],
        ["63C0"],
        [CardRemovedError()],
        ["63C3", "9000", CardRemovedError()],
        ["63C3", "9000", "9000"],
    ],
)
def test_pin_and_command_are_wiped_in_every_path(answers: list[str | Exception]) -> None:
    script, pin = Script(answers), bytearray(b"4711")
    try:
        JpkiSession(script).sign(pin, DIGEST)
    except MadoguchiError as error:
        assert "4711" not in str(error)  # noqa: PT017 - that nothing leaks holds with and without an error
    assert pin == bytes(4)
    assert not any(b"4711" in bytes(buffer) for buffer in script.buffers)
    assert sum(one == "002000980434373131" for one in script.commands) <= 1


def test_a_digest_of_another_length_is_a_mistake_and_spends_nothing() -> None:
    script, pin = Script([]), bytearray(b"1234")
    with pytest.raises(ValueError, match="32 bytes"):
        JpkiSession(script).sign(pin, b"short")
    assert script.commands == []
    assert pin == bytes(4)


@pytest.mark.parametrize("removed_at", range(1, 11))
@pytest.mark.parametrize("extended", [True, False])
@pytest.mark.parametrize("after_command", [True, False])
def test_removed_at_any_exchange_no_try_is_lost(
    card: VirtualCard, removed_at: int, extended: bool, after_command: bool
) -> None:
    card.extended_le = extended
    session, meter = session_with(card, ReaderTraits(extended_le=extended))
    card.removed_at, card.removed_after_command = removed_at, after_command
    try:
        session.read_certificate()
        session.sign(bytearray(b"1234"), DIGEST)
    except CardRemovedError:
        assert meter.exchanges == removed_at
    else:
        assert removed_at > meter.exchanges
    assert card.pin_tries == 3
    assert sum("<pin>" in one.command for one in card.exchanges) <= 1


def test_a_verify_whose_answer_is_lost_is_not_sent_again(card: VirtualCard) -> None:
    session, _ = session_with(card)
    session.read_certificate()
    card.faults[4] = faults.silent()
    with pytest.raises(CardMuteError):
        session.sign(bytearray(b"9999"), DIGEST)
    assert card.pin_tries == 2
    assert sum("<pin>" in one.command for one in card.exchanges) == 1


def test_after_leaving_nobody_signs_without_a_pin(card: VirtualCard) -> None:
    session, _ = session_with(card)
    session.read_certificate()
    session.sign(bytearray(b"1234"), DIGEST)
    assert card.verified == {Secret.PIN}
    assert session.leave()
    card.reset()
    assert card.verified == frozenset()
    other = JpkiSession(conversation(Wire(card), Meter()))
    other.select()
    with pytest.raises(CardProtocolError) as caught:
        other._compute_signature(DIGEST)
    assert caught.value.fields == {"step": "sign", "sw": "6982"}


def test_leaving_a_card_that_is_gone_is_no_error(card: VirtualCard) -> None:
    session, _ = session_with(card)
    session.select()
    card.removed_at = 2
    assert session.leave() is False


def test_a_card_that_hands_out_its_control_information() -> None:
    script = Script(["6A86", "6F049000"])
    JpkiSession(script).select()
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


def test_token_information_is_not_read_where_it_decides_nothing(card: VirtualCard) -> None:
    visit(card)
    assert not any(one.command.startswith("00B086") for one in card.exchanges)


@pytest.mark.parametrize(("token", "kind"), [(one.value, one) for one in Kind if one.value])
def test_kinds_are_known_by_the_name_in_the_token_information(token: str, kind: Kind) -> None:
    answer = token.encode().ljust(32).hex() + "9000"
    assert JpkiSession(Script([answer])).kind() is kind


def test_an_unreadable_token_is_of_unknown_kind() -> None:
    assert JpkiSession(Script(["6A82"])).kind() is Kind.UNKNOWN
    assert JpkiSession(Script(["FF" * 32 + "9000"])).kind() is Kind.UNKNOWN


def test_a_card_without_a_certificate_says_so(card: VirtualCard) -> None:
    script = Script(["9000", "FF" * 300 + "9000", "6A82"])
    with pytest.raises(NoCertificateError):
        JpkiSession(script).read_certificate()


def test_a_card_without_short_references_is_asked_the_classic_way() -> None:
    whole = "300410203040"
    script = Script(["9000", "6A86", "9000", whole + "9000", "6A88", "9000", "63C3", "9000", "9000", "AABB9000"])
    session = JpkiSession(script)
    assert session.read_certificate().hex() == whole
    assert session.sign(bytearray(b"1234"), DIGEST) == b"\xaa\xbb"
    said = [one[:14] for one in script.commands]
    assert said[2:4] == ["00A4020C02000A", "00B0000000"]
    assert said[5:] == ["00A4020C020018", "00200080", "00200080043132", "00A4020C020017", "802A0080333031"]


@pytest.mark.parametrize("noise", [faults.cut(0), faults.cut(1), faults.overlong(), faults.status(0x6581)])
@pytest.mark.parametrize("number", range(1, 6))
def test_a_spoilt_answer_never_costs_more_than_the_pin_that_was_sent(
    card: VirtualCard, number: int, noise: faults.Fault
) -> None:
    session, _ = session_with(card)
    card.faults[number] = noise
    try:
        certificate = session.read_certificate()
        signature = session.sign(bytearray(b"1234"), DIGEST)
    except MadoguchiError as error:
        assert error.code in {"card.protocol", "card.unknown", "card.no_certificate"}  # noqa: PT017
    else:
        assert len(certificate) == REFERENCE_DER_BYTES
        assert len(signature) >= 256
    assert card.pin_tries == 3
    assert sum("<pin>" in one.command for one in card.exchanges) <= 1


@quietly
@given(answers=st.lists(st.binary(min_size=2, max_size=400), min_size=90, max_size=90))
def test_random_answers_end_in_an_error_of_ours(answers: list[bytes]) -> None:
    script = Script([one.hex() for one in answers])
    session = JpkiSession(conversation(script, Meter()))
    try:
        session.read_certificate()
        session.sign(bytearray(b"1234"), DIGEST)
    except (MadoguchiError, IndexError) as error:
        # IndexError is the script's own: a card that announces more and more came to the end of the test's paper.
        assert isinstance(error, MadoguchiError) or not script._answers  # noqa: PT017
    assert sum(one.startswith("0020009804") for one in script.commands) <= 1


@quietly
@given(
    data=st.binary(min_size=300, max_size=3000),
    chunks=st.lists(st.integers(1, 256), min_size=1, max_size=20),
)
def test_certificates_that_come_in_any_portions_are_put_together(data: bytes, chunks: list[int]) -> None:
    whole = bytes([0x30, 0x82]) + len(data).to_bytes(2) + data

    class Portions:
        """Gives at most as much as the next portion, whatever was asked for."""

        def __init__(self) -> None:
            self.turn = 0

        def transmit(self, command: bytes | bytearray) -> tuple[bytes, int]:
            if command[1] == 0xA4:
                return b"", 0x9000
            first = command[2] & 0x80
            offset = 0 if first else command[2] << 8 | command[3]
            wanted = 65536 if len(command) == 7 else command[-1] or 256
            most = chunks[self.turn % len(chunks)]
            self.turn += 1
            return whole[offset : offset + min(wanted, most)], 0x9000

    assert JpkiSession(Portions()).read_certificate() == whole


def test_the_individual_number_is_never_asked_for(card: VirtualCard) -> None:
    session, _ = session_with(card)
    session.read_certificate()
    session.sign(bytearray(b"1234"), DIGEST)
    session.leave()
    assert card.forbidden_selected == []
    assert set(card.selected_aids) == {files.JPKI_AP, files.ISD}
    read = [one.command for one in card.exchanges if one.command.startswith("00B0")]
    assert [one[4:6] for one in read] == [f"{0x80 | Ef.AUTHENTICATION_CERTIFICATE:02X}"]
