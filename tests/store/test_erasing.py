"""Bodies of a closed ledger go, the ledger that is written says so, and the other side does the same or refuses."""

from collections.abc import Iterator

import pytest

from appliance.ledger.checkpoint import cosign
from appliance.ledger.entry import EntryType
from appliance.ledger.erasure import MOST_INDICES, EarlierErasure, ErasureFormError, erasure_of
from appliance.ledger.keys import SigningKey
from appliance.ledger.verify import Batch, verify_batch
from appliance.store.appending import Draft
from appliance.store.body_keys import BodyKeys
from appliance.store.database import Database
from appliance.store.erasing import erase_earlier, tell_erased
from appliance.store.ledger import LedgerStore, OwnLedger
from appliance.store.migrate import migrate
from appliance.store.mirror import MirrorLedger
from appliance.store.schema import LEDGER
from appliance.store.tree import NoEntryError
from tests.sim.clock import ManualClock
from tests.sim.pages import holds
from tests.store.conftest import ORIGIN

SECOND, OTHER = ORIGIN.replace("box/1", "box/2"), ORIGIN.replace("B113299900018", "C113299900028")
HUB, NEXT = SigningKey.make(), SigningKey.make()
HUB_DATABASE_KEY = b"h" * 32


def fill(ledger: OwnLedger, count: int) -> None:
    with ledger.append() as appending:
        for number in range(count):
            appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"number": number}))


@pytest.fixture
def closed(ledger: OwnLedger) -> LedgerStore:
    """The first ledger, of 601 entries."""
    fill(ledger, 600)
    return ledger


@pytest.fixture
def second(database: Database, closed: LedgerStore, clock: ManualClock) -> OwnLedger:
    ledger = OwnLedger.add(database, SECOND, NEXT.public).attach(NEXT, clock)
    fill(ledger, 2)
    return ledger


def said(ledger: LedgerStore) -> list[EarlierErasure]:
    found = [
        erasure_of(entry, ledger.body(index), ledger.origin)
        for index, entry in ledger.of_type(EntryType.EARLIER_BODY_ERASED)
    ]
    return [one for one in found if one is not None]


def test_they_are_gone_and_the_later_ledger_says_which_and_why(closed: LedgerStore, second: OwnLedger) -> None:
    head = closed.head()
    with second.append() as appending:
        assert erase_earlier(appending, closed, [9, 3, 9], "order") == [3, 9]
        assert erase_earlier(appending, closed, [9], "order") == []
    assert [closed.body(index) is None for index in (2, 3, 9, 10)] == [False, True, True, False]
    assert said(second) == [EarlierErasure(ORIGIN, (3, 9), "order")]
    assert closed.head() == head
    assert all(second.body(index) is not None for index in range(second.head().size))


def test_more_than_one_entry_names_are_named_by_several(closed: LedgerStore, second: OwnLedger) -> None:
    with second.append() as appending:
        assert len(erase_earlier(appending, closed, range(1, 601), "roster.left")) == 600
    assert [len(one.indices) for one in said(second)] == [MOST_INDICES, MOST_INDICES, 88]
    assert [index for one in said(second) for index in one.indices] == list(range(1, 601))


def test_what_is_not_written_to_its_end_erases_nothing(closed: LedgerStore, second: OwnLedger) -> None:
    for wrong in (-1, 601):
        with pytest.raises(NoEntryError), second.append() as appending:
            erase_earlier(appending, closed, [3, wrong], "order")

    def fail() -> None:
        with second.append() as appending:
            erase_earlier(appending, closed, [3], "order")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert closed.body(3) is not None
    assert said(second) == []


class Hub:
    """The mirrors of one school and of another one."""

    def __init__(self, database: Database, keys: dict[str, SigningKey]) -> None:
        self.mirrors = {origin: MirrorLedger.add(database, origin, key.public) for origin, key in keys.items()}

    def take(self, ledger: OwnLedger, last: int | None = None) -> None:
        mirror = self.mirrors[ledger.origin]
        head, last = mirror.head(), last or ledger.head().size
        batch = Batch(ledger.origin, head.size, tuple(ledger.items(head.size, last)), ledger.checkpoint_at(last))
        verified = verify_batch(batch, ledger.origin, mirror.frontier(), head.last_time_ms, mirror.public_key)
        mirror.store(verified, cosign(verified.checkpoint, "hub", 1, HUB), 5)


@pytest.fixture
def hub_database(database: Database) -> Iterator[Database]:
    with Database.create(database.path.with_name("hub.db"), HUB_DATABASE_KEY) as other:
        migrate(other, (LEDGER,))
        yield other


@pytest.fixture
def other_school(database: Database, clock: ManualClock) -> OwnLedger:
    ledger = OwnLedger.add(database, OTHER, NEXT.public).attach(NEXT, clock)
    fill(ledger, 9)
    return ledger


def test_the_other_side_erases_in_its_mirror_of_the_earlier_ledger(
    hub_database: Database, ledger: OwnLedger, second: OwnLedger, device_key: SigningKey
) -> None:
    hub = Hub(hub_database, {ORIGIN: device_key, SECOND: NEXT})
    hub.take(ledger, 500)  # the last hundred never arrived
    hub.take(second)
    mirror = hub.mirrors[ORIGIN]
    (sealed,) = hub_database.row("SELECT body FROM entry WHERE id & 1023 = 3") or (b"",)
    keys = BodyKeys(hub_database, mirror._number)
    key, kept = keys.key(3), keys.key(4)
    assert key is not None
    with second.append() as appending:
        erase_earlier(appending, ledger, [3, 550], "order")
    hub.take(second)
    assert [mirror.body(index) is None for index in (2, 3, 4)] == [False, True, False]
    assert mirror.head().size == 500
    assert BodyKeys(hub_database, mirror._number).key(4) == kept
    hub_database.checkpoint()
    assert not any(holds(hub_database.path, HUB_DATABASE_KEY, one) for one in (sealed, key))
    hub_database.close()


def test_a_mirror_without_the_earlier_ledger_takes_it_all_the_same(
    hub_database: Database, ledger: OwnLedger, second: OwnLedger
) -> None:
    hub = Hub(hub_database, {SECOND: NEXT})
    with second.append() as appending:
        erase_earlier(appending, ledger, [3], "order")
    hub.take(second)
    assert said(hub.mirrors[SECOND]) == [EarlierErasure(ORIGIN, (3,), "order")]


def test_nobody_erases_in_the_ledger_of_another_school_or_in_a_later_one(
    hub_database: Database, ledger: OwnLedger, second: OwnLedger, other_school: OwnLedger, device_key: SigningKey
) -> None:
    hub = Hub(hub_database, {ORIGIN: device_key, SECOND: NEXT, OTHER: NEXT})
    for one in (other_school, second):
        hub.take(one)
    for origin in (OTHER, SECOND, ORIGIN.replace("box/1", "box/3"), ORIGIN.replace("box", "feed")):
        size = hub.mirrors[SECOND].head().size
        with second.append() as appending:
            tell_erased(appending, origin, [3], "hostile")
        with pytest.raises(ErasureFormError):
            hub.take(second)
        assert hub.mirrors[SECOND].head().size == size
    assert all(hub.mirrors[OTHER].body(index) is not None for index in range(10))


def test_an_index_that_no_ledger_reaches_touches_no_other_row(
    hub_database: Database, ledger: OwnLedger, second: OwnLedger, device_key: SigningKey
) -> None:
    hub = Hub(hub_database, {ORIGIN: device_key, SECOND: NEXT})
    hub.take(ledger)
    hub.take(second)
    before = hub_database.rows("SELECT * FROM body_seed ORDER BY id")
    with second.append() as appending:
        tell_erased(appending, ORIGIN, [601, 1 << 38, 1 << 44, (1 << 44) + 3, 1 << 63], "hostile")
    hub.take(second)
    assert hub_database.rows("SELECT * FROM body_seed ORDER BY id") == before
    for origin in (ORIGIN, SECOND):
        mirror = hub.mirrors[origin]
        assert all(mirror.body(index) is not None for index in range(mirror.head().size))
