"""Sealed evidence lies beside the message that its epoch's key travels in, and goes with its entry."""

import pytest

from appliance.ledger.evidence import EvidenceOpener, EvidenceSealer, SignedStatement
from appliance.store.database import Database
from appliance.store.evidence import EvidenceStore, StoredEvidence
from appliance.store.faults import ConstraintError

HUB = EvidenceOpener.make()
ACT = SignedStatement(b"statement", b"certificate", b"signature")


@pytest.fixture
def store(database: Database) -> EvidenceStore:
    return EvidenceStore(database)


def sealed(sealer: EvidenceSealer) -> StoredEvidence:
    return StoredEvidence(sealer.seal(ACT), sealer.message)


def add(database: Database, store: EvidenceStore, entry: int, evidence: StoredEvidence) -> None:
    with database.transaction() as transaction:
        store.add(transaction, entry, evidence, 5)


def test_items_of_one_epoch_share_its_message(database: Database, store: EvidenceStore) -> None:
    sealer = EvidenceSealer(HUB.public_bytes())
    items = [sealed(sealer) for _ in range(3)]
    for entry, item in enumerate(items):
        add(database, store, entry, item)
    assert database.rows("SELECT id, begun_ms FROM evidence_epoch") == [(sealer.epoch, 5)]
    for item in items:
        found = store.find(item.item.digest)
        assert found == item
        assert HUB.open(found.message, found.item) == ACT


def test_epochs_are_told_apart(database: Database, store: EvidenceStore) -> None:
    items = [sealed(EvidenceSealer(HUB.public_bytes())) for _ in range(2)]
    for entry, item in enumerate(items):
        add(database, store, entry, item)
    assert [store.find(item.item.digest) for item in items] == items


def test_an_item_is_kept_once(database: Database, store: EvidenceStore) -> None:
    item = sealed(EvidenceSealer(HUB.public_bytes()))
    assert store.find(item.item.digest) is None
    add(database, store, 1, item)
    with pytest.raises(ConstraintError):
        add(database, store, 2, item)


def test_a_certificate_is_known_by_the_entry_that_introduced_it(database: Database, store: EvidenceStore) -> None:
    with database.transaction() as transaction:
        assert store.certificate(transaction, b"known") is None
        store.add_certificate(transaction, b"known", 7)
        assert store.certificate(transaction, b"known") == 7
        assert store.certificate(transaction, b"other") is None
    with pytest.raises(ConstraintError), database.transaction() as transaction:
        store.add_certificate(transaction, b"known", 8)


def test_with_an_entry_go_its_items_and_no_others(database: Database, store: EvidenceStore) -> None:
    sealer = EvidenceSealer(HUB.public_bytes())
    items = [sealed(sealer) for _ in range(3)]
    for entry, item in zip((7, 7, 8), items, strict=True):
        add(database, store, entry, item)
    with database.transaction() as transaction:
        store.add_certificate(transaction, b"of 7", 7)
        store.add_certificate(transaction, b"of 8", 8)
        assert store.delete(transaction, 7) == 2
        assert store.delete(transaction, 9) == 0
    assert [store.find(item.item.digest) for item in items] == [None, None, items[2]]
    with database.transaction() as transaction:
        assert store.certificate(transaction, b"of 7") is None
        assert store.certificate(transaction, b"of 8") == 8


def test_a_deletion_that_is_taken_back_deletes_nothing(database: Database, store: EvidenceStore) -> None:
    item = sealed(EvidenceSealer(HUB.public_bytes()))
    add(database, store, 7, item)

    def delete_and_fail() -> None:
        with database.transaction() as transaction:
            assert store.delete(transaction, 7) == 1
            raise KeyError

    with pytest.raises(KeyError):
        delete_and_fail()
    assert store.find(item.item.digest) == item
