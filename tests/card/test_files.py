"""Files come whole from every card and through every reader."""

import pytest
from cryptography.x509 import load_der_x509_certificate
from hypothesis import given
from hypothesis import strategies as st

from appliance.card.connection import CardRemovedError
from appliance.card.files import CardTraits, ReaderTraits
from appliance.card.jpki import CertificateLockedError, JpkiSession
from tests.card.holders import session_with
from tests.card.table import Script, quietly, signed
from tests.sim.card.pki import Wish
from tests.sim.fixtures import MakeCard

REFERENCE_DER_BYTES = 1453


def test_a_reader_that_falls_silent_on_extended_le_is_asked_the_short_way(make_card: MakeCard) -> None:
    card = make_card()
    card.extended_le, card.extended_silent = False, True
    reader = ReaderTraits()
    session, _ = session_with(card, reader)
    assert len(session.read_certificate()) == REFERENCE_DER_BYTES
    assert reader.extended_le is False


def test_a_removal_is_not_held_against_a_reader_that_was_seen_to_work(make_card: MakeCard) -> None:
    card, reader = make_card(), ReaderTraits(extended_le=True)
    session, _ = session_with(card, reader)
    card.removed_at = 2
    with pytest.raises(CardRemovedError):
        session.read_certificate()
    assert reader.extended_le is True


def test_a_file_that_is_not_there_says_nothing_of_the_reader() -> None:
    reader = ReaderTraits()
    session = JpkiSession(Script(["9000", "6982", "6A82", "6A82"]), reader)
    with pytest.raises(CertificateLockedError):
        session.read_certificate()
    assert reader.extended_le is None


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


def test_progress_goes_up_to_its_end(make_card: MakeCard) -> None:
    card = make_card()
    card.extended_le = False
    told: list[tuple[int, int]] = []
    session_with(card)[0].read_certificate(progress=lambda done, of: told.append((done, of)))
    assert [done for done, _ in told] == list(range(1, len(told) + 1))
    assert told[-1][0] == told[-1][1] == 7
    assert told[1] == (2, 7)


def test_a_card_without_short_identifiers_is_asked_the_classic_way() -> None:
    whole = "300410203040"
    script = Script(["9000", "6A86", "9000", whole + "9000", "9000", "63C3", "9000", "9000", "AABB9000"])
    session = JpkiSession(script)
    assert session.read_certificate().hex() == whole
    assert signed(session, bytearray(b"1234"), bytes(32)) == b"\xaa\xbb"
    said = [one[:14] for one in script.commands]
    assert said[2:4] == ["00A4020C02000A", "00B00000000000"]
    assert said[4:] == ["00A4020C020018", "00200080", "00200080043132", "00A4020C020017", "802A0080333031"]


def test_references_in_verify_may_be_unknown_as_well() -> None:
    script = Script(["9000", "6A88", "9000", "63C3"])
    assert JpkiSession(script).tries_left() == 3
    assert script.commands[1:] == ["00200098", "00A4020C020018", "00200080"]


def test_a_card_that_was_seen_to_want_selecting_is_not_tried_otherwise() -> None:
    script = Script(["9000", "9000", "300100" + "9000", "9000", "63C3"])
    session = JpkiSession(script, card=CardTraits(by_selection=True))
    assert session.read_certificate() == bytes.fromhex("300100")
    assert session.tries_left() == 3
    assert script.commands[1:3] == ["00A4020C02000A", "00B00000000000"]
    assert script.commands[3:] == ["00A4020C020018", "00200080"]


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
