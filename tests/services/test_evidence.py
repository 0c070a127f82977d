"""The evidence of visits: for the verifier alone, a certificate once, and a key that the box soon forgets."""

import hashlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from cryptography import x509

from appliance.ledger.disclosure import item_keys
from appliance.ledger.entry import Entry, IdentityKind, type_label
from appliance.ledger.evidence import HEAD_BYTES, EvidenceOpener
from appliance.ledger.evidence_file import EvidenceFile
from appliance.ledger.examination import examine
from appliance.ledger.recipient import EvidenceKeyError
from appliance.school.statement import Statement
from appliance.services.check_in import CheckIn
from appliance.services.evidence import NoEvidenceError, evidence_file
from appliance.services.link_codes import LinkCodes
from appliance.services.opening import OpenBox
from appliance.store.evidence import EvidenceStore
from appliance.store.tree import NoEntryError
from appliance.trust.policy import card_policy
from tests.scenarios.search import contents, files, look, spellings
from tests.services.conftest import LINES, STAFF, Visitor
from tests.sim.box import MakeCheckIn, Verifier
from tests.sim.card.hierarchy import Hierarchy
from tests.sim.card.pki import Wish
from tests.sim.clock import ManualClock
from tests.sim.fixtures import MakeCard
from tests.trust.material import anchors_of

HOUR_MS = 3_600_000
CERTIFICATE, VISIT = "card.certificate", "guardian.authenticated"


@pytest.fixture(autouse=True)
def in_japan(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A local day begins at 15:00 UTC."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def morning(clock: ManualClock) -> ManualClock:
    """09:00 in Japan, tomorrow."""
    day_ms = 24 * HOUR_MS
    clock.ms = (clock.ms // day_ms + 1) * day_ms
    return clock


@pytest.fixture
def visitor(check_in: CheckIn, make_card: MakeCard, link_codes: LinkCodes, morning: ManualClock) -> Visitor:
    """A visitor whose card was linked to ``mother`` at an earlier visit, on the same morning."""
    visitor = Visitor(check_in, make_card())
    visitor.visit(check_in.accept_code(link_codes.issue("mother", STAFF).code.digits, 0))
    return visitor


def exported(box: OpenBox, entry: int) -> EvidenceFile:
    return EvidenceFile.from_bytes(evidence_file(box.ledger, EvidenceStore(box.database), entry).to_bytes())


def body(box: OpenBox, entry: int) -> dict[str, object]:
    found = box.ledger.body(entry)
    assert found is not None
    return found.read()


def of_type(box: OpenBox, label: str) -> list[tuple[int, Entry]]:
    entries = [(index, box.ledger.entry(index)) for index in range(box.ledger.head().size)]
    return [(index, entry) for index, entry in entries if type_label(entry.type) == label]


def epochs(box: OpenBox) -> int:
    return len(box.database.rows("SELECT id FROM evidence_epoch"))


def opened(box: OpenBox, opener: EvidenceOpener, entry: int) -> tuple[str, bytes]:
    """What the person read, in one text, and the certificate."""
    file = exported(box, entry)
    act = opener.open(file.act_message, file.claim.act)
    der = opener.open_certificate(file.certificate_message, file.claim.certificate)
    assert hashlib.sha256(der).digest() == act.certificate
    return "\n".join(Statement.parse(act.statement).lines), der


# Who reads it.


def test_the_verifier_reads_what_was_shown_and_signed(
    visitor: Visitor, box: OpenBox, verifier: Verifier, hierarchy: Hierarchy
) -> None:
    card, statement = visitor.show_card(), visitor.check_in.statement(LINES, "ja")
    signature = visitor.sign(statement)
    index = visitor.check_in.record(card, None, statement, signature)
    file = exported(box, index)
    act = verifier.opener.open(file.act_message, file.claim.act)
    assert (act.statement, act.signature) == (statement.canonical(), signature)
    assert opened(box, verifier.opener, index) == ("\n".join(LINES), card.der)
    assert (file.claim.origin, file.claim.entry) == (box.school.origin, index)
    policy = card_policy(allow_test_cards=True)
    keys = item_keys(file, verifier.opener)
    found = examine(file.claim, lambda: keys, anchors_of(hierarchy), policy, Statement.parse)
    assert (found.fault, found.statement) == (None, statement)


def test_nothing_of_it_is_in_the_sealed_bytes(visitor: Visitor, box: OpenBox) -> None:
    card, statement = visitor.show_card(), visitor.check_in.statement(LINES, "ja")
    signature = visitor.sign(statement)
    data = exported(box, visitor.check_in.record(card, None, statement, signature)).to_bytes()
    for part in (card.der[100:140], signature[:40], LINES[0].encode()):
        assert part not in data


def test_before_enrolment_no_evidence_is_kept(
    visitor: Visitor, make_check_in: MakeCheckIn, box: OpenBox, verifier: Verifier
) -> None:
    kept = box.database.row("SELECT count(*) FROM evidence")
    verifier.enrolled = False
    visitor = Visitor(make_check_in(), visitor.card)
    index = visitor.visit()
    assert (body(box, index)["evidence"], box.ledger.entry(index).refs) == (None, ())
    assert box.database.row("SELECT count(*) FROM evidence") == kept
    verifier.enrolled = True
    assert body(box, visitor.visit())["evidence"] is not None


def test_what_is_no_key_of_a_verifier_seals_nothing_and_writes_nothing(
    visitor: Visitor, box: OpenBox, verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = box.ledger.head().size
    monkeypatch.setattr(verifier.opener, "public_bytes", lambda: b"no key")
    with pytest.raises(EvidenceKeyError):
        visitor.visit()
    assert box.ledger.head().size == before


# The certificate, once.


def test_a_certificate_is_introduced_once_and_referred_to(visitor: Visitor, box: OpenBox) -> None:
    for _ in range(2):
        visitor.visit()
    ((introduced, entry),) = of_type(box, CERTIFICATE)
    visits = of_type(box, VISIT)
    assert [one.refs for _, one in visits] == [(introduced,)] * 3
    (card,) = {body(box, index)["card"] for index, _ in visits}
    assert (entry.actor, entry.subject, entry.refs) == (0, card, ())
    assert set(body(box, introduced)) == {"evidence"}
    assert box.database.rows("SELECT count(*), count(DISTINCT entry) FROM evidence") == [(4, 4)]
    entries = {row[0] for row in box.database.rows("SELECT entry FROM evidence")}
    assert entries == {introduced, *(index for index, _ in visits)}


def test_only_the_first_visit_carries_the_certificate(visitor: Visitor, box: OpenBox) -> None:
    sizes: dict[int, int] = dict(box.database.rows("SELECT entry, length(sealed) FROM evidence"))
    der = len(visitor.show_card().der)
    again = visitor.visit()
    (size,) = box.database.rows("SELECT length(sealed) FROM evidence WHERE entry = ?", (again,))[0]
    assert max(sizes.values()) > der
    statement = len(visitor.check_in.statement(LINES, "ja").canonical())
    assert size < statement + 256 + 32 + 48


def test_each_card_has_its_own(visitor: Visitor, box: OpenBox, make_card: MakeCard, link_codes: LinkCodes) -> None:
    other = Visitor(visitor.check_in, make_card())
    other.visit(other.check_in.accept_code(link_codes.issue("father", STAFF).code.digits, 0))
    cards = [entry.subject for _, entry in of_type(box, CERTIFICATE)]
    assert len(set(cards)) == 2
    rows = box.database.rows("SELECT number FROM identity WHERE kind = ?", (IdentityKind.CARD.value,))
    assert {row[0] for row in rows} == set(cards)


def test_a_renewed_certificate_of_the_same_card_is_introduced_anew(
    visitor: Visitor, box: OpenBox, make_card: MakeCard, verifier: Verifier
) -> None:
    der = visitor.show_card().der
    serial = x509.load_der_x509_certificate(der).serial_number
    renewed = Visitor(visitor.check_in, make_card(authentication=Wish(serial=serial, der_length=1500)))
    assert renewed.show_card().pseudonym == visitor.show_card().pseudonym
    first, second = visitor.visit(), renewed.visit()
    (one, _), (two, entry) = of_type(box, CERTIFICATE)
    assert entry.subject == box.ledger.entry(one).subject
    assert (box.ledger.entry(first).refs, box.ledger.entry(second).refs) == ((one,), (two,))
    assert opened(box, verifier.opener, second)[1] == renewed.show_card().der != der
    assert box.ledger.entry(visitor.visit()).refs == (one,)


def test_after_a_restart_the_certificate_is_still_known(
    visitor: Visitor, make_check_in: MakeCheckIn, box: OpenBox, verifier: Verifier
) -> None:
    index = Visitor(make_check_in(), visitor.card).visit()
    assert len(of_type(box, CERTIFICATE)) == 1
    file = exported(box, index)
    assert file.act_message != file.certificate_message
    assert opened(box, verifier.opener, index) == ("\n".join(LINES), visitor.show_card().der)


def test_another_verifier_is_given_everything_anew(visitor: Visitor, box: OpenBox, verifier: Verifier) -> None:
    former = verifier.opener
    old = visitor.visit()
    verifier.opener = EvidenceOpener.make()
    new = visitor.visit()
    assert epochs(box) == 2
    assert len(of_type(box, CERTIFICATE)) == 2
    for opener, index in ((former, old), (verifier.opener, new)):
        assert opened(box, opener, index) == ("\n".join(LINES), visitor.show_card().der)


def test_nothing_by_which_the_box_knows_a_certificate_says_what_it_is(visitor: Visitor, box: OpenBox) -> None:
    der = visitor.show_card().der
    serial = x509.load_der_x509_certificate(der).serial_number
    stored = contents(box.database, "box")
    assert any(place.startswith("box:card_certificate[0].known") for place in stored)
    wanted = spellings("serial", serial.to_bytes((serial.bit_length() + 7) // 8))
    for name in ("sha256", "sha1", "md5"):
        wanted |= spellings(name, hashlib.new(name, der).digest())
    assert look(wanted, stored) == []


def test_an_erased_certificate_is_introduced_anew(visitor: Visitor, box: OpenBox) -> None:
    ((introduced, _),) = of_type(box, CERTIFICATE)
    with box.database.transaction() as transaction:
        assert EvidenceStore(box.database).delete(transaction, introduced) == 1
    old, new = of_type(box, VISIT)[0][0], visitor.visit()
    assert len(of_type(box, CERTIFICATE)) == 2
    assert exported(box, new).claim.entry == new
    with pytest.raises(NoEvidenceError, match="erased"):
        exported(box, old)


# The key, soon forgotten.


def test_a_local_day_is_an_epoch(visitor: Visitor, box: OpenBox, morning: ManualClock, verifier: Verifier) -> None:
    morning.advance(14 * HOUR_MS)  # 23:00
    late = visitor.visit()
    assert epochs(box) == 1
    morning.advance(HOUR_MS)
    assert datetime.fromtimestamp(morning.ms / 1000, UTC).hour == 15
    early = visitor.visit()
    assert epochs(box) == 2
    assert exported(box, late).act_message != exported(box, early).act_message
    for index in (late, early):
        assert opened(box, verifier.opener, index)[0] == "\n".join(LINES)


def test_a_clock_that_is_put_right_begins_an_epoch_too(visitor: Visitor, box: OpenBox, morning: ManualClock) -> None:
    morning.ms -= 24 * HOUR_MS
    visitor.visit()
    assert epochs(box) == 2


def test_one_epoch_lasts_until_the_next_start(visitor: Visitor, make_check_in: MakeCheckIn, box: OpenBox) -> None:
    visitor.visit()
    assert epochs(box) == 1
    Visitor(make_check_in(), visitor.card).visit()
    assert epochs(box) == 2


def test_at_midnight_the_key_is_overwritten_though_nobody_comes(visitor: Visitor, morning: ManualClock) -> None:
    sealer = visitor.check_in._evidence._sealer  # other tests of this process may have left theirs behind
    assert sealer is not None
    key = sealer._key
    assert len(key) == 32
    morning.advance(14 * HOUR_MS)
    visitor.check_in.end_old_epoch()
    assert len(key) == 32
    morning.advance(HOUR_MS)
    visitor.check_in.end_old_epoch()
    assert bytes(key) == b""


def test_nothing_that_stays_opens_what_was_sealed(
    visitor: Visitor, box: OpenBox, morning: ManualClock, verifier: Verifier
) -> None:
    today = visitor.visit()
    morning.advance(24 * HOUR_MS)
    visitor.visit()
    kept = contents(box.database, "box")
    kept |= {f"body {index}": str(body(box, index)).encode() for index in range(box.ledger.head().size)}
    on_disk = files([box.database.path.parent])
    assert any(place.endswith("box.db") for place in on_disk)
    file = exported(box, today)
    info = b"madoguchi evidence epoch 1" + file.claim.act.epoch
    keys = {"epoch": verifier.opener.unseal(file.act_message[HEAD_BYTES:], info)}
    items = item_keys(file, verifier.opener)
    keys |= {"act": items.act, "certificate": items.certificate, "verifier": verifier.opener.to_bytes()}
    wanted = {name: one for key in keys for name, one in spellings(key, keys[key]).items()}
    assert look(wanted, kept | on_disk) == []
    # The search finds a key where there is one.
    assert look(wanted, {"a place": keys["epoch"].hex().encode()}) == [("epoch (hexadecimal)", "a place")]


# What there is to export.


def test_an_entry_without_evidence_says_so(
    visitor: Visitor, box: OpenBox, make_check_in: MakeCheckIn, verifier: Verifier
) -> None:
    with pytest.raises(NoEvidenceError, match="no act of a guardian"):
        exported(box, 0)
    verifier.enrolled = False
    unsealed = Visitor(make_check_in(), visitor.card).visit()
    with pytest.raises(NoEvidenceError, match="not sealed"):
        exported(box, unsealed)
    with pytest.raises(NoEntryError):
        exported(box, unsealed + 1)


def test_an_erased_body_has_no_evidence(visitor: Visitor, box: OpenBox) -> None:
    index = visitor.visit()
    with box.ledger.append() as appending:
        appending.erase([index], "retention")
    with pytest.raises(NoEvidenceError, match="erased"):
        exported(box, index)
