"""A wrong PIN or password is sent to a declared card of the look-alike hierarchy, and to no other card of the world."""

import hashlib

import pytest

from appliance.card.desk import Desk
from appliance.card.key import Key
from appliance.trust.anchors import Anchor, parse_anchors
from tests.card.holders import WRONG, pins_sent
from tests.card.table import Table
from tests.hardware.declaration import Declaration
from tests.hardware.wrong_secret import WrongTryRefusedError, is_look_alike, try_wrong
from tests.sim.card.card import VirtualCard
from tests.sim.card.files import Kind, Secret
from tests.sim.card.hierarchy import Hierarchy
from tests.sim.fixtures import MakeCard

SECRET_OF = {Key.AUTHENTICATION: Secret.PIN, Key.SIGNATURE: Secret.PASSWORD}
both_keys = pytest.mark.parametrize("key", Key)


@pytest.fixture
def table() -> Table:
    return Table()


def declared(card: VirtualCard, wrong_pins: bool = True) -> Declaration:
    return Declaration(hashlib.sha256(card.contents.authentication or b"").digest(), wrong_pins)


def anchors_of(*hierarchies: Hierarchy) -> tuple[Anchor, ...]:
    return tuple(anchor for one in hierarchies for anchor in parse_anchors(one.anchors_pem()))


def attempt(
    table: Table, card: VirtualCard, key: Key, declaration: Declaration, anchors: tuple[Anchor, ...]
) -> str | None:
    """The code of what came of it; the secret is wiped in every case."""
    table.put(card)
    wrong = bytearray(WRONG[key])
    try:
        with Desk(table) as desk:
            error = try_wrong(desk.client(), key, wrong, declaration, anchors)
    finally:
        assert not any(wrong)
    assert error is None or error.fields["tries_left"] == key.secret.tries - 1
    return None if error is None else error.code


@both_keys
def test_it_is_sent_once_to_a_declared_look_alike(
    table: Table, make_card: MakeCard, hierarchy: Hierarchy, key: Key
) -> None:
    card = make_card()
    assert attempt(table, card, key, declared(card), anchors_of(hierarchy)) == key.secret.wrong.code
    assert card.tries_left(SECRET_OF[key]) == key.secret.tries - 1
    assert pins_sent(card) == 1


@both_keys
def test_it_is_never_sent_to_a_card_that_an_office_issued(
    table: Table, make_card: MakeCard, hierarchy: Hierarchy, office: Hierarchy, key: Key
) -> None:
    card = make_card(issuer=office)
    for anchors in (anchors_of(office), anchors_of(office, hierarchy), anchors_of(hierarchy), ()):
        with pytest.raises(WrongTryRefusedError, match="look-alike"):
            attempt(table, card, key, declared(card), anchors)
    assert pins_sent(card) == 0
    assert (card.pin_tries, card.password_tries) == (3, 5)


@both_keys
def test_to_be_named_like_a_look_alike_is_not_enough(
    table: Table, make_card: MakeCard, hierarchy: Hierarchy, stranger: Hierarchy, key: Key
) -> None:
    card = make_card(issuer=stranger)
    with pytest.raises(WrongTryRefusedError, match="look-alike"):
        attempt(table, card, key, declared(card), anchors_of(hierarchy))
    assert pins_sent(card) == 0


@both_keys
def test_it_is_not_sent_without_the_holders_word(
    table: Table, make_card: MakeCard, hierarchy: Hierarchy, key: Key
) -> None:
    card, another = make_card(), make_card()
    for declaration in (declared(card, wrong_pins=False), declared(another)):
        with pytest.raises(WrongTryRefusedError, match="declare"):
            attempt(table, card, key, declaration, anchors_of(hierarchy))
    assert pins_sent(card) == 0


@both_keys
@pytest.mark.parametrize("tries", [0, 1, 2])
def test_it_is_not_sent_with_fewer_than_three_tries(
    table: Table, make_card: MakeCard, hierarchy: Hierarchy, key: Key, tries: int
) -> None:
    card = make_card()
    card.pin_tries = card.password_tries = tries
    with pytest.raises(WrongTryRefusedError, match="tries"):
        attempt(table, card, key, declared(card), anchors_of(hierarchy))
    assert pins_sent(card) == 0


def test_it_is_not_sent_where_the_counter_does_not_show(
    table: Table, make_card: MakeCard, hierarchy: Hierarchy
) -> None:
    card = make_card()
    card.no_limit = True
    with pytest.raises(WrongTryRefusedError, match="tries"):
        attempt(table, card, Key.AUTHENTICATION, declared(card), anchors_of(hierarchy))
    assert pins_sent(card) == 0


def test_it_is_not_sent_to_a_telephone(table: Table, make_card: MakeCard, hierarchy: Hierarchy) -> None:
    card = make_card(kind=Kind.ANDROID)
    with pytest.raises(WrongTryRefusedError):
        attempt(table, card, Key.AUTHENTICATION, declared(card), anchors_of(hierarchy))
    assert pins_sent(card) == 0


def test_a_wrong_one_that_was_right_is_told(table: Table, make_card: MakeCard, hierarchy: Hierarchy) -> None:
    card = make_card(pin=WRONG[Key.AUTHENTICATION].decode())
    assert attempt(table, card, Key.AUTHENTICATION, declared(card), anchors_of(hierarchy)) is None


def test_what_is_no_certificate_is_no_look_alike(hierarchy: Hierarchy) -> None:
    assert not is_look_alike(b"\x30\x00", anchors_of(hierarchy))
