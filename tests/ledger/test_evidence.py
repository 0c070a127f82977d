"""Evidence opens at the verifier and nowhere else, and the key of one item opens that item alone."""

import dataclasses
import hashlib

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from appliance.ledger.encoding import encode
from appliance.ledger.evidence import (
    HEAD_BYTES,
    EvidenceOpener,
    EvidenceSealer,
    SealedEvidence,
    SignedStatement,
    check_digest,
    open_certificate,
    open_statement,
)
from appliance.ledger.recipient import EvidenceError, EvidenceKeyError

HUB = EvidenceOpener.make()
DER = b"certificate" * 100
ACT = SignedStatement(b"statement", hashlib.sha256(DER).digest(), b"signature" * 28)


@pytest.fixture
def sealer() -> EvidenceSealer:
    return EvidenceSealer(HUB.public_bytes())


def named(sealed: bytes, epoch: bytes) -> SealedEvidence:
    return SealedEvidence(hashlib.sha256(sealed).digest(), epoch, sealed)


def test_the_verifier_reads_what_the_box_sealed(sealer: EvidenceSealer) -> None:
    first, second, certificate = sealer.seal(ACT), sealer.seal(ACT), sealer.seal_certificate(DER)
    assert first.sealed != second.sealed
    again = EvidenceOpener.from_bytes(HUB.to_bytes())
    assert again.open(sealer.message, first) == again.open(sealer.message, second) == ACT
    assert again.open_certificate(sealer.message, certificate) == DER


def test_an_item_costs_few_bytes_over_what_it_holds(sealer: EvidenceSealer) -> None:
    held = sum(map(len, (ACT.statement, ACT.certificate, ACT.signature)))
    assert len(sealer.seal(ACT).sealed) - held <= 42
    assert len(sealer.seal_certificate(DER).sealed) - len(DER) <= 38
    assert len(sealer.message) == 1 + 16 + 1136 + 32


def test_nobody_else_does(sealer: EvidenceSealer) -> None:
    sealed = sealer.seal(ACT)
    with pytest.raises(EvidenceError, match="other key"):
        EvidenceOpener.make().open(sealer.message, sealed)
    with pytest.raises(EvidenceError, match="other epoch"):
        HUB.open(EvidenceSealer(HUB.public_bytes()).message, sealed)
    flipped = sealed.sealed[:-1] + bytes([sealed.sealed[-1] ^ 1])
    with pytest.raises(EvidenceError, match="other bytes"):
        HUB.open(sealer.message, dataclasses.replace(sealed, sealed=flipped))
    with pytest.raises(EvidenceError, match="other bytes"):
        check_digest(dataclasses.replace(sealed, digest=bytes(32)))


def test_the_key_of_an_item_opens_that_item_and_no_other(sealer: EvidenceSealer) -> None:
    items = [sealer.seal(dataclasses.replace(ACT, statement=bytes([number]))) for number in range(5)]
    keys = [HUB.item_key(sealer.message, item) for item in items]
    assert len(set(keys)) == 5
    for number, key in enumerate(keys):
        assert open_statement(key, items[number]).statement == bytes([number])
        for other in items[:number] + items[number + 1 :]:
            with pytest.raises(EvidenceError, match="other key"):
                open_statement(key, other)


def test_the_forms_are_the_published_ones(sealer: EvidenceSealer) -> None:
    """Made anew from the description alone: an independent reader comes to the same key and the same content."""
    sealed = sealer.seal(ACT)
    version, item, content = sealed.sealed[:1], sealed.sealed[1:17], sealed.sealed[17:]
    assert (version, sealer.message[:1], sealer.message[1:17]) == (b"\x01", b"\x01", sealed.epoch)
    epoch_key = HUB.unseal(sealer.message[17:], b"madoguchi evidence epoch 1" + sealed.epoch)
    info = b"madoguchi evidence item 1" + sealed.epoch + item
    key = HKDF(SHA256(), 32, salt=None, info=info).derive(epoch_key)
    plain = AESGCM(key).decrypt(bytes(12), content, b"\x01" + sealed.epoch + item)
    assert plain == encode([1, ACT.statement, ACT.certificate, ACT.signature])
    assert HUB.item_key(sealer.message, sealed) == key


def test_an_item_is_bound_to_its_epoch_its_id_and_its_version(sealer: EvidenceSealer) -> None:
    sealed = sealer.seal(ACT)
    key = HUB.item_key(sealer.message, sealed)
    for at in (0, 1, HEAD_BYTES - 1, HEAD_BYTES, len(sealed.sealed) - 1):
        changed = bytearray(sealed.sealed)
        changed[at] ^= 1
        with pytest.raises(EvidenceError):
            open_statement(key, named(bytes(changed), sealed.epoch))
    with pytest.raises(EvidenceError):
        open_statement(key, named(sealed.sealed, bytes(16)))
    for length in (0, 1, HEAD_BYTES, HEAD_BYTES + 15):
        with pytest.raises(EvidenceError):
            open_statement(key, named(sealed.sealed[:length], sealed.epoch))
        with pytest.raises(EvidenceError):
            HUB.open(sealer.message, named(sealed.sealed[:length], sealed.epoch))


def test_another_version_is_refused(sealer: EvidenceSealer) -> None:
    sealed = sealer.seal(ACT)
    for message, item in (
        (b"\x02" + sealer.message[1:], sealed),
        (sealer.message, named(b"\x02" + sealed.sealed[1:], sealed.epoch)),
        (b"", sealed),
    ):
        with pytest.raises(EvidenceError, match="version"):
            HUB.item_key(message, item)


def test_a_certificate_is_no_statement(sealer: EvidenceSealer) -> None:
    act, certificate = sealer.seal(ACT), sealer.seal_certificate(DER)
    with pytest.raises(EvidenceError, match="no statement"):
        open_statement(HUB.item_key(sealer.message, certificate), certificate)
    with pytest.raises(EvidenceError, match="no certificate"):
        open_certificate(HUB.item_key(sealer.message, act), act)


@pytest.mark.parametrize("plain", [b"\xff", b"\xa0", encode([1, b"statement"]), encode([2, "text"]), encode([9, b""])])
def test_what_holds_something_else_is_refused(sealer: EvidenceSealer, plain: bytes) -> None:
    empty = sealer.seal(SignedStatement(b"", b"", b""))
    key = HUB.item_key(sealer.message, empty)
    bound = b"\x01" + sealer.epoch + empty.sealed[1:HEAD_BYTES]
    other = named(empty.sealed[:HEAD_BYTES] + AESGCM(key).encrypt(bytes(12), plain, bound), sealer.epoch)
    for opening in (open_statement, open_certificate):
        with pytest.raises(EvidenceError):
            opening(key, other)


def test_an_epoch_that_has_ended_seals_nothing_and_its_key_is_gone(sealer: EvidenceSealer) -> None:
    sealed, key = sealer.seal(ACT), sealer._key
    kept = bytes(key)
    assert HUB.unseal(sealer.message[HEAD_BYTES:], b"madoguchi evidence epoch 1" + sealer.epoch) == kept
    sealer.end()
    assert sealer._key is key
    assert bytes(key) == b""
    with pytest.raises(ValueError, match="ended"):
        sealer.seal(ACT)
    with pytest.raises(ValueError, match="ended"):
        sealer.seal_certificate(DER)
    sealer.end()
    assert HUB.open(sealer.message, sealed) == ACT


def test_other_bytes_are_no_verifier() -> None:
    with pytest.raises(EvidenceKeyError):
        EvidenceSealer(HUB.public_bytes()[:-1])
