"""The vectors of a ledger whose key is changed twice: what ``vectors`` writes into changes.json."""

from collections.abc import Iterator
from typing import Any

from appliance.ledger.checkpoint import SIGN1_TAG
from appliance.ledger.encoding import decode, encode
from appliance.ledger.export import write_export
from appliance.ledger.succession import sign_succession
from tests.ledger import changed
from tests.ledger import material as m
from tests.ledger.material import sequence

Case = dict[str, Any]


def changes() -> Case:
    """The ledger of ``changed``; ``keys`` are its keys as an export lists them."""
    listed = [[one.size, one.key.spki.hex(), one.succession.hex()] for one in changed.SIGNERS.periods]
    sizes = range(1, changed.SIZE + 1)
    signed = [(size, name) for size in sizes for name in ("box", "second", "third")]
    able = {"box": 6, "second": 8, "third": changed.SIZE}
    heads: list[Case] = [
        {
            "size": size,
            "root": changed.root(size).hex(),
            "key": name,
            "cose": changed.checkpoint(size, m.KEYS[name]).hex(),
        }
        for size, name in signed
    ]
    receipts: list[Case] = [
        {"index": 4, "size": size, "key": name, "receipt": changed.receipt(4, size, m.KEYS[name]).hex()}
        for size, name in signed
        if size > 4
    ]
    return {
        "origin": m.ORIGIN,
        "keys": listed,
        "checkpoints": [one | {"good": one["size"] <= able[one["key"]]} for one in heads],
        "receipts": [one | {"good": one["size"] <= able[one["key"]]} for one in receipts],
        "exports": [
            {"size": size, "bodies": bodies, "export": changed.export(size, bodies=bodies).hex()}
            for size, bodies in ((changed.SIZE, True), (changed.SIZE, False), (7, False), (6, False), (3, True))
        ],
        "refused": [{"reason": reason, "succession": data.hex()} for reason, data in _bad_successions().items()],
        "refused_exports": [{"reason": reason, "export": data.hex()} for reason, data in _bad_changed()],
    }


def _bad_successions() -> dict[str, bytes]:
    """What was done to the statement about the second key."""
    protected, unprotected, payload, signature = decode(changed.TO_SECOND[1:])
    header, told = decode(protected), decode(payload)

    def made(*parts: object) -> bytes:
        return SIGN1_TAG + encode(list(parts))

    def signed(new_header: dict[Any, Any], new_told: dict[Any, Any]) -> bytes:
        raw = encode(new_header), encode(new_told)
        by_old = m.BOX.sign(encode(["Signature1", raw[0], b"", raw[1]]))
        by_new = m.SECOND.sign(encode(["CounterSignature0V2", raw[0], b"", raw[1], [by_old]]))
        return made(raw[0], {12: by_new}, raw[1], by_old)

    return {
        "no tag": changed.TO_SECOND[1:],
        "the last byte missing": changed.TO_SECOND[:-1],
        "one byte more": changed.TO_SECOND + b"\x00",
        "a flipped bit in the signature": changed.TO_SECOND[:-1] + bytes([changed.TO_SECOND[-1] ^ 1]),
        "no countersignature": made(protected, {}, payload, signature),
        "the countersignature of another key": made(protected, {12: m.OTHER.sign(b"")}, payload, signature),
        "something else besides the countersignature": made(protected, unprotected | {4: b""}, payload, signature),
        "another size under the old signature": made(protected, unprotected, encode(told | {"size": 8}), signature),
        "a detached payload": made(protected, unprotected, None, signature),
        "another type": signed(header | {16: "application/cose"}, told),
        "a label more": signed(header | {395: 1}, told),
        "an algorithm that is not ES256": signed(header | {1: -8}, told),
        "the key id of another key": signed(header | {4: m.OTHER.public.key_id}, told),
        "another ledger": signed(header, told | {"origin": m.OTHER_ORIGIN}),
        "a size that no change can have": signed(header, told | {"size": 2}),
        "a field more": signed(header, told | {"more": 0}),
        "a key that is none": signed(header, told | {"key": told["key"][:-1]}),
        "a key that did not countersign": signed(header, told | {"key": m.OTHER.public.spki}),
        "signed by another key": sign_succession(m.ORIGIN, 7, m.OTHER, m.SECOND),
        "a checkpoint": m.checkpoint(3),
    }


def _bad_changed() -> Iterator[tuple[str, bytes]]:
    items = [decode(one) for one in write_export(changed.export_items())]
    header, fields = items[0], items[0][2]
    first, second, third = fields["keys"]

    def listing(*keys: object) -> bytes:
        return sequence([[*header[:2], fields | {"keys": list(keys)}], *items[1:]])

    yield "a key without its statement", listing(first, second[:2], third)
    yield "a statement for the first key", listing([*first, b""], second, third)
    yield "the statement of another key", listing(first, [*second[:2], third[2]], third)
    yield "another size than the statement's", listing(first, [6, *second[1:]], third)
    yield "another key than the statement's", listing(first, [7, m.OTHER.public.spki, second[2]], third)
    yield "a link is missing", listing(first, third)
    yield "the last change is not told", listing(first, second)
    yield "keys out of order", listing(first, third, second)
    yield "a size below three", listing(first, [2, *second[1:]], third)
    other = [decode(one) for one in write_export(m.export_items(hub=False))]
    other[0][2]["keys"], other[-1][1] = [first, second], m.checkpoint(m.SIZE, m.SECOND)
    yield "a change that no entry tells", sequence(other)
    for name in ("box", "second"):
        end = [2, changed.checkpoint(changed.SIZE, m.KEYS[name]), b""]
        yield f"the end signed with the key {name} beyond its end", sequence([*items[:-1], end])
    alone, old = [entry for entry in items[1:-1] if entry[0] == 0], [2, changed.checkpoint(changed.SIZE, m.BOX), b""]
    yield (
        "entries that tell of changes, and one key that signs on",
        sequence([[*header[:2], fields | {"keys": [first]}], *alone, old]),
    )
