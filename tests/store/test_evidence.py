"""Sealed evidence lies beside the message that its epoch's key travels in."""

import pytest

from appliance.ledger.evidence import Evidence, EvidenceOpener, EvidenceSealer
from appliance.store.database import Database
from appliance.store.evidence import EvidenceStore
from appliance.store.faults import ConstraintError

HUB = EvidenceOpener.make()
ITEM = Evidence(b"statement", b"certificate", b"signature")


def test_items_of_one_epoch_share_its_message(database: Database) -> None:
    store, sealer = EvidenceStore(database), EvidenceSealer(HUB.public_bytes())
    items = [sealer.seal(ITEM) for _ in range(3)]
    for item in items:
        with database.transaction() as transaction:
            store.add(transaction, item, sealer.epoch_key, 5)
    assert database.row("SELECT count(*) FROM evidence_epoch") == (1,)
    for item in items:
        found = store.find(item.digest)
        assert found == (item, sealer.epoch_key)
        assert HUB.open(found[1], found[0]) == ITEM


def test_epochs_are_told_apart(database: Database) -> None:
    store = EvidenceStore(database)
    sealed = []
    for _ in range(2):
        sealer = EvidenceSealer(HUB.public_bytes())
        item = sealer.seal(ITEM)
        sealed.append(item)
        with database.transaction() as transaction:
            store.add(transaction, item, sealer.epoch_key, 5)
    for item in sealed:
        found = store.find(item.digest)
        assert found is not None
        assert HUB.open(found[1], found[0]) == ITEM


def test_an_item_is_kept_once(database: Database) -> None:
    store, sealer = EvidenceStore(database), EvidenceSealer(HUB.public_bytes())
    item = sealer.seal(ITEM)
    assert store.find(item.digest) is None
    with database.transaction() as transaction:
        store.add(transaction, item, sealer.epoch_key, 5)
    with pytest.raises(ConstraintError), database.transaction() as transaction:
        store.add(transaction, item, sealer.epoch_key, 6)
