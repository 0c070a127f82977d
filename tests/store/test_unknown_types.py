"""A type or version that this version does not know goes from box to hub unchanged: kept, counted, shown."""

from enum import Enum
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.ledger.checkpoint import cosign, sign_checkpoint
from appliance.ledger.entry import Body, Entry, EntryType, type_label
from appliance.ledger.keys import SigningKey
from appliance.ledger.merkle import Frontier, leaf_hash
from appliance.ledger.receipt import open_receipt
from appliance.ledger.verify import Batch, Sealed, verify_batch, verify_ledger
from appliance.store.appending import Draft
from appliance.store.database import Database
from appliance.store.ledger import OwnLedger
from appliance.store.migrate import migrate
from appliance.store.mirror import MirrorLedger
from appliance.store.schema import LEDGER
from appliance.sync.fields import MAX_NUMBER
from appliance.sync.wire import pack, unpack
from tests.store.conftest import ORIGIN

HUB = SigningKey.make()
BOX = SigningKey.make()


class Newer(Enum):
    """Types as a later version of the product might have them."""

    UNKNOWN_TYPE = (9_999, "meal.ordered", 1)
    UNKNOWN_VERSION = (EntryType.GUARDIAN_AUTHENTICATED.number, EntryType.GUARDIAN_AUTHENTICATED.label, 7)
    LARGEST = (MAX_NUMBER - 1, "last.given", MAX_NUMBER - 1)

    def __init__(self, number: int, label: str, version: int) -> None:
        self.number, self.label, self.version = number, label, version


CONTENTS: list[dict[str, object]] = [
    {"of a newer version": [1, -1, True, None, {"deep": b"\x00\xff"}], "名前": "架空"},
    {},
]


def carried(batch: Batch) -> Batch:
    """What the other side has of a batch that went over the line."""
    arrived = unpack(pack(batch))
    assert isinstance(arrived, Batch)
    return arrived


def mirror_of(database: Database, key: SigningKey) -> tuple[Database, MirrorLedger]:
    other = Database.create(database.path.with_name("hub.db"), b"h" * 32)
    migrate(other, (LEDGER,))
    return other, MirrorLedger.add(other, ORIGIN, key.public)


@pytest.mark.parametrize("body_goes_along", [True, False])
def test_what_a_newer_box_writes_reaches_the_hub_byte_for_byte(
    ledger: OwnLedger, database: Database, device_key: SigningKey, body_goes_along: bool
) -> None:
    with ledger.append() as appending:
        for kind in Newer:
            for content in CONTENTS:
                appending.add(Draft(cast(EntryType, kind), content, refs=(0,)))
    size = ledger.head().size
    sent = [one if body_goes_along else Sealed(one.entry, None) for one in ledger.items(0, size)]
    batch = carried(Batch(ORIGIN, 0, tuple(sent), ledger.checkpoint_at(size)))
    other, mirror = mirror_of(database, device_key)
    with other:
        verified = verify_batch(batch, ORIGIN, mirror.frontier(), 0, device_key.public)
        mirror.store(verified, cosign(verified.checkpoint, "hub", 1, HUB), 5)
        # What is listed and exported is read with these; both sides have the same bytes and the same tree.
        assert list(mirror.items(0, size)) == sent
        assert mirror.frontier().root() == ledger.frontier().root()
        stored = [(one.entry, one.body) for one in mirror.items(0, size)]
        counts = verify_ledger(stored, mirror.head().checkpoint, ORIGIN, device_key.public).counts
        for at, kind in enumerate((one for one in Newer for _ in CONTENTS), start=1):
            entry = mirror.entry(at)
            assert (entry.type, entry.version) == (kind.number, kind.version)
            opened = open_receipt(mirror.receipt(at), ORIGIN, device_key.public, HUB.public)
            assert (opened.index, opened.entry) == (at, entry)
    assert [counts[kind.number] for kind in Newer] == [len(CONTENTS)] * len(Newer)
    labels = [type_label(kind.number) for kind in Newer]
    assert labels == ["unknown.9999", "guardian.authenticated", f"unknown.{MAX_NUMBER - 1}"]


NUMBERS = st.integers(0, MAX_NUMBER - 1)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
CONTENT = st.dictionaries(st.text(max_size=9), VALUES, max_size=3)


@given(st.lists(st.tuples(NUMBERS, NUMBERS, st.none() | CONTENT), min_size=1, max_size=6))
def test_any_number_survives_the_line(drafts: list[tuple[int, int, dict[str, object] | None]]) -> None:
    frontier, items = Frontier(), []
    for at, (kind, version, content) in enumerate(drafts):
        body = Body.of(content or {}, at.to_bytes(16))
        entry = Entry(kind, version, at, 0, at, 0, 0, (), body.commitment()).encode()
        items.append(Sealed(entry, None if content is None else body))
        frontier.append(leaf_hash(entry))
    sent = Batch(ORIGIN, 0, tuple(items), sign_checkpoint(ORIGIN, len(items), frontier.root(), 1, BOX))
    arrived = carried(sent)
    assert arrived == sent
    assert [Entry.decode(one.entry).encode() for one in arrived.items] == [one.entry for one in items]
