"""What is wrong in one place and properly signed all the same: a verifier that leaves out that demand accepts it."""

from collections.abc import Iterator
from typing import Any

from appliance.ledger.checkpoint import COSIGNATURE, VDP, parse_sign1, sign1, signature_input
from appliance.ledger.encoding import decode, encode
from appliance.ledger.keys import SigningKey
from appliance.ledger.merkle import inclusion_proof, leaf_hash
from appliance.ledger.receipt import INCLUSION
from tests.ledger import material as m
from tests.ledger.rows import Rows

Claims = dict[int, Any]
SIZE = 3
OWN: Claims = {1: m.ORIGIN, 6: m.signed_s(SIZE), -65537: SIZE}
HUBS: Claims = {1: m.HUB_NAME, 2: m.ORIGIN, 6: m.signed_s(SIZE) + 5, -65537: SIZE}


def head(protected: bytes, key: SigningKey, root: bytes | None = None) -> bytes:
    """A COSE_Sign1 with this protected header, signed with the key that a verifier will take."""
    return sign1(protected, {}, key.sign(signature_input(protected, m.root(SIZE) if root is None else root)))


def header(claims: Claims, key: SigningKey) -> dict[int, Any]:
    return {1: -7, 4: key.public.key_id, 15: claims, 395: 1}


def claimed(claims: Claims, key: SigningKey, root: bytes | None = None) -> bytes:
    return head(encode(header(claims, key)), key, root)


def pairs(value: dict[int, Any]) -> list[bytes]:
    """The encoded keys with their values, in their order."""
    return [encode(name) + encode(one) for name, one in sorted(value.items(), key=lambda pair: encode(pair[0]))]


def _heads(claims: Claims, key: SigningKey) -> Iterator[tuple[str, bytes]]:
    good = header(claims, key)
    alg, kid, told, vds = pairs(good)
    for reason, change in (
        ("another algorithm", {1: -35}),
        ("another kind of tree", {395: 2}),
        ("true for the kind of tree", {395: True}),
        ("the key id of another key", {4: m.OTHER.public.key_id}),
        ("a label more", {33: b""}),
        ("claims in a list", {15: []}),
        ("a claim more", {15: claims | {7: b""}}),
        ("a negative time", {15: claims | {6: -1}}),
        ("true for the time", {15: claims | {6: True}}),
        ("a size that is not that of the root", {15: claims | {-65537: SIZE + 1}}),
    ):
        yield reason, head(encode(good | change), key)
    yield "no algorithm", head(encode({name: one for name, one in good.items() if name != 1}), key)
    yield "no key id", head(encode({name: one for name, one in good.items() if name != 4}), key)
    yield "no kind of tree", head(encode({name: one for name, one in good.items() if name != 395}), key)
    yield "no time", claimed({name: one for name, one in claims.items() if name != 6}, key)
    yield "labels out of order", head(b"\xa4" + kid + alg + told + vds, key)
    yield "a label twice", head(b"\xa5" + alg + alg + kid + told + vds, key)
    yield "a map without its length", head(b"\xbf" + alg + kid + told + vds + b"\xff", key)
    yield "a label in a longer head than needed", head(b"\xa4" + b"\x18" + alg + kid + told + vds, key)


def checkpoints() -> dict[str, bytes]:
    found = dict(_heads(OWN, m.BOX))
    found["the claim of a cosignature besides"] = claimed(OWN | {2: m.ORIGIN}, m.BOX)
    found["another ledger as issuer"] = claimed(OWN | {1: m.OTHER_ORIGIN}, m.BOX)
    return {f"properly signed, with {reason}": data for reason, data in found.items()}


def cosignatures() -> dict[str, bytes]:
    found = dict(_heads(HUBS, m.HUB))
    found["another ledger"] = claimed(HUBS | {2: m.OTHER_ORIGIN}, m.HUB)
    found["the root of another tree"] = claimed(HUBS, m.HUB, m.root(SIZE + 1))
    found["no ledger"] = claimed({name: one for name, one in HUBS.items() if name != 2}, m.HUB)
    found["a name in bytes"] = claimed(HUBS | {1: b"hub"}, m.HUB)
    alg, kid, _, vds = pairs(header(HUBS, m.HUB))
    for reason, name in (
        ("a name that is not UTF-8", b"\x61\xff"),
        ("a name without its length", b"\x7f\x61h\xff"),
        ("undefined for a name", b"\xf7"),
    ):
        _, *others = pairs(HUBS)
        told = b"\x0f\xa4\x01" + name + b"".join(others)
        found[reason] = head(b"\xa4" + alg + kid + told + vds, m.HUB)
    return {f"properly signed, with {reason}": data for reason, data in found.items()}


def receipts() -> dict[str, bytes]:
    """Of the entry 2 in the tree of three."""
    entry, cose = decode(m.receipt(2, SIZE, cosigned=True))
    protected, unprotected, signature = parse_sign1(cose)
    proof = unprotected[VDP][INCLUSION][0]
    size, index, path = decode(proof)

    def made(proof: bytes, cosigned: bytes | None = None, own: bytes = m.checkpoint(SIZE)) -> bytes:
        protected, _, signature = parse_sign1(own)
        labels = {VDP: {INCLUSION: [proof]}} | ({} if cosigned is None else {COSIGNATURE: cosigned})
        return encode([entry, sign1(protected, labels, signature)])

    vdp, confirmed = (encode(name) + encode(unprotected[name]) for name in (VDP, COSIGNATURE))
    swapped = b"\xd2\x84" + encode(protected) + b"\xa2" + confirmed + vdp + b"\xf6" + encode(signature)
    second = decode(m.receipt(1, SIZE, cosigned=False))[0], inclusion_proof(1, SIZE, m.node)
    place_true = {VDP: {INCLUSION: [encode([SIZE, True, second[1]])]}}
    found = {
        "a cosignature of another ledger": made(proof, claimed(HUBS | {2: m.OTHER_ORIGIN}, m.HUB)),
        "a cosignature of another tree": made(proof, claimed(HUBS, m.HUB, m.root(SIZE + 1))),
        "a cosignature that claims another size": made(proof, claimed(HUBS | {-65537: SIZE + 1}, m.HUB)),
        "a checkpoint that claims another size": made(proof, None, claimed(OWN | {-65537: SIZE + 1}, m.BOX)),
        "a checkpoint with the claim of a cosignature": made(proof, None, claimed(OWN | {2: m.ORIGIN}, m.BOX)),
        "true for the place": encode([second[0], sign1(protected, place_true, signature)]),
        "a fourth part in the proof": made(encode([size, index, path, 0])),
        "a proof with a byte more": made(proof + b"\x00"),
        "labels out of order": encode([entry, swapped]),
        "a cosignature that is a text": encode(
            [entry, sign1(protected, {VDP: unprotected[VDP], COSIGNATURE: "confirmed"}, signature)]
        ),
    }
    for reason, odd in (
        ("an entry of ten parts", encode([*decode(entry), 0])),
        ("an entry with true for its version", encode([17, True, *decode(entry)[2:]])),
        ("an entry in a longer head than needed", b"\x98\x09" + entry[1:]),
    ):
        found[reason] = _alone(odd)
    return {f"properly signed, with {reason}": data for reason, data in found.items()}


def _alone(entry: bytes) -> bytes:
    """The receipt of the only entry of a ledger."""
    protected, _, signature = parse_sign1(claimed(OWN | {-65537: 1}, m.BOX, leaf_hash(entry)))
    return encode([entry, sign1(protected, {VDP: {INCLUSION: [encode([1, 0, []])]}}, signature)])


def unread_cosignature() -> bytes:
    """A receipt whose cosignature is none: good for who has no key of a hub and so does not read it."""
    entry, cose = decode(m.receipt(2, SIZE, cosigned=True))
    protected, unprotected, signature = parse_sign1(cose)
    return encode([entry, sign1(protected, unprotected | {COSIGNATURE: b"junk"}, signature)])


def _raw_header(fields: dict[str, Any], name: str, value: bytes) -> bytes:
    """The bytes of a header in which a field has this value, however it is encoded."""
    told = encode(fields)
    old = encode(name) + encode(fields[name])
    at = told.index(old)
    return encode(["madoguchi-ledger", 1, 0])[:-1] + told[:at] + encode(name) + value + told[at + len(old) :]


def exports() -> Iterator[tuple[str, bytes]]:
    """Exports whose ledger is properly signed and whose digest fits."""
    for reason, rows in _bad_rows():
        yield f"properly signed, with {reason}", rows.export()
    one = Rows().add()
    fields, start = one.fields(), encode(["madoguchi-ledger", 1, 0])[:-1]
    shown = {name: encode(name) + encode(value) for name, value in fields.items()}
    ordered = sorted(shown.values())
    for reason, header_bytes in (
        ("undefined for no hub", _raw_header(fields, "hub", b"\xf7")),
        ("null in two bytes", _raw_header(fields, "hub", b"\xf8\x16")),
        ("a time in a tag for large numbers", _raw_header(fields, "time", b"\xc2\x44" + fields["time"].to_bytes(4))),
        ("a time with a point", _raw_header(fields, "time", b"\xf9\x3c\x00")),
        ("a time in a longer head than needed", _raw_header(fields, "time", b"\x1b" + fields["time"].to_bytes(8))),
        ("a list without its length", _raw_header(fields, "keys", b"\x9f" + encode(fields["keys"])[1:] + b"\xff")),
        ("a map without its length", start + b"\xbf" + b"".join(ordered) + b"\xff"),
        ("a field twice", start + b"\xa8" + b"".join([*ordered[:1], *ordered])),
        ("fields out of order", start + b"\xa7" + b"".join([*ordered[1:], ordered[0]])),
        ("a name of a field in bytes", _raw_header(fields, "time", b"\x00\x41h\x00").replace(b"\xa7", b"\xa8", 1)),
    ):
        yield f"a header with {reason}", one.under(header_bytes)
    key = m.HUB.public.spki
    for reason, change in (
        ("a hub without its key", {"hub": [m.HUB_NAME]}),
        ("a hub with a third part", {"hub": [m.HUB_NAME, key, 0]}),
        ("a hub whose name is in bytes", {"hub": [b"hub", key]}),
        ("a hub whose key is cut", {"hub": [m.HUB_NAME, key[:-1]]}),
        ("a hub in a text", {"hub": m.HUB_NAME}),
        ("a negative time", {"time": -1}),
        ("true for the time", {"time": True}),
        ("one for true", {"bodies": 1}),
        ("a first key with a succession", {"keys": [[0, m.BOX.public.spki, b""]]}),
    ):
        yield f"a header with {reason}", one.export(**change)
    yield "a file that lacks the field of the time", m.sequence(_without_time(one))
    _, first, second, end = one.items()
    salt, content = second[2]
    for reason, item in (
        ("a salt of 17 bytes, one of them of the content", [0, second[1], [salt + content[:1], content[1:]]]),
        ("a body of three parts", [0, second[1], [salt, content, b""]]),
        ("an entry item of four parts", [*second, 0]),
    ):
        yield reason, m.sequence([one.items()[0], first, item, end])


def _without_time(rows: Rows) -> list[Any]:
    (name, version, fields), *others = rows.items()
    return [[name, version, {one: value for one, value in fields.items() if one != "time"}], *others]


def _bad_rows() -> Iterator[tuple[str, Rows]]:
    yield "an entry older than the one before", Rows().add().add(time_ms=m.FIRST_MS)
    yield "an entry that begins a boot and tells of no start", Rows().add().add(boot=2)
    yield "an entry whose boot is an entry that tells of no start", Rows().add().add(boot=1)
    yield "an entry whose boot is to come", Rows().add(boot=2).add()
    yield "an entry that goes back to an earlier start", Rows().add(2).add(boot=0)
    yield "a start that names an earlier one", Rows().add(2, boot=0)
    yield "an entry that refers to itself", Rows().add(refs=(1,))
    yield "an entry that refers to one to come", Rows().add(refs=(2,)).add()
    for kind in (4, 6, 7, 8, 9):
        yield f"an entry of type {kind} in version 2", Rows().add(kind, version=2)
    earlier = Rows(m.LATER_ORIGIN)
    told = {"origin": m.ORIGIN, "indices": [2, 5], "rule": "order: 1"}
    yield "a type 4 that refers to a type 9", Rows(m.LATER_ORIGIN).add(9, told).add(4, {"rule": ""}, refs=(1,))
    yield "a type 4 for the missing body of a type 9", earlier.add(9, told, gone=True).add(4, {"rule": ""}, refs=(1,))
    for reason, change in (
        ("another field", {"more": 0}),
        ("a rule that is no text", {"rule": None}),
        ("indices in a map", {"indices": {}}),
        ("no index", {"indices": []}),
        ("257 indices", {"indices": list(range(257))}),
        ("a negative index", {"indices": [-1, 2]}),
        ("true for an index", {"indices": [True, 2]}),
        ("an index twice", {"indices": [2, 2]}),
        ("indices that fall", {"indices": [5, 2]}),
        ("an origin in bytes", {"origin": m.ORIGIN.encode()}),
        ("its own ledger", {"origin": m.LATER_ORIGIN}),
        ("a later ledger", {"origin": m.LATER_ORIGIN[:-1] + "3"}),
        ("a ledger of another school", {"origin": m.OTHER_ORIGIN}),
        ("a generation of zero", {"origin": m.ORIGIN[:-1] + "0"}),
        ("a generation that begins with zero", {"origin": m.ORIGIN[:-1] + "01"}),
    ):
        yield f"a type 9 with {reason}", Rows(m.LATER_ORIGIN).add(9, told | change)
    yield "a type 9 whose content is a list", Rows(m.LATER_ORIGIN).add(9, encode([told]))
    yield "a type 9 whose content is no CBOR", Rows(m.LATER_ORIGIN).add(9, b"\xff")
    yield "a type 9 of a generation with ten digits", Rows(m.LATER_ORIGIN + "0" * 9).add(9, told)


def good_exports() -> list[dict[str, Any]]:
    """With what they prove."""
    found = []
    for name, rows, change in _good_rows():
        size = len(rows.entries)
        proven = {"origin": rows.origin, "size": size, "signed": m.signed_s(size), "confirmations": 0}
        data = rows.export(**change)
        found.append({"name": name, "export": data.hex(), "proven": proven | {"confirmed": None}})
    return found


def _good_rows() -> Iterator[tuple[str, Rows, dict[str, Any]]]:
    """Name, ledger and what its header says otherwise."""
    told = {"origin": m.ORIGIN, "indices": [2, 5], "rule": "order: 1"}
    yield "what was erased in an earlier ledger", Rows(m.LATER_ORIGIN).add(9, told), {}
    yield "the same without its content", Rows(m.LATER_ORIGIN).add(9, told), {"bodies": False}
    yield "two starts, and content that is no map", Rows().add().add(2).add(17, b"\xff").add(2).add(), {}
    yield "an erasure of nothing", Rows().add(4, {"rule": ""}), {}
    yield "a body that was kept although one says it was erased", Rows().add().add(4, {"rule": ""}, refs=(1,)), {}
    yield "an erasure whose own body was erased", _erased_twice(), {}
    inner = m.ENTRIES[2], m.body(2)
    carried = {"origin": m.ORIGIN, "index": 2, "entry": inner[0], "salt": inner[1].salt, "content": inner[1].content}
    yield "a carried entry", Rows(m.LATER_ORIGIN).add(5, carried), {}
    yield "unknown versions of types that decide nothing", Rows().add(17, version=9).add(5, version=2), {}
    yield "a part that lacks a body", Rows().add(gone=True), {"whole": False}


def _erased_twice() -> Rows:
    rule = {"rule": "visit.three_years"}
    return Rows().add(gone=True).add(4, rule, refs=(1,), gone=True).add(4, rule, refs=(2,))


def bent(cose: bytes) -> dict[str, bytes]:
    """What was done to a good COSE_Sign1, and the result."""
    protected, _, signature = parse_sign1(cose)
    header = decode(protected)
    return {
        "no tag": cose[1:],
        "the tag in a longer head than needed": b"\xd8\x12" + cose[1:],
        "the last byte missing": cose[:-1],
        "one byte more": cose + b"\x00",
        "a flipped bit in the signature": cose[:-1] + bytes([cose[-1] ^ 1]),
        "a flipped bit in the header": sign1(protected[:-1] + bytes([protected[-1] ^ 2]), {}, signature),
        "a time that was changed": sign1(_with_claim(header, 6, 0), {}, signature),
        "a payload that is not detached": cose[:1] + encode([protected, {}, b"", signature]),
        "something in the unprotected header": sign1(protected, {4: b"key"}, signature),
        "another label in the protected header": sign1(encode(header | {33: b""}), {}, signature),
        "an algorithm that is not ES256": sign1(encode(header | {1: -8}), {}, signature),
        "a signature of 63 bytes": sign1(protected, {}, signature[:-1]),
        "a signature of zeros": sign1(protected, {}, bytes(64)),
    }


def _with_claim(header: dict[int, Any], label: int, value: object) -> bytes:
    return encode(header | {15: header[15] | {label: value}})
