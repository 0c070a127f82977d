"""Evidence opens at the verifier and nowhere else."""

import dataclasses

import pytest

from appliance.ledger.evidence import Evidence, EvidenceError, EvidenceKeyError, EvidenceOpener, EvidenceSealer

HUB = EvidenceOpener.make()
ITEM = Evidence(b"statement", b"certificate" * 100, b"signature" * 28)


def test_the_verifier_reads_what_the_box_sealed() -> None:
    sealer = EvidenceSealer(HUB.public_bytes())
    first, second = sealer.seal(ITEM), sealer.seal(ITEM)
    assert first.sealed != second.sealed
    again = EvidenceOpener.from_bytes(HUB.to_bytes())
    assert again.open(sealer.epoch_key, first) == again.open(sealer.epoch_key, second) == ITEM
    assert len(first.sealed) - sum(map(len, (ITEM.statement, ITEM.certificate, ITEM.signature))) < 40


def test_nobody_else_does() -> None:
    sealer = EvidenceSealer(HUB.public_bytes())
    sealed = sealer.seal(ITEM)
    with pytest.raises(EvidenceError):
        EvidenceOpener.make().open(sealer.epoch_key, sealed)
    with pytest.raises(EvidenceError):
        HUB.open(EvidenceSealer(HUB.public_bytes()).epoch_key, sealed)
    with pytest.raises(EvidenceError):
        HUB.open(sealer.epoch_key, dataclasses.replace(sealed, sealed=sealed.sealed[:-1] + b"\0"))
    with pytest.raises(EvidenceError):
        HUB.open(sealer.epoch_key, dataclasses.replace(sealed, epoch=b"\0" * 16))


def test_other_bytes_are_no_key() -> None:
    for raw in (b"", b"\0" * 31, HUB.public_bytes()[:-1]):
        with pytest.raises(EvidenceKeyError):
            EvidenceSealer(raw)
        with pytest.raises(EvidenceKeyError):
            EvidenceOpener.from_bytes(raw)
