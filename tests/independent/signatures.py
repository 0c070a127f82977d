"""Keys, checkpoints, cosignatures and the change of the key, sections 2, 7, 8 and 15 of docs/ledger.md."""

import hashlib
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tests.independent.cbor import RefusedError, byte_string, is_number, need, read, refuse

SPKI_START = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
SUCCESSION_TYPE = "application/madoguchi-succession+cose"
Keys = bytes | list[tuple[int, bytes]]
"""The one key of a box, or the keys of section 15 with the size from which on each signs."""


def key_id(spki: bytes) -> bytes:
    return hashlib.sha256(spki).digest()[:8]


def read_key(spki: bytes) -> ec.EllipticCurvePublicKey:
    need(len(spki) == 91 and spki.startswith(SPKI_START), "P-256 key")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), spki[26:])
    except ValueError:
        refuse("point on the curve")


def split_cose(data: bytes, length: int = 64) -> tuple[bytes, dict[Any, Any], bytes]:
    need(data[:1] == b"\xd2", "COSE_Sign1")
    parts = read(data[1:])
    need(type(parts) is list and len(parts) == 4, "COSE_Sign1")
    protected, unprotected, payload, signature = parts
    need(type(protected) is bytes and type(unprotected) is dict and payload is None, "COSE_Sign1")
    need(type(signature) is bytes and len(signature) == length, "length of the signature")
    return protected, unprotected, signature


def read_claims(protected: bytes, alg: int = -7) -> tuple[bytes, dict[Any, Any]]:
    """The key id and the claims."""
    header = read(protected)
    need(type(header) is dict and set(header) == {1, 4, 15, 395}, "labels")
    need(header[1] == alg and type(header[395]) is int and header[395] == 1, "algorithms")
    claims = header[15]
    need(type(claims) is dict and {1, 6, -65537} <= set(claims) <= {1, 2, 6, -65537}, "claims")
    need(is_number(claims[6]) and is_number(claims[-65537]), "claims")
    need(type(claims[1]) is str and type(claims.get(2, "")) is str, "claims")
    return header[4], claims


def signed_bytes(protected: bytes, root: bytes) -> bytes:
    return b"\x84\x6aSignature1" + byte_string(protected) + b"\x40" + byte_string(root)


def check_signed(protected: bytes, signature: bytes, root: bytes, spki: bytes) -> dict[Any, Any]:
    named, claims = read_claims(protected)
    need(named == key_id(spki), "key id")
    check_signature(signature, signed_bytes(protected, root), spki)
    return claims


def check_signature(signature: Any, message: bytes, spki: bytes) -> None:
    need(type(signature) is bytes and len(signature) == 64, "signature of 64 bytes")
    numbers = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        read_key(spki).verify(encode_dss_signature(*numbers), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        refuse("signature")


def check_checkpoint(data: bytes, size: int, root: bytes, origin: str, box: Keys) -> int:
    """The time of a checkpoint."""
    protected, unprotected, signature = split_cose(data)
    need(unprotected == {}, "no unprotected header")
    return check_checkpoint_parts(protected, signature, size, root, origin, box)


def check_checkpoint_parts(protected: bytes, signature: bytes, size: int, root: bytes, origin: str, box: Keys) -> int:
    claims = check_signed(protected, signature, root, key_for(box, read_claims(protected)[0], size))
    need(2 not in claims and claims[1] == origin and claims[-65537] == size, "checkpoint of this ledger and size")
    return int(claims[6])


def check_cosignature(data: bytes, size: int, root: bytes, origin: str, spki: bytes) -> tuple[str, int]:
    """Name and time of who confirmed."""
    protected, unprotected, signature = split_cose(data)
    need(unprotected == {}, "no unprotected header")
    claims = check_signed(protected, signature, root, spki)
    need(claims.get(2) == origin and claims[-65537] == size, "cosignature of this ledger and size")
    return claims[1], int(claims[6])


# Change of the key


def key_for(box: Keys, named: Any, size: int) -> bytes:
    """The key with this id, if it may sign this size."""
    keys = [(0, box)] if isinstance(box, bytes) else box
    for at, (_, spki) in enumerate(keys):
        if named == key_id(spki):
            need(at + 1 == len(keys) or size < keys[at + 1][0], "a key that has ended")
            return spki
    raise RefusedError("key id")


def check_succession(data: bytes, origin: str, size: int, before: bytes, spki: bytes) -> None:
    """That the key before names this one, from this size on."""
    need(data[:1] == b"\xd2", "COSE_Sign1")
    parts = read(data[1:])
    need(type(parts) is list and len(parts) == 4, "COSE_Sign1")
    protected, unprotected, payload, signature = parts
    need(type(protected) is bytes and type(payload) is bytes and type(signature) is bytes, "byte strings")
    header, told = read(protected), read(payload)
    need(type(header) is dict and set(header) == {1, 4, 16}, "labels")
    need(header[1] == -7 and header[4] == key_id(before) and header[16] == SUCCESSION_TYPE, "header")
    need(type(told) is dict and set(told) == {"origin", "size", "key"}, "contents")
    need(told["origin"] == origin and told["key"] == spki, "contents")
    need(type(told["size"]) is int and told["size"] == size, "size")
    check_signature(signature, b"\x84\x6aSignature1" + byte_string(protected) + b"\x40" + byte_string(payload), before)
    need(type(unprotected) is dict and set(unprotected) == {12}, "countersignature")
    signed = b"\x85\x73CounterSignature0V2" + byte_string(protected) + b"\x40" + byte_string(payload)
    check_signature(unprotected[12], signed + b"\x81" + byte_string(signature), spki)


def read_keys(listed: Any, origin: str) -> list[tuple[int, bytes]]:
    """The keys of an exported ledger, of which each follows from the one before."""
    need(type(listed) is list and 0 < len(listed) <= 128, "keys")
    keys: list[tuple[int, bytes]] = []
    for one in listed:
        need(type(one) is list and len(one) == (3 if keys else 2), "keys")
        need(is_number(one[0]) and all(type(part) is bytes for part in one[1:]), "keys")
        read_key(one[1])
        if keys:
            need(one[0] >= 3 and one[0] > keys[-1][0], "sizes in order")
            need(all(key_id(one[1]) != key_id(spki) for _, spki in keys), "no key twice")
            check_succession(one[2], origin, one[0], keys[-1][1], one[1])
        else:
            need(one[0] == 0, "the first key from size 0 on")
        keys.append((one[0], one[1]))
    return keys
