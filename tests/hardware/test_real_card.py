"""A real reader and a real card, in the order in which a person wants to know. PYTEST_DONT_REWRITE

The word above keeps pytest from showing the values of a failed assertion: they would be a person's own.
"""

import time
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import load_der_x509_certificate

from appliance.card.connection import CardAbsentError, CardMuteError, CardRemovedError, Meter, conversation
from appliance.card.files import CardTraits
from appliance.card.jpki import JpkiSession, NotOpenedError
from appliance.card.key import Key
from appliance.card.service import CardState
from appliance.card.tlv import trim
from appliance.card.token import AVAILABILITY_BYTES, EF_AVAILABILITY, EF_TOKEN_INFO, NAME_BYTES, available_in, kind_in
from appliance.trust.signature import digest_for
from tests.card.thief import CONNECTED, REFUSED, stolen
from tests.hardware.bench import EF_AUTHENTICATION_CA, MESSAGE, SHORT, Bench, Visit, warm_reset
from tests.hardware.declaration import Declaration
from tests.hardware.refusal import RefusalError
from tests.hardware.report import Report
from tests.hardware.wrong_secret import is_look_alike, try_wrong

pytestmark = pytest.mark.hardware
Say = Callable[[str], None]

# SHA-256 of the root for authentication, third generation, as published by its operator.
THIRD_GENERATION = bytes.fromhex("64114f29620c24ed2631d46476a040e7ee740d956089c00b036a6a8118c322b5")
TOKEN_INFO_BYTES = 160
SIGNATURES = 3
TAKEN_S = 60.0


@pytest.fixture(autouse=True)
def the_card_is_back(bench: Bench) -> None:
    """Some readers lose a card for a moment when they are asked for what they cannot do."""
    bench.waited(lambda state: state is CardState.PRESENT, timeout_s=2)


def test_the_reader_is_there(bench: Bench, report: Report) -> None:
    missing = (CardState.SERVICE_ABSENT, CardState.READER_ABSENT)
    if not bench.waited(lambda state: state not in missing, timeout_s=3):
        raise RefusalError(f"there is no reader of this name; there is {' and '.join(bench.names()) or 'none at all'}")
    report.note("reader", bench.reader)


def test_a_card_lies_on_it(bench: Bench, say: Say) -> None:
    if not bench.waited(lambda state: state is CardState.PRESENT, timeout_s=1):
        say("Put the card on the reader.")
    if not bench.waited(lambda state: state is CardState.PRESENT):
        raise RefusalError("no card was put on the reader, or it does not answer")


def test_the_atr_is_shown(bench: Bench, report: Report) -> None:
    report.note("atr", bench.atr())


def test_it_is_the_declared_card(bench: Bench) -> None:
    with bench.session():
        pass  # else it raises a RefusalError, which ends the run


def test_what_carries_the_application(bench: Bench, report: Report) -> None:
    info = bench.head(EF_TOKEN_INFO, TOKEN_INFO_BYTES)
    name = info[:NAME_BYTES].rstrip(b" \x00")
    told = name.startswith(b"JPKIAP") and name.isalnum() and name == name.upper()
    report.note("token", name.decode("ascii") if told else "unknown")
    report.note("token_bytes", len(info))
    report.note("kind", kind_in(info).name.lower())
    assert told, "the token information does not begin with a known kind of name"


def test_which_certificates_there_are(bench: Bench, report: Report) -> None:
    said = bench.head(EF_AVAILABILITY, AVAILABILITY_BYTES)
    there = available_in(said)
    report.note("certificates", said.hex().upper() if there is not None else "unknown")
    assert there is None or Key.AUTHENTICATION in there, "the card says that it has no authentication certificate"


def test_the_certificate_is_one_with_nothing_but_filler_behind_it(bench: Bench, report: Report) -> None:
    der = bench.certificate()
    key = load_der_x509_certificate(der).public_key()
    report.note("certificate_bytes", len(der))
    report.note("key", kind_of(key))
    file = bench.whole(Key.AUTHENTICATION.certificate)
    report.note("filler_bytes", None if file is None else len(file) - len(der))
    if file is not None:
        assert trim(file) == der, "the file read at once begins with another certificate"
        assert len(set(file[len(der) :])) <= 1, "something else than filler lies behind it"


def test_the_ca_on_the_card_issued_it(bench: Bench, report: Report) -> None:
    report.note("ca_bytes", len(bench.certificate(EF_AUTHENTICATION_CA)))
    anchors, der = bench.anchors(), bench.certificate()
    third = any(one.certificate.fingerprint(hashes.SHA256()) == THIRD_GENERATION for one in anchors)
    named = "JPKI, third generation" if third else "JPKI-TEST" if is_look_alike(der, anchors) else "unknown"
    report.note("issuer", named)
    bench.believed(der)


def test_the_counters_are_full_and_asking_spends_nothing(bench: Bench, report: Report) -> None:
    for key in (Key.AUTHENTICATION, Key.SIGNATURE):
        first, again = bench.tries_left(key), bench.tries_left(key)
        report.note(f"tries_{key.name.lower()}", first)
        assert first == again, "asking for the counter changed it"
    if report.facts["tries_authentication"] != Key.AUTHENTICATION.secret.tries:
        raise RefusalError("the counter does not show three tries, no PIN was sent; docs/first-card.md says what now")


def test_a_visit_takes_five_exchanges_or_one_more_for_each_part(bench: Bench, report: Report) -> None:
    bench.visit()  # finds out what the reader can do
    extended = bench.traits.extended_le
    visit = bench.visit()
    report.note("extended_le", extended)
    note_visit(report, visit, "")
    bench.verify(visit)
    parts = 1 if extended else -(-len(visit.certificate) // 256)
    assert visit.took.exchanges == 4 + parts, f"{visit.took.exchanges} exchanges instead of {4 + parts}"
    assert visit.took.tries_left == Key.AUTHENTICATION.secret.tries, "the counter is not full after the right PIN"


def test_a_visit_without_extended_length(bench: Bench, report: Report) -> None:
    traits = bench.traits
    before, traits.extended_le = traits.extended_le, False
    try:
        visit = bench.visit()
    finally:
        traits.extended_le = before
    note_visit(report, visit, "_short_le")
    bench.verify(visit)


def test_one_pin_for_several_signatures(bench: Bench, report: Report) -> None:
    signed = 0
    with bench.session() as service:
        certificate = bench.believed(bench.begin(service)[1])
        bench.open(service)
        try:
            for _ in range(SIGNATURES):
                service.sign(digest_for(certificate, MESSAGE))
                signed += 1
        finally:
            report.note("signatures_for_one_pin", signed)


def test_after_leaving_another_process_cannot_sign(bench: Bench, report: Report) -> None:
    visit = bench.visit()
    said = stolen(bench.reader)
    report.note("signed_after_leave", "9000" in [said[what] for what in REFUSED])
    assert {what: said[what] for what in CONNECTED} == CONNECTED, f"it did not get as far as trying: {said}"
    assert not report.facts["signed_after_leave"], f"the card was left open: {said}"
    bench.verify(visit)


def test_whether_an_opened_key_survives_a_warm_reset(bench: Bench, report: Report) -> None:
    """Either is a card's own affair: the box takes the power at the end of each session."""
    with bench.session() as service:
        bench.open(service)
    with bench.powered() as card:
        traits = CardTraits()
        session = JpkiSession(conversation(card, Meter()), SHORT, traits)
        digest = digest_for(bench.believed(session.read_certificate()), MESSAGE)
        with bench.pin().once() as pin:
            session.open(pin)
        warm_reset(card)
        try:
            JpkiSession(conversation(card, Meter()), SHORT, traits).sign(digest)
        except NotOpenedError:
            report.note("survives_reset", False)
        else:
            report.note("survives_reset", True)


def test_a_wrong_pin_costs_one_try_and_the_right_one_gives_it_back(
    bench: Bench, declaration: Declaration | None
) -> None:
    if not is_look_alike(bench.certificate(), bench.anchors()):
        pytest.skip("a wrong PIN is never tried on a card that an office issued")
    if declaration is None or not declaration.wrong_pins:
        pytest.skip("the holder did not write wrong_pins = true")
    service = bench.desk.client()
    try:
        error = try_wrong(service, Key.AUTHENTICATION, bench.pin().wrong(), declaration, bench.anchors())
        assert error is not None, "the card took a wrong PIN"
        assert error.fields.get("tries_left") == Key.AUTHENTICATION.secret.tries - 1, "not one try was spent"
        with bench.pin().once() as pin:
            service.open(pin)
        assert service.tally().tries_left == Key.AUTHENTICATION.secret.tries, "the right PIN did not give it back"
    finally:
        service.leave()


def test_the_card_is_taken_away_in_the_middle(
    bench: Bench, report: Report, say: Say, pytestconfig: pytest.Config
) -> None:
    if not pytestconfig.getoption("take_away"):
        pytest.skip("only with --take-away: a person is needed")
    say("Take the card away now.")
    service, gone, end = bench.desk.client(), "", time.monotonic() + TAKEN_S
    while not gone and time.monotonic() < end:
        try:
            bench.begin(service)
        except (CardRemovedError, CardAbsentError, CardMuteError) as error:
            gone = error.code
        service.leave()
    if not gone:
        raise RefusalError("the card was not taken away")
    report.note("taken_away", gone)
    assert bench.waited(lambda state: state is CardState.EMPTY), "the reader did not notice that the card went away"
    say("Put the card back.")
    assert bench.waited(lambda state: state is CardState.PRESENT), "the card did not come back"
    assert gone != CardMuteError.code, "the card was taken for one that does not answer"
    with bench.session():
        pass


def test_the_counter_is_full_at_the_end(bench: Bench, report: Report) -> None:
    left = bench.tries_left(Key.AUTHENTICATION)
    report.note("tries_authentication_after", left)
    assert left == Key.AUTHENTICATION.secret.tries, f"{left} tries are left"


def kind_of(key: object) -> str:
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    return key.curve.name if isinstance(key, ec.EllipticCurvePublicKey) else "unknown"


def note_visit(report: Report, visit: Visit, suffix: str) -> None:
    report.note(f"exchanges{suffix}", visit.took.exchanges)
    report.note(f"bytes{suffix}", visit.took.bytes)
    report.note(f"card_ms{suffix}", visit.took.card_ms)
    report.note(f"own_ms{suffix}", visit.own_ms)
    report.note("signature_bytes", len(visit.signature))
