"""An auditor is shown one act: no other one, and nobody else is."""

import hashlib
from dataclasses import replace

import pytest

from appliance.ledger.disclosure import (
    Auditor,
    AuditorKeyError,
    Disclosure,
    OtherCertificateError,
    disclose,
    item_keys,
)
from appliance.ledger.encoding import decode, encode
from appliance.ledger.evidence import EvidenceOpener, open_certificate, open_statement
from appliance.ledger.evidence_file import EvidenceFile, EvidenceFileError
from appliance.ledger.recipient import EvidenceError, seal_for
from tests.sim.card.hierarchy import Hierarchy
from tests.sim.card.pki import Issued
from tests.sim.evidence import Epoch, make_statement
from tests.trust.material import issued

VERIFIER, AUDITOR = EvidenceOpener.make(), Auditor.make()


@pytest.fixture(scope="module")
def card(hierarchy: Hierarchy) -> Issued:
    return issued(hierarchy)


@pytest.fixture
def epoch() -> Epoch:
    return Epoch(VERIFIER)


@pytest.fixture
def file(epoch: Epoch, card: Issued) -> EvidenceFile:
    return epoch.act(card, make_statement("一つめ。"))


def shown(file: EvidenceFile) -> Disclosure:
    """The disclosure as the auditor reads it."""
    return Disclosure.from_bytes(disclose(file, VERIFIER, AUDITOR.public_file()).to_bytes())


def test_the_auditor_opens_the_act_and_its_certificate(file: EvidenceFile, card: Issued) -> None:
    found = shown(file)
    assert found.claim == file.claim
    keys = found.keys(Auditor.from_file(AUDITOR.private_file()))
    assert open_statement(keys.act, file.claim.act).statement == make_statement("一つめ。").canonical()
    assert open_certificate(keys.certificate, file.claim.certificate) == card.der


def test_no_other_item_of_the_epoch_opens(file: EvidenceFile, epoch: Epoch, card: Issued, hierarchy: Hierarchy) -> None:
    others = [epoch.act(card, make_statement("二つめ。")), epoch.act(issued(hierarchy), make_statement())]
    keys = shown(file).keys(AUDITOR)
    for other in others:
        for key in (keys.act, keys.certificate):
            with pytest.raises(EvidenceError, match="other key"):
                open_statement(key, other.claim.act)
    for key in (keys.act, keys.certificate):
        with pytest.raises(EvidenceError, match="other key"):
            open_certificate(key, others[1].claim.certificate)
    with pytest.raises(EvidenceError, match="other key"):
        AUDITOR.unseal(file.act_message[17:], b"madoguchi evidence epoch 1" + file.claim.act.epoch)


def test_nobody_but_the_auditor_opens_it(file: EvidenceFile) -> None:
    with pytest.raises(EvidenceError, match="other key"):
        shown(file).keys(Auditor.make())


def test_it_is_bound_to_everything_that_it_says(file: EvidenceFile, epoch: Epoch, card: Issued) -> None:
    found, other = shown(file), epoch.act(card, make_statement("二つめ。")).claim
    claim = found.claim
    for changed in (
        other,
        replace(claim, act=other.act),
        replace(claim, act=replace(claim.act, digest=other.act.digest)),
        replace(claim, certificate=other.act),
        replace(claim, entry=claim.entry + 1),
        replace(claim, origin="madoguchi/1/B113299900019/box/1"),
        replace(claim, statement=other.statement),
    ):
        with pytest.raises(EvidenceError, match="other key"):
            Disclosure(changed, found.sealed_keys).keys(AUDITOR)


def test_any_changed_byte_is_refused(file: EvidenceFile) -> None:
    data = disclose(file, VERIFIER, AUDITOR.public_file()).to_bytes()
    for at in range(0, len(data), 7):
        changed = bytes([*data[:at], data[at] ^ 1, *data[at + 1 :]])
        with pytest.raises((EvidenceError, EvidenceFileError)):
            Disclosure.from_bytes(changed).keys(AUDITOR)


def test_the_verifier_discloses_only_what_opens(file: EvidenceFile) -> None:
    claim = file.claim
    with pytest.raises(EvidenceError):
        disclose(file, EvidenceOpener.make(), AUDITOR.public_file())
    spoilt = replace(claim.act, sealed=claim.act.sealed[:-1] + b"\0")
    with pytest.raises(EvidenceError):
        disclose(replace(file, claim=replace(claim, act=spoilt)), VERIFIER, AUDITOR.public_file())


def test_another_item_in_the_place_of_the_certificate_gives_no_key_away(
    file: EvidenceFile, epoch: Epoch, card: Issued, hierarchy: Hierarchy
) -> None:
    act = epoch.act(card, make_statement("二つめ。")).claim.act
    strange = epoch.act(issued(hierarchy), make_statement()).claim.certificate
    with pytest.raises(EvidenceError, match="no certificate"):
        disclose(replace(file, claim=replace(file.claim, certificate=act)), VERIFIER, AUDITOR.public_file())
    with pytest.raises(OtherCertificateError):
        disclose(replace(file, claim=replace(file.claim, certificate=strange)), VERIFIER, AUDITOR.public_file())


def test_each_key_of_the_auditor_is_for_its_own_use(file: EvidenceFile) -> None:
    public, private = AUDITOR.public_file(), AUDITOR.private_file()
    assert (public[:1], private[:1]) == (b"\x01", b"\x01")
    for wrong in (private, b"", b"\x02" + public[1:], public[:-1], VERIFIER.public_bytes()[:-1]):
        with pytest.raises(AuditorKeyError):
            disclose(file, VERIFIER, wrong)
    for wrong in (public, b"", b"\x02" + private[1:], private[1:]):
        with pytest.raises(AuditorKeyError):
            Auditor.from_file(wrong)


def test_other_forms_are_refused(file: EvidenceFile) -> None:
    good = decode(disclose(file, VERIFIER, AUDITOR.public_file()).to_bytes())
    wrong: list[object] = [["madoguchi evidence disclosure 2", *good[1:]], good[:-1], [*good, b""], {}]
    for one in (b"\xff", file.to_bytes(), *map(encode, wrong)):
        with pytest.raises(EvidenceFileError):
            Disclosure.from_bytes(one)


def test_the_form_is_the_published_one(file: EvidenceFile) -> None:
    """Made anew from the description alone, with the right keys and with keys of another length."""
    claim, keys = file.claim, item_keys(file, VERIFIER)
    items = [[one.digest, one.epoch, one.sealed] for one in (claim.act, claim.certificate)]
    said = ["madoguchi evidence disclosure 1", claim.origin, claim.entry, claim.statement, *items]
    info = b"madoguchi evidence disclosure 1" + hashlib.sha256(encode(said)).digest()
    sealed = seal_for(AUDITOR.public_bytes(), keys.act + keys.certificate, info)
    assert Disclosure.from_bytes(encode([*said, sealed])).keys(AUDITOR) == keys
    short = seal_for(AUDITOR.public_bytes(), keys.act, info)
    with pytest.raises(EvidenceError, match="content"):
        Disclosure(claim, short).keys(AUDITOR)
