"""Exports of an earlier ledger, in which a later one says what was erased, and in which something is wrong."""

from collections.abc import Iterator
from typing import Any

from appliance.ledger.encoding import decode
from appliance.ledger.entry import EntryType
from appliance.ledger.export import ErasedLater, write_export
from tests.ledger import material as m


def values(*said: ErasedLater) -> list[Any]:
    """The items of the exported ledger: header, entries and confirmations, the later ledger's word, end."""
    return [decode(one) for one in write_export(m.closed_items(*said))]


def bad() -> Iterator[tuple[str, bytes]]:
    """What is wrong, and the file."""
    items, good = values(), m.LATER_CONTENTS[1]
    header, fields, said = items[0], items[0][2], items[-2]
    without = [*items[:-2], items[-1]]
    next_keys = [[0, m.NEXT.public.spki]]

    for reason, ledgers in (
        ("later ledgers that are no list", {}),
        ("an empty list of later ledgers", []),
        ("the ledger itself as a later one", [[m.ORIGIN, next_keys]]),
        ("the ledger of another school as a later one", [[m.OTHER_ORIGIN[:-1] + "2", next_keys]]),
        ("a later ledger without a key", [[m.LATER_ORIGIN, []]]),
        ("a later ledger twice", [[m.LATER_ORIGIN, next_keys]] * 2),
        ("later ledgers out of order", [[m.LATER_ORIGIN[:-1] + "3", next_keys], [m.LATER_ORIGIN, next_keys]]),
    ):
        yield reason, m.sequence([[*header[:2], fields | {"later": ledgers}], *items[1:]])
    yield "a body that is gone, and no later ledger says why", m.sequence(without)
    unnamed = {name: value for name, value in fields.items() if name != "later"}
    yield "a later ledger's word, and the header does not name it", m.sequence([[*header[:2], unnamed], *items[1:]])
    yield "a later ledger's word before an entry", m.sequence([*items[:-3], said, *items[-3:-2], items[-1]])
    yield "a later ledger's word without its body", m.sequence([*items[:-2], [3, said[1], None], items[-1]])
    salt, content = said[2]
    yield (
        "a later ledger's word with another salt",
        m.sequence([*items[:-2], [3, said[1], [content[:16], content]], items[-1]]),
    )
    yield (
        "a later ledger's word with a short salt",
        m.sequence([*items[:-2], [3, said[1], [salt[1:], content]], items[-1]]),
    )
    yield (
        "a receipt of the ledger itself",
        m.sequence([*items[:-2], [3, m.receipt(2, 3, cosigned=True), said[2]], items[-1]]),
    )
    for reason, word in (
        ("another type of entry", m.told(kind=EntryType.SETTINGS_PUBLISHED)),
        ("a word about another ledger of the same school", m.told(good | {"origin": m.ORIGIN.replace("box", "feed")})),
        ("a word about a ledger of another school", m.told(good | {"origin": m.OTHER_ORIGIN})),
        ("a word of a ledger that the header does not name", m.told(origin=m.LATER_ORIGIN[:-1] + "3")),
        ("a word under the signature of the earlier ledger's key", m.told(key=m.BOX)),
        ("a word about no entry", m.told(good | {"indices": []})),
        ("a word about entries out of order", m.told(good | {"indices": [4, 3]})),
        ("a word about another entry", m.told(good | {"indices": [3]})),
    ):
        yield reason, m.closed_export(word)
