"""The vectors in tests/vectors/ledger, for whoever writes another implementation: ``scripts/make-vectors`` runs this.

Every run makes the same bytes: keys, salts and times are fixed (``material.py``) and signatures are those of RFC 6979,
which ``cryptography`` offers; the product's own signatures are random. A refused vector says why it must be refused.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from appliance.ledger.checkpoint import COSIGNATURE, VDP, parse_sign1, sign1, sign_checkpoint
from appliance.ledger.encoding import decode, encode
from appliance.ledger.entry import type_label
from appliance.ledger.export import write_export
from appliance.ledger.merkle import consistency_proof, inclusion_proof
from appliance.ledger.receipt import INCLUSION, receipt_text
from tests.ledger import closed_vectors, sealed, signed_vectors
from tests.ledger import material as m
from tests.ledger.changed_vectors import changes
from tests.ledger.material import sequence

FOLDER = Path(__file__).parents[1] / "vectors" / "ledger"
Case = dict[str, Any]


def keys() -> Case:
    return {
        "note": "Test keys. Their private halves are public: never trust anything that they sign.",
        "keys": {
            name: {
                "private": key.number.to_bytes(32).hex(),
                "spki": key.public.spki.hex(),
                "key_id": key.public.key_id.hex(),
                "pem": key.public.pem().decode(),
            }
            for name, key in m.KEYS.items()
        },
    }


def entries() -> Case:
    good = [
        {
            "index": index,
            "type_name": type_label(m.PLAN[index].type[0]),
            "parts": [one.hex() if isinstance(one, bytes) else one for one in decode(data)],
            "entry": data.hex(),
            "salt": m.body(index).salt.hex(),
            "content": m.body(index).content.hex(),
            "leaf": m.LEAVES[index].hex(),
        }
        for index, data in enumerate(m.ENTRIES)
    ]
    one = m.ENTRIES[2]
    parts = decode(one)
    bad = {
        "a number in a longer head than needed": b"\x89\x18\x11" + one[2:],
        "an array of indefinite length": b"\x9f" + one[1:] + b"\xff",
        "eight parts": encode(parts[:8]),
        "ten parts": encode([*parts, 0]),
        "a negative number": encode([*parts[:2], -1, *parts[3:]]),
        "true for one": encode([*parts[:1], True, *parts[2:]]),
        "a number with a point": b"\x89\x11\xf9\x3c\x00" + one[3:],
        "a tag before a number": b"\x89\xc1" + one[1:],
        "references that are no list": encode([*parts[:7], 0, parts[8]]),
        "a reference that is no number": encode([*parts[:7], ["0"], parts[8]]),
        "a commitment of 31 bytes": encode([*parts[:8], parts[8][:31]]),
        "a commitment that is a text": encode([*parts[:8], "c" * 32]),
        "one byte more": one + b"\x00",
        "the last byte missing": one[:-1],
        "nothing": b"",
    }
    return {"good": good, "refused": [{"reason": reason, "entry": data.hex()} for reason, data in bad.items()]}


def roots() -> Case:
    return {"roots": [{"size": size, "root": m.root(size).hex()} for size in range(m.SIZE + 1)]}


def proofs() -> Case:
    inclusion = [
        _inclusion(index, size, inclusion_proof(index, size, m.node))
        for size in range(1, m.SIZE + 1)
        for index in range(size)
    ]
    consistency = [
        _consistency(old, size, consistency_proof(old, size, m.node))
        for size in range(1, m.SIZE + 1)
        for old in range(1, size + 1)
    ]
    path, steps = inclusion_proof(2, 7, m.node), consistency_proof(3, 7, m.node)
    bad_inclusion = [
        _inclusion(2, 7, path[:-1]) | {"reason": "a hash is missing"},
        _inclusion(2, 7, [*path, path[0]]) | {"reason": "a hash too many"},
        _inclusion(2, 7, path[::-1]) | {"reason": "hashes in the wrong order"},
        _inclusion(3, 7, path) | {"reason": "the place of another entry"},
        _inclusion(2, 6, path) | {"reason": "the root of another size"},
        _inclusion(2, 7, [m.LEAVES[2], *path[1:]]) | {"reason": "the sibling of another entry"},
    ]
    bad_consistency = [
        _consistency(3, 7, steps[:-1]) | {"reason": "a hash is missing"},
        _consistency(3, 7, [*steps, steps[0]]) | {"reason": "a hash too many"},
        _consistency(4, 7, steps) | {"reason": "the proof of another size"},
        _consistency(3, 7, steps) | {"old_root": m.root(4).hex(), "reason": "another older tree"},
        _consistency(3, 7, steps) | {"root": m.root(6).hex(), "reason": "another newer tree"},
        _consistency(7, 7, steps) | {"reason": "a proof where none is needed"},
    ]
    return {
        "inclusion": inclusion,
        "consistency": consistency,
        "refused_inclusion": bad_inclusion,
        "refused_consistency": bad_consistency,
    }


def _inclusion(index: int, size: int, path: list[bytes]) -> Case:
    leaf, root = m.LEAVES[index], m.root(size)
    return {"index": index, "size": size, "leaf": leaf.hex(), "root": root.hex(), "path": [one.hex() for one in path]}


def _consistency(old: int, size: int, path: list[bytes]) -> Case:
    roots = {"old_root": m.root(old).hex(), "root": m.root(size).hex()}
    return {"old": old, "size": size, **roots, "path": [one.hex() for one in path]}


def checkpoints() -> Case:
    sizes = range(1, m.SIZE + 1)
    return {
        "origin": m.ORIGIN,
        "good": [_signed(size, m.checkpoint(size)) | {"time": m.signed_s(size)} for size in sizes],
        "refused": [
            _signed(3, data) | {"reason": reason}
            for reason, data in {
                "signed with another key": m.checkpoint(3, m.OTHER),
                "of another ledger": m.checkpoint(3, origin=m.OTHER_ORIGIN),
                "of another size": m.checkpoint(4),
                "of another tree": sign_checkpoint(m.ORIGIN, 3, m.root(4), m.signed_s(3), m.BOX),
                "a cosignature": m.cosignature(3),
                "a cosignature, even one signed with the box's key": m.cosignature(3, m.BOX),
                **signed_vectors.bent(m.checkpoint(3)),
                **signed_vectors.checkpoints(),
            }.items()
        ],
    }


def cosignatures() -> Case:
    return {
        "origin": m.ORIGIN,
        "signer": m.HUB_NAME,
        "good": [_signed(size, m.cosignature(size)) | {"time": m.signed_s(size) + 5} for size in m.CONFIRMED],
        "refused": [
            _signed(3, data) | {"reason": reason}
            for reason, data in {
                "signed with another key": m.cosignature(3, m.OTHER),
                "of another size": m.cosignature(5),
                "a checkpoint": m.checkpoint(3),
                "a checkpoint, even one signed with the hub's key": m.checkpoint(3, m.HUB),
                **signed_vectors.bent(m.cosignature(3)),
                **signed_vectors.cosignatures(),
            }.items()
        ],
    }


def _signed(size: int, data: bytes) -> Case:
    return {"size": size, "root": m.root(size).hex(), "cose": data.hex()}


def receipts() -> Case:
    good = []
    for index, size, cosigned in ((2, 3, True), (0, 5, True), (4, 5, True), (6, 7, False), (0, 1, False)):
        data = m.receipt(index, size, cosigned=cosigned)
        confirmed = [m.HUB_NAME, m.signed_s(size) + 5] if cosigned else None
        proven = {"index": index, "size": size, "type": m.PLAN[index].type[0], "signed": m.signed_s(size)}
        good.append({"receipt": data.hex(), "text": receipt_text(data), "proven": proven | {"confirmed": confirmed}})
    data = m.receipt(2, 3, cosigned=True)
    entry, cose = decode(data)
    protected, unprotected, signature = parse_sign1(cose)
    proof = unprotected[VDP][INCLUSION][0]
    cosigned = unprotected[COSIGNATURE]

    def with_header(header: dict[int, Any]) -> bytes:
        return encode([entry, sign1(protected, header, signature)])

    def with_proof(*parts: object) -> bytes:
        return with_header({VDP: {INCLUSION: [encode(list(parts))]}, COSIGNATURE: cosigned})

    size, index, path = decode(proof)
    bad = {
        "another entry": encode([m.ENTRIES[1], cose]),
        "a flipped bit in the entry": encode([entry[:-1] + bytes([entry[-1] ^ 1]), cose]),
        "the place of another entry": with_proof(size, 1, path),
        "another size": with_proof(4, index, path),
        "a place beyond the tree": with_proof(size, size, path),
        "a hash too many": with_proof(size, index, [*path, path[0]]),
        "a hash is missing": with_proof(size, index, path[:-1]),
        "a hash of 31 bytes": with_proof(size, index, [*path[:-1], path[-1][:31]]),
        "no proof": with_header({COSIGNATURE: cosigned}),
        "two proofs": with_header({VDP: {INCLUSION: [proof, proof]}}),
        "proofs in a list": with_header({VDP: [[proof]]}),
        "a consistency proof besides": with_header({VDP: {INCLUSION: [proof], -2: []}}),
        "another label in the unprotected header": with_header({VDP: {INCLUSION: [proof]}, 4: b""}),
        "null for a cosignature": with_header({VDP: unprotected[VDP], COSIGNATURE: None}),
        "a cosignature of another size": with_header({VDP: unprotected[VDP], COSIGNATURE: m.cosignature(5)}),
        "a checkpoint as cosignature": with_header({VDP: unprotected[VDP], COSIGNATURE: m.checkpoint(3)}),
        "a cosignature of another key": with_header({VDP: unprotected[VDP], COSIGNATURE: m.cosignature(3, m.OTHER)}),
        "a cosignature as checkpoint": encode(
            [entry, sign1(parse_sign1(cosigned)[0], {VDP: unprotected[VDP]}, parse_sign1(cosigned)[2])]
        ),
        "a map of the two parts": encode({entry: 0, cose: 0}),
        "a list in a longer head than needed": b"\x98\x02" + data[1:],
        "three parts": encode([entry, cose, b""]),
        "the last byte missing": data[:-1],
        "one byte more": data + b"\x00",
        "nothing": b"",
        **signed_vectors.receipts(),
    }
    text = receipt_text(data)
    bad_texts = {
        "another prefix": "MDG2:" + text[5:],
        "no prefix": text[5:],
        "a single character at the end": text + ("A" if len(text[5:]) % 3 == 0 else "AA"),
        "a group beyond 65535": "MDG1:" + ":::" + text[8:],
        "a character that is none of the 45": text[:20] + "_" + text[21:],
    }
    return {
        "origin": m.ORIGIN,
        "good": good,
        "refused": [{"reason": reason, "receipt": data.hex()} for reason, data in bad.items()],
        "good_without_hub": [{"receipt": signed_vectors.unread_cosignature().hex(), "proven": good[0]["proven"]}],
        "refused_texts": [{"reason": reason, "text": text} for reason, text in bad_texts.items()],
        "refused_for": [
            {"reason": reason, "receipt": data.hex(), "origin": origin, "box": box, "hub": hub}
            for reason, origin, box, hub in (
                ("the key of another box", m.ORIGIN, "other", "hub"),
                ("the key of another hub", m.ORIGIN, "box", "other"),
                ("another ledger", m.OTHER_ORIGIN, "box", "hub"),
            )
        ],
    }


def exports() -> Case:
    good = []
    for name, size, bodies, hub in (
        ("everything", m.SIZE, True, True),
        ("without bodies", m.SIZE, False, True),
        ("the first four entries", 4, True, True),
        ("of a box without a hub", 2, True, False),
    ):
        sizes = [one for one in m.CONFIRMED if hub and one <= size]
        confirmed = [sizes[-1], m.HUB_NAME, m.signed_s(sizes[-1]) + 5] if sizes else None
        proven = {"origin": m.ORIGIN, "size": size, "signed": m.signed_s(size), "confirmations": len(sizes)}
        data = m.export(size, bodies=bodies, hub=hub)
        good.append({"name": name, "export": data.hex(), "proven": proven | {"confirmed": confirmed}})
    whole, closed = m.export(bodies=True), m.closed_export()
    good.append({"name": "of an earlier ledger of the box", "export": closed.hex(), "proven": good[0]["proven"]})
    good += signed_vectors.good_exports()
    return {
        "good": good,
        "refused": [{"reason": reason, "export": data.hex()} for reason, data in _bad_exports()],
        "refused_for": [
            {"reason": "the key of another box", "export": whole.hex(), "box": "other", "hub": "hub"},
            {"reason": "the key of another hub", "export": whole.hex(), "box": "box", "hub": "other"},
            {"reason": "no key of the later ledger", "export": closed.hex(), "box": "box", "hub": "hub"},
        ],
    }


def values(*, bodies: bool = True) -> list[Any]:
    """The items of the exported ledger: header, entries 0 to 2, a confirmation, 3, 4, another, 5, 6, end."""
    return [decode(one) for one in write_export(m.export_items(bodies=bodies))]


def _bad_exports() -> Iterator[tuple[str, bytes]]:
    whole, items = m.export(bodies=True), values()
    header, fields, end = items[0], items[0][2], items[-1]

    def fielded(**change: object) -> bytes:
        return sequence([[*header[:2], fields | change], *items[1:]])

    def put(at: int, item: object) -> bytes:
        return sequence([*items[:at], item, *items[at + 1 :]])

    yield "cut off in the middle", whole[: len(whole) // 2]
    yield "cut off before the end", b"".join(encode(one) for one in items[:-1])
    yield "the last byte missing", whole[:-1]
    yield "one byte more", whole + b"\x00"
    yield "one item more", whole + encode(end)
    yield "nothing", b""
    yield "another file", b"PK\x03\x04" + whole
    yield "another name of the form", sequence([["madoguchi-ledgers", 1, fields], *items[1:]])
    yield "a later version", sequence([[header[0], 2, fields], *items[1:]])
    yield "the header in a longer head than needed", b"\x98\x03" + whole[1:]
    yield "a digest that does not fit", whole[:-1] + bytes([whole[-1] ^ 1])
    yield "another time of export under the digest of the first", fielded(time=1)[:-32] + whole[-32:]
    yield "no header", sequence(items[1:])
    yield "two headers", sequence([header, *items])
    yield "one entry fewer than the header says", fielded(size=m.SIZE + 1)
    yield "one entry more than the header says", fielded(size=m.SIZE - 1)
    yield "no entry at all", sequence([[*header[:2], fields | {"size": 0}], end])
    yield "the name of another ledger", fielded(origin=m.OTHER_ORIGIN)
    yield "the key of another box", fielded(keys=[[0, m.OTHER.public.spki]])
    yield "no key", fielded(keys=[])
    yield "a key that signs from size 1 on only", fielded(keys=[[1, m.BOX.public.spki]])
    yield "a key that is not on the curve", fielded(hub=[m.HUB_NAME, m.HUB.public.spki[:-1] + b"\x00"])
    yield "true for one in the header", fielded(whole=1)
    yield "a field that is not known", fielded(more=0)
    yield "an item of an unknown kind", sequence([*items[:-1], [4, b"", None], end])
    yield "an entry is missing", sequence([*items[:8], *items[9:]])
    yield "two entries swapped", sequence([*items[:5], items[6], items[5], *items[7:]])
    yield "an entry twice", sequence([*items[:3], *items[2:]])
    yield "an entry of another time", put(3, [0, encode([*decode(items[3][1])[:2], 0, *decode(items[3][1])[3:]]), None])
    yield "an entry that is not deterministic CBOR", put(3, [0, b"\x89\x18\x11" + items[3][1][2:], None])
    yield "the body of another entry", put(5, [*items[5][:2], items[2][2]])
    yield "a salt of 15 bytes", put(5, [*items[5][:2], [items[5][2][0][:15], items[5][2][1]]])
    yield "a body that is gone, and no entry says why", put(5, [*items[5][:2], None])
    yield "a body in a file that says it has none", fielded(bodies=False)
    yield "a confirmation one entry too early", sequence([*items[:3], items[4], items[3], *items[5:]])
    yield "a confirmation before every entry", sequence([header, items[4], *items[1:4], *items[5:]])
    yield "a confirmation twice", sequence([*items[:5], *items[4:]])
    yield "a checkpoint as cosignature", put(4, [1, items[4][1], items[4][1]])
    yield "a cosignature as checkpoint", put(4, [1, items[4][2], items[4][2]])
    yield "a cosignature of another size", put(4, [1, items[4][1], m.cosignature(5)])
    yield "a cosignature of another key", put(4, [1, items[4][1], m.cosignature(3, m.OTHER)])
    yield "the last checkpoint of another size", sequence([*items[:-1], [2, m.checkpoint(6), b""]])
    yield "the last checkpoint of another key", sequence([*items[:-1], [2, m.checkpoint(m.SIZE, m.OTHER), b""]])
    yield "a cosignature as the last checkpoint", sequence([*items[:-1], [2, m.cosignature(m.SIZE), b""]])
    yield from closed_vectors.bad()
    yield from signed_vectors.exports()


def seals() -> Case:
    ledger = sealed.whole()
    good = []
    for name, size, bodies, last in (
        ("everything", None, True, ["2026-05-07", 6, 3]),
        ("without bodies, but for those of seals and key", None, False, ["2026-05-07", 6, 3]),
        ("the first six entries", 6, False, ["2026-05-05", 4, 2]),
        ("before the first seal", 2, True, None),
    ):
        good.append({"name": name, "export": ledger.export(size, bodies=bodies).hex(), "sealed": last})
    return {
        "note": "Test keys. Their private halves are public: never trust anything that they sign.",
        "origin": m.ORIGIN,
        "keys": {
            name: {
                "seed": key.own_seed.hex(),
                "spki": key.public.spki.hex(),
                "key_id": key.public.key_id.hex(),
                "fingerprint": key.public.fingerprint.hex(),
            }
            for name, key in sealed.KEYS.items()
        },
        "good": good,
        "refused": [{"reason": reason, "export": data.hex()} for reason, data in sealed.bad()],
        "refused_for": [
            {"reason": "another archive key", "export": ledger.export(bodies=False).hex(), "archive": "other"}
        ],
    }


_ALL = (keys, entries, roots, proofs, checkpoints, cosignatures, receipts, exports, seals, changes)
FILES = {one.__name__: one for one in _ALL}


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in FILES.items():
        text = json.dumps(make(), ensure_ascii=False, indent=1)
        (folder / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
