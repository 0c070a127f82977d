"""Bodies: sealed in their place, erased with their key."""

import pytest

from appliance.ledger.entry import Body
from appliance.store.bodies import Bodies
from appliance.store.database import Database
from appliance.store.ledger import OwnLedger
from appliance.store.seal import SealError
from tests.store.conftest import ORIGIN

PLAIN = b"s" * 16 + "見本 花子".encode()


@pytest.fixture
def bodies(database: Database, ledger: OwnLedger) -> Bodies:
    return Bodies(database, ledger._number, ORIGIN)


def test_a_body_opens_in_its_place_only(bodies: Bodies, database: Database, ledger: OwnLedger) -> None:
    sealed = bodies.seal(3, PLAIN)
    assert PLAIN[16:] not in sealed
    assert bodies.open(3, sealed) == Body(PLAIN[:16], PLAIN[16:])
    assert bodies.open(3, None) is None
    other = Bodies(database, ledger._number, f"{ORIGIN}1")
    for one, index, what in ((bodies, 4, sealed), (other, 3, sealed), (bodies, 3, b"")):
        with pytest.raises(SealError) as refused:
            one.open(index, what)
        assert refused.value.fields == {"index": index}


def test_an_erased_place_takes_nothing_any_more(bodies: Bodies, database: Database) -> None:
    sealed = bodies.seal(3, PLAIN)
    with database.transaction() as transaction:
        assert not bodies.erase(transaction, 3)  # no row has it, so nothing was lost; the key goes all the same
    assert bodies.open(3, sealed) is None
    with pytest.raises(SealError):
        bodies.seal(3, PLAIN)


def test_neighbouring_bodies_are_each_sealed_in_their_place(bodies: Bodies, database: Database) -> None:
    with database.transaction() as transaction:
        bodies.erase(transaction, 16)
    plains = [None if index in (3, 16) else PLAIN + bytes([index]) for index in range(40)]
    sealed = bodies.seal_all(0, plains)
    assert [sealed.index(None), sealed[16]] == [3, None]
    for index, (one, plain) in enumerate(zip(sealed, plains, strict=True)):
        if plain is not None:
            assert one == bodies.seal(index, plain)
    with pytest.raises(SealError) as refused:
        bodies.seal_all(10, [PLAIN] * 10)
    assert refused.value.fields == {"index": 16}
