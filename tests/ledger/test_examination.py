"""The numbered list: all of it holds for what a box has sealed, and each line catches what it is there for."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from appliance.ledger.disclosure import Auditor, disclose, item_keys
from appliance.ledger.encoding import encode
from appliance.ledger.evidence import EvidenceOpener
from appliance.ledger.evidence_file import EvidenceFile, EvidenceFileError
from appliance.ledger.examination import CHECKS, Examination, examine
from appliance.school.statement import Statement
from appliance.trust.policy import card_policy
from tests.sim.card.hierarchy import Hierarchy
from tests.sim.card.pki import Issued, Use, Wish
from tests.sim.evidence import NOW_MS, ORIGIN, Epoch, make_statement, sign
from tests.trust.material import DAY, NOW, anchors_of, issued

VERIFIER = EvidenceOpener.make()
POLICY = card_policy(allow_test_cards=True)
YEAR_MS = 366 * 86_400_000
Look = Callable[[EvidenceFile], Examination]


@pytest.fixture(scope="module")
def card(hierarchy: Hierarchy) -> Issued:
    return issued(hierarchy)


@pytest.fixture
def epoch() -> Epoch:
    return Epoch(VERIFIER)


@pytest.fixture
def file(epoch: Epoch, card: Issued) -> EvidenceFile:
    return epoch.act(card, make_statement())


@pytest.fixture
def look(hierarchy: Hierarchy) -> Look:
    anchors = anchors_of(hierarchy)
    return lambda file: examine(file.claim, lambda: item_keys(file, VERIFIER), anchors, POLICY, Statement.parse)


def failed(found: Examination) -> tuple[str, str]:
    """The check that does not hold and the code of what it found."""
    assert not found.good
    assert found.fault is not None
    return CHECKS[len(found.passed)], found.fault.code


def test_good_evidence_passes_every_check(file: EvidenceFile, look: Look) -> None:
    found = look(EvidenceFile.from_bytes(file.to_bytes()))
    assert found.fault is None
    assert (found.good, found.passed, found.is_test) == (True, CHECKS, True)
    assert found.statement == make_statement()


def test_an_auditor_comes_to_the_same(file: EvidenceFile, look: Look, hierarchy: Hierarchy) -> None:
    auditor = Auditor.make()
    shown = disclose(file, VERIFIER, auditor.public_file())
    found = examine(shown.claim, lambda: shown.keys(auditor), anchors_of(hierarchy), POLICY, Statement.parse)
    assert found == look(file)


def test_a_coming_card_with_a_curve_is_looked_at_alike(look: Look, epoch: Epoch, hierarchy: Hierarchy) -> None:
    coming = hierarchy.issue(Use.AUTHENTICATION, generation=max(number for _, number in hierarchy.roots))
    assert isinstance(coming.key, ec.EllipticCurvePrivateKey)
    assert look(epoch.act(coming, make_statement())).good


def test_changed_bytes_are_found(file: EvidenceFile, look: Look) -> None:
    claim = file.claim
    for name in ("act", "certificate"):
        item = getattr(claim, name)
        spoilt = replace(item, sealed=item.sealed[:-1] + bytes([item.sealed[-1] ^ 1]))
        assert failed(look(replace(file, claim=replace(claim, **{name: spoilt})))) == ("item", "evidence.sealed")


def test_whatever_byte_is_changed_only_what_the_file_alone_says_can_differ(file: EvidenceFile, look: Look) -> None:
    data, refused = file.to_bytes(), 0
    for at in range(0, len(data), 11):
        changed = data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]
        try:
            read = EvidenceFile.from_bytes(changed)
        except EvidenceFileError:
            refused += 1
            continue
        found = look(read)
        refused += not found.good
        if found.good:
            # Which record it is, is for the record's receipt to show.
            assert replace(read, claim=replace(read.claim, origin=ORIGIN, entry=file.claim.entry)) == file
    assert refused > len(data) / 11 - 5


@pytest.mark.parametrize("der", [b"", b"\x30\x00", b"certificate"])
def test_what_is_no_certificate_is_found(epoch: Epoch, card: Issued, look: Look, der: bytes) -> None:
    good = epoch.act(card, make_statement(), beside=hashlib.sha256(der).digest())
    other = replace(good.claim, certificate=epoch.sealer.seal_certificate(der))
    assert failed(look(replace(good, claim=other))) == ("chain", "card.untrusted_malformed")


def test_another_key_or_epoch_is_found(file: EvidenceFile, look: Look, card: Issued) -> None:
    other = Epoch(EvidenceOpener.make()).act(card, make_statement())
    assert failed(look(other)) == ("key", "evidence.sealed")
    assert failed(look(replace(file, act_message=Epoch(VERIFIER).sealer.message))) == ("key", "evidence.sealed")


def test_swapped_items_are_found(file: EvidenceFile, look: Look, epoch: Epoch, card: Issued) -> None:
    claim, other = file.claim, epoch.act(card, make_statement("ほかの文。")).claim
    swapped = replace(claim, act=claim.certificate, certificate=claim.act)
    assert failed(look(replace(file, claim=swapped))) == ("content", "evidence.sealed")
    # A whole other act of the same card, with the first one's number: the record names another statement.
    assert failed(look(replace(file, claim=replace(claim, act=other.act)))) == (
        "statement",
        "evidence.other_statement",
    )


@pytest.mark.parametrize("message", [b"no CBOR", encode(["madoguchi statement v2", {}]), encode({})])
def test_what_is_no_statement_is_found(epoch: Epoch, card: Issued, look: Look, message: bytes) -> None:
    found = look(epoch.raw(card, message, sign(card, message)))
    assert failed(found) == ("form", "statement.form")
    assert found.statement is None


def test_a_certificate_that_was_not_there_is_found(
    file: EvidenceFile, look: Look, epoch: Epoch, hierarchy: Hierarchy
) -> None:
    other = epoch.act(issued(hierarchy), make_statement()).claim.certificate
    swapped = replace(file, claim=replace(file.claim, certificate=other))
    assert failed(look(swapped)) == ("certificate", "evidence.other_certificate")


def test_a_card_of_other_roots_is_found(look: Look, epoch: Epoch, stranger: Hierarchy) -> None:
    found = look(epoch.act(issued(stranger), make_statement()))
    assert failed(found) == ("chain", "card.untrusted_issuer")
    assert found.statement == make_statement()


def test_what_counts_is_the_time_of_the_signature(look: Look, epoch: Epoch, hierarchy: Hierarchy) -> None:
    wish = Wish(not_before=NOW - 400 * DAY, not_after=NOW - 300 * DAY)
    expired = issued(hierarchy, wish)
    then_ms = int((NOW - timedelta(days=350)).timestamp() * 1000)
    assert look(epoch.act(expired, make_statement(at_ms=then_ms))).good
    assert failed(look(epoch.act(expired, make_statement()))) == ("chain", "card.untrusted_expired")
    too_early = make_statement(at_ms=NOW_MS - 2 * YEAR_MS)
    assert failed(look(epoch.act(expired, too_early))) == ("chain", "card.untrusted_not_yet_valid")


def test_a_signature_over_something_else_is_found(look: Look, epoch: Epoch, card: Issued) -> None:
    other = sign(card, make_statement("ほかの文。").canonical())
    found = look(epoch.act(card, make_statement(), signature=other))
    assert failed(found) == ("signature", "card.untrusted_bad_signature")
    assert found.passed == CHECKS[:-1]


def test_without_test_cards_the_look_alike_is_refused(file: EvidenceFile, hierarchy: Hierarchy) -> None:
    strict = card_policy(allow_test_cards=False)
    found = examine(file.claim, lambda: item_keys(file, VERIFIER), anchors_of(hierarchy), strict, Statement.parse)
    assert failed(found) == ("chain", "card.untrusted_issuer")


def test_the_summary_is_for_programs_and_has_no_certificate(
    file: EvidenceFile, look: Look, card: Issued, epoch: Epoch
) -> None:
    good = look(file).summary()
    assert json.loads(json.dumps(good)) == good
    assert (good["verdict"], {one["result"] for one in good["checks"]}) == ("good", {"good"})
    assert good["statement"] == {
        "purpose": "visit",
        "school": "B113299900018",
        "school_name": "架空小学校",
        "language": "ja",
        "lines": ["来ました。"],
        "time_ms": NOW_MS,
    }
    serial = card.certificate.serial_number
    assert str(serial) not in str(good)
    assert f"{serial:x}" not in str(good)
    beside = hashlib.sha256(b"other").digest()
    bad = look(epoch.act(card, make_statement(), beside=beside)).summary()
    assert (bad["verdict"], bad["error"], bad["fields"]) == ("refused", "evidence.other_certificate", {})
    assert [one["result"] for one in bad["checks"]] == ["good"] * 5 + ["failed", "open", "open"]
