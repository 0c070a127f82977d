"""The rules of the virtual card, one by one: PIN and password, signatures, what stays open."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.x509 import load_der_x509_certificate

from tests.sim.card.hierarchy import Hierarchy
from tests.sim.card.talk import (
    DIGEST,
    DIGEST_INFO,
    SELECT_ISD,
    SELECT_JPKI,
    SIGN_AUTH,
    SIGN_SIGNATURE,
    TRIES_PASSWORD,
    TRIES_PIN,
    Talk,
    certificate_key,
    talk_to,
    verify,
)


class TestVerify:
    def test_asking_for_tries_spends_none(self, talk: Talk) -> None:
        assert [talk.sw(TRIES_PIN) for _ in range(5)] == ["63C3"] * 5
        assert talk.sw(TRIES_PASSWORD) == "63C5"

    def test_classic_form(self, talk: Talk) -> None:
        assert talk.sw("00A4020C02 0018") == "9000"
        assert talk.sw("00200080") == "63C3"
        assert talk.sw("00A4020C02 001B") == "9000"
        assert talk.sw("00200080") == "63C5"

    def test_a_card_that_knows_the_classic_form_alone(self, talk: Talk) -> None:
        talk.card.short_references = False
        assert talk.sw(TRIES_PIN) == "6A88"
        assert [talk.sw("00A4020C02 0018"), talk.sw(verify("1234", "80"))] == ["9000", "9000"]
        assert talk.sw(SIGN_AUTH) == "6A88"
        assert [talk.sw("00A4020C02 0017"), talk.sw(SIGN_AUTH.replace("0097", "0080"))] == ["9000", "9000"]

    def test_a_mutable_command_is_not_kept(self, talk: Talk) -> None:
        command = bytearray(bytes.fromhex(verify("1234")))
        assert talk.card.transmit(command) == b"\x90\x00"
        assert talk.card.exchanges[-1].command == "00200098<pin>"

    def test_wrong_pins_down_to_the_lock(self, talk: Talk) -> None:
        assert [talk.sw(verify("0000")) for _ in range(4)] == ["63C2", "63C1", "63C0", "6984"]
        assert talk.sw(verify("1234")) == "6984"
        assert talk.sw(TRIES_PIN) == "63C0"

    def test_the_right_pin_restores_the_tries(self, talk: Talk) -> None:
        talk.card.pin_tries = 1
        assert talk.sw(TRIES_PIN) == "63C1"
        assert talk.sw(verify("1234")) == "9000"
        assert talk.card.pin_tries == 3

    def test_a_password_in_small_letters_burns_a_try(self, talk: Talk) -> None:
        assert talk.sw(verify("abc123", "9B")) == "63C4"
        assert talk.card.pin_tries == 3

    def test_a_wrong_pin_takes_back_an_earlier_right_one(self, talk: Talk) -> None:
        talk.sw(verify("1234"))
        talk.sw(verify("0000"))
        assert talk.sw(SIGN_AUTH) == "6982"

    def test_locked_on_purpose(self, talk: Talk) -> None:
        talk.card.pin_locked = True
        talk.card.blocked_sw = 0x6983
        assert talk.sw(TRIES_PIN) == "63C0"
        assert talk.sw(verify("1234")) == "6983"
        assert talk.sw(TRIES_PASSWORD) == "63C5"

    def test_other_answers_to_the_question_for_tries(self, talk: Talk) -> None:
        talk.card.no_limit = True
        assert talk.sw(TRIES_PIN) == "6300"
        talk.card.counter_9000 = True
        talk.sw(verify("1234"))
        assert talk.sw(TRIES_PIN) == "9000"
        talk.card.pin_locked = True
        talk.card.blocked_counter_sw = 0x6984
        assert talk.sw(TRIES_PIN) == "6984"

    @pytest.mark.parametrize(
        ("apdu", "sw"),
        [
            ("00200198", "6A86"),
            ("00200080", "6A88"),
            ("0020008A", "6A88"),
            ("00200098 11" + "30" * 17, "6700"),
            ("00200098 04 3132", "6700"),
        ],
    )
    def test_refusals_spend_no_try(self, talk: Talk, apdu: str, sw: str) -> None:
        assert talk.sw(apdu) == sw
        assert talk.card.pin_tries == 3


class TestSign:
    def test_needs_the_pin(self, talk: Talk) -> None:
        assert talk.sw(SIGN_AUTH) == "6982"

    def test_authentication(self, talk: Talk) -> None:
        talk.sw(verify("1234"))
        signature, sw = talk.say(SIGN_AUTH)
        assert (len(signature), sw) == (256, "9000")
        key = certificate_key(talk.card.contents.authentication)
        key.verify(signature, DIGEST, padding.PKCS1v15(), Prehashed(hashes.SHA256()))
        assert talk.sw(SIGN_SIGNATURE) == "6982"

    def test_signature_key_by_its_password(self, talk: Talk) -> None:
        talk.sw(verify("ABC123", "9B"))
        signature, _ = talk.say(SIGN_SIGNATURE)
        key = certificate_key(talk.card.contents.signature)
        key.verify(signature, DIGEST, padding.PKCS1v15(), Prehashed(hashes.SHA256()))
        assert talk.sw(SIGN_AUTH) == "6982"

    def test_classic_form(self, talk: Talk) -> None:
        talk.sw(verify("1234"))
        talk.sw("00A4020C02 0017")
        assert talk.sw(f"802A0080 33 {DIGEST_INFO} 00") == "9000"

    def test_a_bare_hash_where_the_card_knows_it(self, talk: Talk) -> None:
        talk.sw(verify("1234"))
        apdus = [f"802A{mode}97 20 {DIGEST.hex()} 00" for mode in ("02", "04")]
        assert [talk.sw(apdu) for apdu in apdus] == ["6A86", "6A86"]
        talk.card.hash_modes = True
        plain, pss = (talk.say(apdu)[0] for apdu in apdus)
        key = certificate_key(talk.card.contents.authentication)
        key.verify(plain, DIGEST, padding.PKCS1v15(), Prehashed(hashes.SHA256()))
        key.verify(pss, DIGEST, padding.PSS(padding.MGF1(hashes.SHA256()), 32), Prehashed(hashes.SHA256()))
        assert talk.sw("802A0297 1F " + "11" * 31 + " 00") == "6700"

    @pytest.mark.parametrize(
        ("apdu", "sw"),
        [
            ("802A0097 33 " + DIGEST_INFO, "6700"),
            ("802A0097 F6 " + "11" * 246 + " 00", "6700"),
            ("002A0097 33 " + DIGEST_INFO + " 00", "6E00"),
            ("802A0088 33 " + DIGEST_INFO + " 00", "6A88"),
            ("00840000 08", "6D00"),
        ],
    )
    def test_refusals(self, talk: Talk, apdu: str, sw: str) -> None:
        talk.sw(verify("1234"))
        assert talk.sw(apdu) == sw

    def test_the_coming_generation(self, hierarchy: Hierarchy) -> None:
        card = hierarchy.make_blank(generation=4).make_card()
        talk = talk_to(card)
        talk.sw(verify("1234"))
        digest = bytes(range(48))
        signature, sw = talk.say(f"802A0097 30 {digest.hex()} 00")
        assert (len(signature), sw) == (96, "9000")
        key = load_der_x509_certificate(card.contents.authentication or b"").public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        der = encode_dss_signature(int.from_bytes(signature[:48]), int.from_bytes(signature[48:]))
        key.verify(der, digest, ec.ECDSA(Prehashed(hashes.SHA384())))
        assert talk.sw(SIGN_AUTH) == "6700"


class TestSecurityState:
    """What ends a successful VERIFY and what does not."""

    @pytest.fixture
    def verified(self, talk: Talk) -> Talk:
        assert talk.sw(verify("1234")) == "9000"
        return talk

    def test_selecting_the_application_again_does_not(self, verified: Talk) -> None:
        verified.sw(SELECT_JPKI)
        assert verified.sw(SIGN_AUTH) == "9000"

    def test_selecting_the_issuer_domain_does(self, verified: Talk) -> None:
        verified.sw(SELECT_ISD)
        verified.sw(SELECT_JPKI)
        assert verified.sw(SIGN_AUTH) == "6982"

    @pytest.mark.parametrize(("survives", "sw"), [(True, "9000"), (False, "6982")])
    def test_a_warm_reset_depends_on_the_card(self, verified: Talk, survives: bool, sw: str) -> None:
        verified.card.survives_reset = survives
        assert verified.card.reset() == verified.card.atr
        assert verified.sw(SIGN_AUTH) == "6985"
        verified.sw(SELECT_JPKI)
        assert verified.sw(SIGN_AUTH) == sw

    def test_losing_power_does(self, verified: Talk) -> None:
        verified.card.power_off()
        assert not verified.card.powered
        verified.card.power_on()
        verified.sw(SELECT_JPKI)
        assert verified.sw(SIGN_AUTH) == "6982"
