"""The rules of the virtual card, one by one: applications, files, answers, time."""

import time

import pytest

from tests.sim.card import faults
from tests.sim.card.card import VirtualCard
from tests.sim.card.faults import CardRemovedError, SilentCardError, Timing
from tests.sim.card.files import FORBIDDEN_APS, INDIVIDUAL_NUMBER_AP, ISD, JPKI_AP, Kind
from tests.sim.card.pki import Wish
from tests.sim.card.talk import (
    READ_AUTH,
    SELECT_ISD,
    SELECT_JPKI,
    SIGN_AUTH,
    TRIES_PIN,
    Talk,
    talk_to,
    verify,
)
from tests.sim.fixtures import MakeCard


class TestSelect:
    def test_an_unknown_application_is_not_found(self, card: VirtualCard) -> None:
        assert Talk(card).sw("00A4040C07 A0000000031010") == "6A82"
        assert card.selected_aids == []

    def test_selected_applications_are_listed(self, talk: Talk) -> None:
        talk.sw(SELECT_ISD)
        assert talk.card.selected_aids == [JPKI_AP, ISD]
        assert talk.card.forbidden_selected == []

    @pytest.mark.parametrize("aid", FORBIDDEN_APS, ids=lambda aid: aid.hex())
    def test_forbidden_applications_exist_and_are_recorded(self, card: VirtualCard, aid: bytes) -> None:
        assert Talk(card).sw(f"00A4040C {len(aid):02X} {aid.hex()}") == "9000"
        assert card.forbidden_selected == [aid]

    def test_who_selects_the_individual_number_gets_it(self, card: VirtualCard) -> None:
        card.individual_number = "123456789018"
        talk = Talk(card)
        assert talk.sw(SELECT_JPKI) == "9000"
        assert talk.say("00B0810000")[0] != b"123456789018"
        aid = INDIVIDUAL_NUMBER_AP
        assert talk.sw(f"00A4040C {len(aid):02X} {aid.hex()}") == "9000"
        assert talk.say("00B0810000") == (b"123456789018", "9000")

    def test_a_shortened_name_is_recorded_too(self, card: VirtualCard) -> None:
        assert Talk(card).sw("00A4040C05 D392100031") == "9000"
        assert len(card.forbidden_selected) == 1

    def test_file_control_information_names_the_application(self, card: VirtualCard) -> None:
        data, sw = Talk(card).say("00A404000A D392F000260100000001 00")
        assert (data, sw) == (bytes([0x6F, 12, 0x84, 10]) + JPKI_AP, "9000")

    @pytest.mark.parametrize(
        ("apdu", "sw"),
        [
            ("00A4020C02 0099", "6A82"),
            ("00A4020C01 00", "6700"),
            ("00A4000C02 3F00", "6A86"),
            ("00A4040502 3F00", "6A86"),
        ],
    )
    def test_refusals(self, talk: Talk, apdu: str, sw: str) -> None:
        assert talk.sw(apdu) == sw

    def test_files_need_the_application(self, card: VirtualCard) -> None:
        talk = Talk(card)
        assert talk.sw("00A4020C02 000A") == "6A82"
        assert talk.sw(READ_AUTH) == "6985"
        assert talk.sw(TRIES_PIN) == "6985"


class TestRead:
    def test_the_whole_certificate_at_once(self, talk: Talk) -> None:
        assert talk.say(READ_AUTH) == (talk.card.contents.authentication, "9000")

    def test_in_parts_after_a_short_identifier(self, talk: Talk) -> None:
        whole = talk.card.contents.authentication or b""
        got, sw = talk.say("00B08A00 00")
        while sw == "9000":
            part, sw = talk.say(f"00B0 {len(got):04X} 00")
            got += part
        assert (got, sw) == (whole, "6B00")

    def test_in_parts_after_a_select(self, talk: Talk) -> None:
        assert talk.sw("00A4020C02 000A") == "9000"
        assert talk.say("00B00004 10")[0] == (talk.card.contents.authentication or b"")[4:20]

    @pytest.mark.parametrize(
        ("apdu", "sw"),
        [
            ("00B00000 00", "6986"),  # nothing selected yet
            ("00B08A00", "6700"),  # no Le
            ("00B09900 00", "6A82"),
            ("00B09700 00", "6981"),  # a key
        ],
    )
    def test_refusals(self, talk: Talk, apdu: str, sw: str) -> None:
        assert talk.sw(apdu) == sw

    def test_the_signature_certificate_needs_its_password(self, talk: Talk) -> None:
        assert talk.sw("00B08100 000000") == "6982"
        assert talk.sw(verify("ABC123", "9B")) == "9000"
        assert talk.say("00B08100 000000") == (talk.card.contents.signature, "9000")

    def test_both_ca_certificates_are_free(self, talk: Talk) -> None:
        assert talk.say("00B08200 000000")[0] == talk.card.contents.signature_ca
        assert talk.say("00B08B00 000000")[0] == talk.card.contents.authentication_ca

    def test_no_extended_length(self, talk: Talk) -> None:
        talk.card.extended_le = False
        assert talk.sw(READ_AUTH) == "6700"
        assert talk.sw("00B08A00 00") == "9000"
        talk.card.extended_silent = True
        with pytest.raises(SilentCardError):
            talk.sw(READ_AUTH)

    def test_filler(self, talk: Talk) -> None:
        talk.card.filler = True
        data, _ = talk.say(READ_AUTH)
        whole = talk.card.contents.authentication or b""
        assert (len(data), data[: len(whole)], set(data[len(whole) :])) == (2048, whole, {0xFF})

    @pytest.mark.parametrize("low", [0xFD, 0xFE, 0xFF])
    def test_lengths_that_end_like_filler(self, make_card: MakeCard, low: int) -> None:
        card = make_card(authentication=Wish(der_length=0x500 + low + 4))
        assert talk_to(card).say("00B08A00 04")[0] == bytes([0x30, 0x82, 0x05, low])

    def test_an_end_that_warns(self, talk: Talk) -> None:
        talk.card.style_6282 = True
        size = len(talk.card.contents.authentication or b"")
        talk.sw("00A4020C02 000A")
        assert talk.say(f"00B0 {size - 5:04X} 20") == ((talk.card.contents.authentication or b"")[-5:], "6282")

    def test_an_end_that_tells_the_right_length(self, talk: Talk) -> None:
        talk.card.style_6cxx = True
        size = len(talk.card.contents.authentication or b"")
        talk.sw("00A4020C02 000A")
        assert talk.say(f"00B0 {size - 5:04X} 20") == (b"", "6C05")
        assert talk.sw(f"00B0 {size - 5:04X} 05") == "9000"


class TestTokens:
    @pytest.mark.parametrize(
        ("kind", "name"),
        [
            (Kind.CARD, "JPKIAPICCTOKEN2"),
            (Kind.JUKI, "JPKIAPICCTOKEN"),
            (Kind.ANDROID, "JPKIAPGPSETOKEN"),
            (Kind.IPHONE, "JPKIAPIOSTOKEN"),
        ],
    )
    def test_names(self, make_card: MakeCard, kind: Kind, name: str) -> None:
        data, sw = talk_to(make_card(kind=kind)).say("00B08600 000000")
        assert (len(data), data[:32].decode(), sw) == (160, name.ljust(32), "9000")

    def test_android_guards_the_authentication_certificate(self, make_card: MakeCard) -> None:
        talk = talk_to(make_card(kind=Kind.ANDROID))
        assert talk.sw(READ_AUTH) == "6982"
        assert talk.sw(verify("1234")) == "9000"
        assert talk.sw(READ_AUTH) == "9000"

    def test_a_juki_card_cannot_authenticate(self, make_card: MakeCard) -> None:
        talk = talk_to(make_card(kind=Kind.JUKI))
        assert [talk.sw(one) for one in (READ_AUTH, TRIES_PIN, SIGN_AUTH)] == ["6A82", "6A88", "6A88"]

    @pytest.mark.parametrize(("with_signature", "said"), [(True, "8F8F00"), (False, "008F00")])
    def test_which_certificates_there_are(self, make_card: MakeCard, with_signature: bool, said: str) -> None:
        talk = talk_to(make_card(with_signature=with_signature))
        assert talk.say("00B08800 00")[0].hex().upper() == said
        assert talk.sw("00B08100 00") == ("6982" if with_signature else "6A82")


class TestGetResponse:
    def test_a_signature_in_one_piece(self, talk: Talk) -> None:
        talk.sw(verify("1234"))
        talk.card.style_61xx = True
        assert talk.say(SIGN_AUTH) == (b"", "6100")
        data, sw = talk.say("00C00000 00")
        assert (len(data), sw) == (256, "9000")

    def test_a_certificate_in_many(self, talk: Talk) -> None:
        talk.card.style_61xx = True
        got, sw = talk.say(READ_AUTH)
        while sw.startswith("61"):
            part, sw = talk.say(f"00C00000 {sw[2:]}")
            got += part
        assert (got, sw) == (talk.card.contents.authentication, "9000")

    def test_asking_for_too_much(self, talk: Talk) -> None:
        talk.card.style_61xx = True
        assert talk.sw("00B08800 03") == "6103"
        assert talk.sw("00C00000 10") == "6C03"
        assert talk.say("00C00000 03") == (bytes.fromhex("8F8F00"), "9000")

    def test_another_command_forgets_the_data(self, talk: Talk) -> None:
        talk.card.style_61xx = True
        talk.sw("00B08800 03")
        talk.sw(TRIES_PIN)
        assert talk.sw("00C00000 03") == "6985"


class TestMishaps:
    def test_taken_away_before_the_command_arrives(self, talk: Talk) -> None:
        talk.card.removed_at = 2
        with pytest.raises(CardRemovedError):
            talk.sw(verify("0000"))
        assert (talk.card.pin_tries, talk.card.powered) == (3, False)
        assert talk.sw(SELECT_JPKI) == "9000"  # it comes back, and is not taken away a second time

    def test_taken_away_before_the_answer_arrives(self, talk: Talk) -> None:
        talk.card.removed_at, talk.card.removed_after_command = 2, True
        with pytest.raises(CardRemovedError):
            talk.sw(verify("0000"))
        assert talk.card.pin_tries == 2
        assert talk.card.exchanges[-1].answer is None

    def test_placing_counts_from_one_again(self, talk: Talk) -> None:
        talk.card.place()
        talk.card.removed_at = 1
        with pytest.raises(CardRemovedError):
            talk.sw(SELECT_JPKI)

    def test_a_status_word_instead_of_the_work_happens_once(self, card: VirtualCard) -> None:
        card.faults = {1: faults.status(0x6F00)}
        talk = Talk(card)
        assert talk.sw(SELECT_JPKI) == "6F00"
        assert card.selected_aids == []
        assert talk.sw(SELECT_JPKI) == "9000"
        assert card.faults == {}

    @pytest.mark.parametrize("length", [0, 1, 2, 100])
    def test_cut_answers(self, talk: Talk, length: int) -> None:
        talk.card.faults[2] = faults.cut(length)
        assert talk.card.transmit(bytes.fromhex(READ_AUTH)) == (talk.card.contents.authentication or b"")[:length]

    def test_overlong_answers(self, talk: Talk) -> None:
        talk.card.faults[2] = faults.overlong(40)
        assert len(talk.say("00B08800 03")[0]) == 43

    def test_random_answers_repeat_for_a_seed(self, talk: Talk) -> None:
        talk.card.faults |= {2: faults.random_bytes(7), 3: faults.random_bytes(7), 4: faults.random_bytes(8)}
        first, second, third = (talk.card.transmit(bytes.fromhex(TRIES_PIN)) for _ in range(3))
        assert first == second != third

    def test_a_lost_answer_still_spent_the_try(self, talk: Talk) -> None:
        talk.card.faults[2] = faults.silent()
        with pytest.raises(SilentCardError):
            talk.sw(verify("0000"))
        assert talk.card.pin_tries == 2
        assert talk.card.powered

    def test_faults_have_names(self) -> None:
        assert faults.named("6f00").spoil(b"") == b"\x6f\x00"
        assert faults.named("cut").spoil(b"\x01\x90\x00") == b"\x01"
        with pytest.raises(ValueError, match="cut, overlong, random, silent"):
            faults.named("explode")


class TestTime:
    def test_a_delay_for_one_instruction(self, talk: Talk) -> None:
        talk.card.delay_ms = {0xB0: 30}
        begin = time.perf_counter()
        talk.sw(TRIES_PIN)
        between = time.perf_counter()
        talk.sw("00B08800 03")
        assert time.perf_counter() - between >= 0.03 > between - begin

    def test_a_profile_adds_up(self) -> None:
        assert Timing(4.0, 0.5, {0xB0: 3.0}).takes_ms(0xB0, 10) == 12.0
        assert Timing(4.0, 0.5, {0xB0: 3.0}).takes_ms(0x20, 0) == 4.0


class TestTrace:
    def test_exchanges_are_written_down(self, talk: Talk) -> None:
        talk.sw(TRIES_PIN)
        assert [(one.number, one.command, one.answer) for one in talk.card.exchanges] == [
            (1, "00A4040C0AD392F000260100000001", "9000"),
            (2, "00200098", "63C3"),
        ]

    def test_each_with_its_bytes_and_its_time(self, talk: Talk) -> None:
        talk.card.delay_ms = {0x20: 5}
        talk.sw(verify("1234"))
        select, open_it = talk.card.exchanges
        assert (select.bytes, open_it.bytes) == (15 + 2, 9 + 2)
        assert open_it.took_ns >= 5_000_000

    def test_of_an_answer_that_never_came_only_the_command_counts(self, talk: Talk) -> None:
        talk.card.removed_at = 2
        with pytest.raises(CardRemovedError):
            talk.sw(TRIES_PIN)
        assert talk.card.exchanges[-1].bytes == 4

    @pytest.mark.parametrize(
        "apdu",
        [
            verify("9876"),
            "0020009839383736",  # the length is forgotten
            "00200098 000004 39383736",
            "00240198 08 3132333439383736",
            "80200098 04 39383736",
            "002C0098 04 39383736",
        ],
    )
    def test_no_pin_however_it_was_sent(self, talk: Talk, apdu: str) -> None:
        talk.sw(apdu)
        written = talk.card.exchanges[-1].command
        assert written.endswith("<pin>")
        assert b"9876".hex() not in written
        assert len(written) == len("00200098<pin>")
