"""A guardian's visit, from the card at the lowest seam to the signed record."""

import hashlib
from dataclasses import replace

import cbor2
import pytest
from cryptography import x509

from appliance.ledger.entry import type_label
from appliance.ledger.generation import Reason
from appliance.ledger.keys import SigningKey
from appliance.ledger.receipt import open_receipt, parse_receipt_text
from appliance.school.link_code import (
    CodeCheckError,
    CodeExpiredError,
    CodeUnknownError,
    CodeUsedError,
    CodeWithdrawnError,
    LinkCode,
    TooManyCodesError,
    make_link_code,
)
from appliance.school.roster import write_roster
from appliance.school.statement import DOMAIN
from appliance.services.check_in import CheckIn, Linking, NotLinkedError, receipt_number
from appliance.services.generations import begin_generation, opening_of
from appliance.services.link_codes import LinkCodes
from appliance.services.opening import OpenBox
from appliance.services.roster import ImportRoster
from appliance.store.cards import CardStore
from appliance.store.faults import DiskFullError
from appliance.store.people import PeopleStore
from appliance.store.visits import StoredVisit, VisitStore
from appliance.trust.policy import UntrustedIssuerError
from appliance.trust.signature import BadSignatureError
from tests.school.small import make_small
from tests.services.conftest import LINES, STAFF, Visitor
from tests.sim.box import confirm
from tests.sim.card.hierarchy import Hierarchy
from tests.sim.clock import ManualClock
from tests.sim.fixtures import MakeCard

DAY_MS = 86_400_000


def labels(box: OpenBox, first: int = 0) -> list[str]:
    return [type_label(box.ledger.entry(index).type) for index in range(first, box.ledger.head().size)]


def content(box: OpenBox, index: int) -> dict[str, object]:
    body = box.ledger.body(index)
    assert body is not None
    found: dict[str, object] = body.read()
    return found


def everything(box: OpenBox) -> list[object]:
    """All that a visit can change in the database."""
    tables = (
        *("ledger", "entry", "identity", "visit", "card_link", "link_code"),
        *("evidence", "evidence_epoch", "card_certificate"),
    )
    return [box.database.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]


@pytest.fixture
def visitor(check_in: CheckIn, make_card: MakeCard) -> Visitor:
    return Visitor(check_in, make_card())


@pytest.fixture
def linked(visitor: Visitor, link_codes: LinkCodes) -> Visitor:
    """A visitor whose card was linked to ``mother`` at an earlier visit."""
    code = link_codes.issue("mother", STAFF).code
    visitor.visit(visitor.check_in.accept_code(code.digits, 0))
    return visitor


def test_the_first_visit_links_the_card(
    visitor: Visitor, link_codes: LinkCodes, box: OpenBox, cards: CardStore
) -> None:
    code, before = link_codes.issue("mother", STAFF).code, box.ledger.head().size
    assert visitor.show_card().guardian is None
    linking = visitor.check_in.accept_code(code.shown, 0)
    assert linking.guardian == "mother"
    index = visitor.visit(linking)
    introduced = ["identity.introduced", "guardian.linked", "card.certificate"]
    assert labels(box, before) == [*introduced, "guardian.authenticated"]
    assert index == before + 3
    known = visitor.show_card()
    assert known.guardian == "mother"
    assert cards.is_linked("mother")
    used = box.database.row("SELECT used_ms, withdrawn_ms FROM link_code")
    assert used == (box.clock.now_ms(), None)


def test_a_visit_of_a_known_card_is_one_entry(linked: Visitor, box: OpenBox, clock: ManualClock) -> None:
    before = box.ledger.head().size
    clock.advance(60_000)
    index = linked.visit()
    assert (index, labels(box, before)) == (before, ["guardian.authenticated"])
    entry = box.ledger.entry(index)
    assert entry.wall_ms == clock.ms
    assert entry.actor == entry.subject
    visits = VisitStore(box.database).between(clock.ms, clock.ms + 1)
    assert visits == [StoredVisit(index, "mother", "visit", clock.ms)]


def import_without(box: OpenBox, people: PeopleStore, cards: CardStore, *missing: str) -> None:
    small = make_small()
    left = replace(
        small,
        people=tuple(one for one in small.people if one.id not in missing),
        roles=tuple(one for one in small.roles if one.person not in missing),
        guardianships=tuple(one for one in small.guardianships if one.guardian not in missing),
    )
    ImportRoster(box, people, cards).run(write_roster(left))


def test_who_left_the_school_is_a_stranger_until_coming_back(
    linked: Visitor, box: OpenBox, people: PeopleStore, cards: CardStore
) -> None:
    import_without(box, people, cards, "mother")
    assert linked.show_card().guardian is None
    with pytest.raises(NotLinkedError):
        linked.visit()
    import_without(box, people, cards)
    assert linked.show_card().guardian == "mother"


def test_the_code_of_who_left_the_school_ends(
    visitor: Visitor, link_codes: LinkCodes, box: OpenBox, people: PeopleStore, cards: CardStore
) -> None:
    mothers, aunts = link_codes.issue("mother", STAFF).code, link_codes.issue("aunt", STAFF).code
    import_without(box, people, cards, "mother")
    with pytest.raises(CodeWithdrawnError):
        visitor.check_in.accept_code(mothers.digits, 0)
    assert visitor.check_in.accept_code(aunts.digits, 0).guardian == "aunt"


def test_the_record_says_what_was_checked_and_no_more(linked: Visitor, box: OpenBox) -> None:
    card, statement = linked.show_card(), linked.check_in.statement(LINES, "ja")
    index = linked.check_in.record(card, None, statement, linked.sign(statement))
    said = content(box, index)
    evidence = said.pop("evidence")
    assert isinstance(evidence, bytes)
    assert said == {
        "purpose": "visit",
        "channel": "kiosk",
        "assurance": "jpki.authentication",
        "revocation": "not checked",
        "language": "ja",
        "statement": hashlib.sha256(statement.canonical()).digest(),
        "card": said["card"],
    }


def test_the_statement_holds_what_the_screen_showed(check_in: CheckIn, box: OpenBox, clock: ManualClock) -> None:
    first, second = check_in.statement(LINES, "ja"), check_in.statement(LINES, "ja")
    domain, said = cbor2.loads(first.canonical())
    assert domain == DOMAIN
    assert said == {
        "purpose": "visit",
        "school": box.school.code,
        "school_name": box.school.name,
        "language": "ja",
        "lines": list(LINES),
        "nonce": first.nonce,
        "time_ms": clock.ms,
    }
    assert len(first.nonce) == 16
    assert first.nonce != second.nonce
    assert first.digest() == hashlib.sha256(first.canonical()).digest() != second.digest()


def test_a_wrong_signature_writes_nothing(linked: Visitor, box: OpenBox) -> None:
    card, statement = linked.show_card(), linked.check_in.statement(LINES, "ja")
    good = linked.sign(statement)
    before = everything(box)
    flipped = bytes([good[0] ^ 1, *good[1:]])
    other = linked.sign(linked.check_in.statement(LINES, "ja"))
    for wrong in (flipped, other, b"", good[:-1]):
        with pytest.raises(BadSignatureError):
            linked.check_in.record(card, None, statement, wrong)
    assert everything(box) == before


@pytest.mark.parametrize(
    "change",
    [
        {"lines": (LINES[0],)},
        {"purpose": "consent"},
        {"school_code": "B113299900019"},
        {"language": "en"},
        {"nonce": bytes(16)},
        {"time_ms": 0},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_signature_is_bound_to_every_part(linked: Visitor, box: OpenBox, change: dict[str, object]) -> None:
    card, statement = linked.show_card(), linked.check_in.statement(LINES, "ja")
    signature = linked.sign(statement)
    before = everything(box)
    with pytest.raises(BadSignatureError):
        linked.check_in.record(
            card,
            None,
            replace(statement, **change),  # type: ignore[arg-type]  # each case names one field of Statement
            signature,
        )
    assert everything(box) == before


def test_a_card_of_other_roots_is_not_believed(check_in: CheckIn, make_card: MakeCard, stranger: Hierarchy) -> None:
    with pytest.raises(UntrustedIssuerError):
        Visitor(check_in, make_card(issuer=stranger)).show_card()


def test_a_card_of_nobody_cannot_visit(visitor: Visitor, box: OpenBox) -> None:
    before = everything(box)
    with pytest.raises(NotLinkedError):
        visitor.visit()
    assert everything(box) == before


def test_a_used_code_links_no_second_card(
    linked: Visitor, link_codes: LinkCodes, make_card: MakeCard, box: OpenBox
) -> None:
    code = link_codes.issue("father", STAFF).code
    first, second = (linked.check_in.accept_code(code.digits, 0) for _ in range(2))
    one = Visitor(linked.check_in, make_card())
    assert one.visit(first) > 0
    with pytest.raises(CodeUsedError):
        linked.check_in.accept_code(code.digits, 0)
    before = everything(box)
    with pytest.raises(CodeUsedError):
        Visitor(linked.check_in, make_card()).visit(second)
    assert everything(box) == before


def test_a_code_is_told_by_what_is_wrong_with_it(
    check_in: CheckIn, link_codes: LinkCodes, cards: CardStore, clock: ManualClock
) -> None:
    old, new = (link_codes.issue("mother", STAFF).code for _ in range(2))
    with pytest.raises(CodeWithdrawnError):
        check_in.accept_code(old.digits, 0)
    with pytest.raises(CodeCheckError):
        check_in.accept_code(new.digits[:-1] + str((int(new.digits[-1]) + 1) % 10), 0)
    clock.advance(14 * DAY_MS)
    with pytest.raises(CodeExpiredError):
        check_in.accept_code(new.digits, 0)
    assert cards.attempts_within(DAY_MS, clock.ms) == 0


def unknown_code(link_codes: LinkCodes) -> LinkCode:
    issued = link_codes.issue("mother", STAFF).code
    return next(code for code in (make_link_code(lambda _: 0), make_link_code(lambda _: 1)) if code != issued)


def test_guesses_are_counted_and_stopped(
    check_in: CheckIn, link_codes: LinkCodes, cards: CardStore, clock: ManualClock
) -> None:
    wrong, good = unknown_code(link_codes), link_codes.issue("father", STAFF).code
    for _ in range(10):
        with pytest.raises(CodeUnknownError):
            check_in.accept_code(wrong.digits, 0)
    assert cards.attempts_within(DAY_MS, clock.ms) == 10
    with pytest.raises(TooManyCodesError) as refused:
        check_in.accept_code(good.digits, 0)
    assert refused.value.fields == {"within": "hour"}
    clock.advance(3_600_000)
    assert check_in.accept_code(good.digits, 0).guardian == "father"
    with pytest.raises(TooManyCodesError) as refused:
        check_in.accept_code(good.digits, 3)
    assert refused.value.fields == {"within": "visit"}


def test_a_full_disk_leaves_nothing_of_a_visit(linked: Visitor, link_codes: LinkCodes, box: OpenBox) -> None:
    code = link_codes.issue("father", STAFF).code
    linking = linked.check_in.accept_code(code.digits, 0)
    card, statement = linked.show_card(), linked.check_in.statement(LINES * 200, "ja")
    signature = linked.sign(statement)
    before = everything(box)
    pages = box.database.row("PRAGMA page_count")
    assert pages is not None
    box.database.rows(f"PRAGMA max_page_count = {pages[0] + 1}")
    with pytest.raises(DiskFullError):
        linked.check_in.record(card, linking, statement, signature)
    assert everything(box) == before
    assert box.database.check() == []
    box.database.rows(f"PRAGMA max_page_count = {1 << 30}")
    assert linked.check_in.record(card, linking, statement, signature) == box.ledger.head().size - 1


def test_the_receipt_proves_the_visit(linked: Visitor, box: OpenBox) -> None:
    index = linked.visit()
    data = parse_receipt_text(linked.check_in.receipt_text(index))
    opened = open_receipt(data, box.school.origin, box.ledger.public_key, None)
    assert (opened.index, opened.entry) == (index, box.ledger.entry(index))
    assert linked.check_in.confirmation(index) is None
    assert receipt_number(index) == f"M-{index:06d}"


def test_the_receipt_stays_that_of_the_visit_when_a_new_generation_begins(
    linked: Visitor, box: OpenBox, device_key: SigningKey, clock: ManualClock
) -> None:
    hub, ledger = SigningKey.make(), box.ledger
    confirm(box, ledger.head().size, hub)
    index = linked.visit()
    text = linked.check_in.receipt_text(index)
    begin_generation(box.database, device_key, clock, Reason.ROLLED_BACK)
    box.look_again()
    # While the screen still shows it:
    assert parse_receipt_text(linked.check_in.receipt_text(index)) == ledger.receipt(index)
    opened = open_receipt(parse_receipt_text(text), ledger.origin, ledger.public_key, None)
    assert opened.entry == ledger.entry(index)
    assert linked.check_in.confirmation(index) is None
    opening = opening_of(box.ledger)
    assert opening is not None
    confirm(box, index - opening.first + 2, hub)  # the entry that carries it on, and no more
    assert linked.check_in.confirmation(index) is not None
    later = linked.visit()
    assert linked.check_in.confirmation(later) is None
    receipt = parse_receipt_text(linked.check_in.receipt_text(later))
    assert open_receipt(receipt, box.school.origin, box.ledger.public_key, None).index == later
    assert [row[:2] for row in box.database.rows("SELECT generation, entry FROM visit ORDER BY 1, 2")][-2:] == [
        (1, index),
        (2, later),
    ]
    # The certificate was introduced anew, for no entry of this ledger had done so.
    assert box.ledger.entry(later).refs == (later - 1,)
    assert type_label(box.ledger.entry(later - 1).type) == "card.certificate"


def test_nothing_secret_shows_in_a_trace(linked: Visitor) -> None:
    card = linked.show_card()
    assert card.der.hex()[:40] not in repr(card)
    assert repr(card.der) not in repr(card)
    assert b"d" * 32 not in repr(Linking("mother", b"d" * 32)).encode()


def test_no_serial_and_no_certificate_lie_in_the_database(linked: Visitor, box: OpenBox) -> None:
    card = linked.show_card()
    linked.visit()
    tables = [row[0] for row in box.database.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
    values = [value for table in tables for row in box.database.rows(f"SELECT * FROM {table}") for value in row]
    stored = b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)
    for index in range(box.ledger.head().size):
        stored += cbor2.dumps(content(box, index))
    assert card.der[60:120] not in stored
    serial = x509.load_der_x509_certificate(card.der).serial_number
    assert serial.to_bytes(16) not in stored
    assert str(serial).encode() not in stored
    assert card.pseudonym in stored
