"""The vectors of a ledger whose key is changed twice: what ``vectors`` writes into changes.json."""

from collections.abc import Iterator
from typing import Any

from appliance.ledger.checkpoint import SIGN1_TAG
from appliance.ledger.encoding import decode, encode
from appliance.ledger.export import write_export
from appliance.ledger.keys import SigningKey
from appliance.ledger.succession import sign_succession
from tests.ledger import changed
from tests.ledger import material as m
from tests.ledger.material import sequence
from tests.ledger.rows import Rows

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
        "refused_receipts": [
            {"reason": reason, "receipt": data.hex(), "keys": [[size, key.public.spki.hex()] for size, key in keys]}
            for reason, data, keys in _bad_receipts()
        ],
        "refused": [{"reason": reason, "succession": data.hex()} for reason, data in _bad_successions().items()],
        "refused_exports": [
            {"reason": reason, "export": data.hex()} for reason, data in (*_bad_changed(), *_bad_told())
        ],
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
        "the right key ids, and signed by a third key": _forged(),
    }


def _forged() -> bytes:
    """Names the key before and is countersigned by the new one, but the key before did not sign."""
    protected, _, payload, _ = decode(changed.TO_SECOND[1:])
    signature = m.OTHER.sign(encode(["Signature1", protected, b"", payload]))
    possession = m.SECOND.sign(encode(["CounterSignature0V2", protected, b"", payload, [signature]]))
    return SIGN1_TAG + encode([protected, {12: possession}, payload, signature])


def _bad_receipts() -> Iterator[tuple[str, bytes, list[tuple[int, SigningKey]]]]:
    """Reason, receipt and the keys with which it must be refused."""
    first = changed.FIRST_CHANGE
    alone: list[tuple[int, SigningKey]] = [(0, m.BOX)]
    yield "a change of the key that the keys lack", changed.receipt(first, first + 1), alone
    yield "a change of the key, signed beyond its end", changed.receipt(first, first + 2, m.BOX), alone
    yield "no change where the keys have one", changed.receipt(4, 5), [*alone, (6, m.SECOND)]


def _chain(*steps: tuple[int, SigningKey]) -> bytes:
    """An export of a ledger whose keys follow at these sizes, each entry of a change where it has to be."""
    keys: list[list[object]] = [[0, m.BOX.public.spki]]
    before: SigningKey = m.BOX
    told: dict[int, dict[str, Any]] = {}
    for size, key in steps:
        succession = sign_succession(m.ORIGIN, size, before, key)
        keys.append([size, key.public.spki, succession])
        ids = {"previous": before.public.key_id, "key_id": key.public.key_id}
        told[size - 2] = {**ids, "succession": succession}
        before = key
    rows = Rows()
    for index in range(1, max(told) + 2):
        rows.add(8, told[index]) if index in told else rows.add()
    return rows.export(before, keys=keys, bodies=False)


def _telling(content: dict[str, Any] | bytes) -> bytes:
    """An export whose key changes at size 3, of which the entry says this."""
    keys = [[0, m.BOX.public.spki], [3, m.SECOND.public.spki, sign_succession(m.ORIGIN, 3, m.BOX, m.SECOND)]]
    return Rows().add(8, content).add().export(m.SECOND, keys=keys)


def _bad_told() -> Iterator[tuple[str, bytes]]:
    ids = {"previous": m.BOX.public.key_id, "key_id": m.SECOND.public.key_id}
    good = {**ids, "succession": sign_succession(m.ORIGIN, 3, m.BOX, m.SECOND)}
    for reason, content in (
        ("another key before", good | {"previous": m.OTHER.public.key_id}),
        ("another new key", good | {"key_id": m.OTHER.public.key_id}),
        ("a succession at another size", good | {"succession": sign_succession(m.ORIGIN, 4, m.BOX, m.SECOND)}),
        ("a succession to another key", good | {"succession": sign_succession(m.ORIGIN, 3, m.BOX, m.THIRD)}),
        ("a succession by another key", good | {"succession": sign_succession(m.ORIGIN, 3, m.OTHER, m.SECOND)}),
        ("a succession that is none", good | {"succession": b""}),
        ("no succession", ids),
        ("a field more", good | {"more": 0}),
        ("a list", encode([good])),
    ):
        yield f"a change of the key whose content has {reason}", _telling(content)
    yield "a change whose key before did not sign", _signed_by_none()
    yield "a key that comes again", _chain((3, m.SECOND), (4, m.BOX))
    yield "two keys from one size on", _chain((4, m.SECOND), (4, m.THIRD))
    yield "a size that falls", _chain((5, m.SECOND), (4, m.THIRD))
    yield "129 keys", _chain(*((3 + at, m.RepeatableKey(f"one of many: {at}")) for at in range(128)))


def _signed_by_none() -> bytes:
    items = [decode(one) for one in write_export(changed.export_items())]
    fields, forged = items[0][2], _forged()
    first, second, third = fields["keys"]
    listed = [first, [*second[:2], forged], third]
    return sequence([[*items[0][:2], fields | {"keys": listed}], *items[1:]])


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
