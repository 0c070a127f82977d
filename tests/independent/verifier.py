"""A second verifier of receipts and exported ledgers, written from docs/ledger.md alone.

It shares no line with the product: the standard library, and ``cryptography`` for the arithmetic of ECDSA and ML-DSA
only. The numbers in the comments are the steps of that document.
"""

import hashlib
from datetime import date
from typing import Any, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

SPKI_START = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
ARCHIVE_START = bytes.fromhex("308207b2300b0609608648016503040312038207a100")
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
LONGEST_ITEM = 1 << 24
SUCCESSION_TYPE = "application/madoguchi-succession+cose"
Keys = bytes | list[tuple[int, bytes]]
"""The one key of a box, or the keys of section 15 with the size from which on each signs."""


class RefusedError(Exception):
    """Not what it should be; the text says which rule was broken."""


def refuse(rule: str) -> NoReturn:
    raise RefusedError(rule)


def need(holds: bool, rule: str) -> None:
    if not holds:
        refuse(rule)


# Encoding


def read_item(data: bytes, at: int) -> tuple[Any, int]:
    """One deterministic CBOR item and where it ends."""
    need(at < len(data), "cut")
    major, number = data[at] >> 5, data[at] & 31
    at += 1
    if major == 7:
        need(number in (20, 21, 22), "only false, true and null")
        return {20: False, 21: True, 22: None}[number], at
    need(number < 28, "length at the beginning")
    if number >= 24:
        width = 1 << (number - 24)
        need(at + width <= len(data), "cut")
        number = int.from_bytes(data[at : at + width], "big")
        at += width
        need(number >= (24 if width == 1 else 1 << (4 * width)), "shortest head")
    if major == 0:
        return number, at
    if major == 1:
        return -1 - number, at
    if major in (2, 3):
        need(at + number <= len(data), "cut")
        raw = data[at : at + number]
        return raw if major == 2 else text_of(raw), at + number
    if major == 4:
        items = []
        for _ in range(number):
            item, at = read_item(data, at)
            items.append(item)
        return items, at
    need(major == 5, "no tags")
    found: dict[Any, Any] = {}
    before = b""
    for _ in range(number):
        start = at
        key, at = read_item(data, at)
        need(type(key) in (int, str, bytes) and before < data[start:at], "keys of a kind that may be, in order")
        before = data[start:at]
        found[key], at = read_item(data, at)
    return found, at


def text_of(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        refuse("UTF-8")


def read(data: bytes) -> Any:
    """The one item that these bytes are."""
    try:
        value, end = read_item(data, 0)
    except RecursionError:
        refuse("too deep")
    need(end == len(data), "nothing after the item")
    return value


def head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    width = next(one for one in (1, 2, 4, 8) if number < 1 << 8 * one)
    return bytes([major << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[width]]) + number.to_bytes(width, "big")


def byte_string(data: bytes) -> bytes:
    return head(2, len(data)) + data


def is_number(value: Any) -> bool:
    return type(value) is int and value >= 0


# Entries and bodies


def read_entry(data: bytes) -> list[Any]:
    parts = read(data)
    need(type(parts) is list and len(parts) == 9, "nine parts")
    need(all(is_number(one) for one in parts[:7]), "numbers")
    need(type(parts[7]) is list and all(is_number(one) for one in parts[7]), "references")
    need(type(parts[8]) is bytes and len(parts[8]) == 32, "commitment")
    return list(parts)


def check_order(parts: list[Any], index: int, last_time: int) -> None:
    need(parts[2] >= last_time, "not older than the one before")
    need(parts[3] < index or (parts[3] == index and parts[0] in (1, 2)), "boot")
    need(all(one < index for one in parts[7]), "references go back")


# Tree


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """Complete subtrees from the left, each with its number of leaves."""

    def __init__(self) -> None:
        self.size = 0
        self.parts: list[tuple[int, bytes]] = []

    def append(self, leaf: bytes) -> None:
        self.size += 1
        self.parts.append((1, leaf))
        while len(self.parts) > 1 and self.parts[-1][0] == self.parts[-2][0]:
            (count, right), (_, left) = self.parts.pop(), self.parts.pop()
            self.parts.append((2 * count, node_hash(left, right)))

    def root(self) -> bytes:
        if not self.parts:
            return hashlib.sha256(b"").digest()
        root = self.parts[-1][1]
        for _, left in reversed(self.parts[:-1]):
            root = node_hash(left, root)
        return root


def largest_split(count: int) -> int:
    split = 1
    while 2 * split < count:
        split *= 2
    return split


def inclusion_root(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root to which a path leads, top down: the last hash of the path is the sibling next to the root."""
    if size == 1:
        need(not path, "length of the path")
        return leaf
    need(bool(path), "length of the path")
    split = largest_split(size)
    if index < split:
        return node_hash(inclusion_root(leaf, index, split, path[:-1]), path[-1])
    return node_hash(path[-1], inclusion_root(leaf, index - split, size - split, path[:-1]))


def consistency_roots(old: int, size: int, path: list[bytes], old_root: bytes, whole: bool) -> tuple[bytes, bytes]:
    """The roots of the older and the newer tree to which a path leads."""
    if old == size:
        need(len(path) == (0 if whole else 1), "length of the path")
        found = old_root if whole else path[0]
        return found, found
    need(bool(path), "length of the path")
    split = largest_split(size)
    if old <= split:
        older, newer = consistency_roots(old, split, path[:-1], old_root, whole)
        return older, node_hash(newer, path[-1])
    older, newer = consistency_roots(old - split, size - split, path[:-1], old_root, False)
    return node_hash(path[-1], older), node_hash(path[-1], newer)


def check_consistency(old: int, old_root: bytes, size: int, root: bytes, path: list[bytes]) -> None:
    need(0 < old <= size, "sizes")
    need(consistency_roots(old, size, path, old_root, True) == (old_root, root), "consistency")


# Signatures


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


# Seals for the archive


class Seals:
    """The steps of the seals of a ledger, entry by entry."""

    def __init__(self, origin: str, archive: list[bytes] | None) -> None:
        self.origin, self.pinned = origin, archive
        self.day = self.sealed_day = -1
        self.ends: dict[int, tuple[int, bytes]] = {}
        self.key: bytes | None = None
        self.key_is_gone = False
        self.reach: list[Any] | None = None
        self.count = 0

    def before(self, parts: list[Any], tree: Tree) -> None:
        """An entry is about to be appended."""
        day = (parts[2] + 1_577_836_800_000 + 32_400_000) // 86_400_000
        if day != self.day and tree.size:
            self.ends[self.day] = tree.size, tree.root()
        self.day = day

    def take(self, kind: int, content: bytes | None) -> None:
        if kind == 7:
            self.key_is_gone, self.key = content is None, None
            if content is not None:
                self.introduce(read(content))
        elif content is not None and not self.key_is_gone:
            self.seal(read(content))

    def introduce(self, content: Any) -> None:
        # 1.
        need(type(content) is dict and set(content) == {"alg", "key_id", "key"}, "content of a key")
        key = content["key"]
        need(type(content["alg"]) is int and content["alg"] == -49, "ML-DSA-65")
        need(type(key) is bytes and len(key) == 1974 and key.startswith(ARCHIVE_START), "ML-DSA-65 key")
        need(content["key_id"] == key_id(key), "key id")
        need(self.pinned is None or key in self.pinned, "pinned archive key")
        self.key = key

    def seal(self, content: Any) -> None:
        # 2.
        need(type(content) is dict and set(content) == {"date", "size", "cose"}, "content of a seal")
        text, size, cose = content["date"], content["size"], content["cose"]
        need(type(text) is str and is_number(size) and type(cose) is bytes, "content of a seal")
        day = day_number(text)
        need(self.sealed_day < day < self.day, "a later day, and one that is over")
        # 3.
        end, root = self.ends.get(day, (-1, b""))
        need(size == end, "the end of the day")
        # 4.
        need(self.key is not None, "an introduced key")
        protected, unprotected, signature = split_cose(cose, 3309)
        need(unprotected == {}, "no unprotected header")
        named, claims = read_claims(protected, -49)
        need(named == key_id(self.key or b""), "key id")
        need(2 not in claims and claims[1] == self.origin and claims[-65537] == size, "seal of this ledger and size")
        try:
            public = MLDSA65PublicKey.from_public_bytes((self.key or b"")[22:])
            public.verify(signature, signed_bytes(protected, root))
        except (InvalidSignature, ValueError):
            refuse("signature")
        self.sealed_day, self.count = day, self.count + 1
        self.reach = [text, size, self.count]


def day_number(text: str) -> int:
    digits = text.replace("-", "")
    need(len(text) == 10 and text[4] == text[7] == "-" and digits.isascii() and digits.isdigit(), "date")
    try:
        return date(int(text[:4]), int(text[5:7]), int(text[8:])).toordinal() - date(1970, 1, 1).toordinal()
    except ValueError:
        refuse("date")


# Change of the key


def key_for(box: Keys, named: Any, size: int) -> bytes:
    """The key with this id, if it may sign this size."""
    keys = [(0, box)] if isinstance(box, bytes) else box
    for at, (_, spki) in enumerate(keys):
        if named == key_id(spki):
            need(at + 1 == len(keys) or size < keys[at + 1][0], "a key that has ended")
            return spki
    refuse("key id")


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


# Receipts


def read_receipt_text(text: str) -> bytes:
    text = text.strip("\r\n")
    need(text.startswith("MDG1:"), "prefix")
    digits = text[5:]
    need(all(one in ALPHABET for one in digits) and len(digits) % 3 != 1, "base45")
    data = b""
    for at in range(0, len(digits), 3):
        group = digits[at : at + 3]
        number = sum(ALPHABET.index(one) * 45**power for power, one in enumerate(group))
        need(number < 256 ** (len(group) - 1), "base45")
        data += number.to_bytes(len(group) - 1, "big")
    return data


def verify_receipt(data: bytes, origin: str, box: Keys, hub: bytes | None) -> dict[str, Any]:
    """What a receipt proves; ``box`` and ``hub`` are the pinned keys as SubjectPublicKeyInfo."""
    # 1.
    parts = read(data)
    need(type(parts) is list and len(parts) == 2 and all(type(one) is bytes for one in parts), "two byte strings")
    entry, cose = parts
    fields = read_entry(entry)
    protected, unprotected, signature = split_cose(cose)
    need({396} <= set(unprotected) <= {396, -65538}, "unprotected header")
    proofs, cosigned = unprotected[396], unprotected.get(-65538)
    need(-65538 not in unprotected or type(cosigned) is bytes, "cosignature")
    need(type(proofs) is dict and set(proofs) == {-1} and type(proofs[-1]) is list, "proofs")
    need(len(proofs[-1]) == 1 and type(proofs[-1][0]) is bytes, "one proof")
    proof = read(proofs[-1][0])
    need(type(proof) is list and len(proof) == 3, "proof")
    size, index, path = proof
    need(is_number(size) and is_number(index) and index < size, "place")
    need(type(path) is list and all(type(one) is bytes and len(one) == 32 for one in path), "path")
    # 2.
    root = inclusion_root(leaf_hash(entry), index, size, path)
    # 3.
    signed = check_checkpoint_parts(protected, signature, size, root, origin, box)
    # 4.
    confirmed = None
    if cosigned is not None and hub is not None:
        confirmed = list(check_cosignature(cosigned, size, root, origin, hub))
    return {"index": index, "size": size, "type": fields[0], "signed": signed, "confirmed": confirmed}


# Exported ledgers


class Export:
    """The steps of an exported ledger, item by item."""

    def __init__(self, data: bytes, box: list[bytes], hub: bytes | None, archive: list[bytes] | None) -> None:
        self.data, self.box, self.hub, self.archive = data, box, hub, archive
        self.tree, self.last_time, self.gone, self.changes = Tree(), 0, set[int](), set[int]()
        self.confirmations, self.last_confirmed = 0, 0
        self.confirmed: list[Any] | None = None

    def verify(self) -> dict[str, Any]:
        at, ended = 0, None
        while at < len(self.data):
            need(ended is None, "nothing after the end")
            item, end = read_item(self.data, at)
            need(end - at <= LONGEST_ITEM, "length of an item")
            if at == 0:
                self.header(item)
            else:
                need(type(item) is list and len(item) == 3 and type(item[0]) is int, "form of an item")
                need(type(item[1]) is bytes, "form of an item")
                if item[0] == 0:
                    self.entry(item[1], item[2])
                elif item[0] == 1:
                    self.confirmation(item[1], item[2])
                else:
                    need(item[0] == 2, "form of an item")
                    ended = self.end(item[1], item[2], at)
            at = end
        if ended is None:
            refuse("an end")
        return {
            "origin": self.origin,
            "size": self.size,
            "signed": ended,
            "confirmations": self.confirmations,
            "confirmed": self.confirmed,
            "sealed": self.seals.reach,
        }

    def header(self, item: Any) -> None:
        # 1.
        need(type(item) is list and len(item) == 3 and item[0] == "madoguchi-ledger", "name of the form")
        need(type(item[1]) is int and item[1] == 1, "version")
        fields = item[2]
        names = {"origin", "size", "whole", "bodies", "keys", "hub", "time"}
        need(type(fields) is dict and set(fields) == names, "fields")
        self.origin, self.size = fields["origin"], fields["size"]
        self.whole, self.bodies, hub = fields["whole"], fields["bodies"], fields["hub"]
        need(type(self.origin) is str and is_number(fields["time"]), "fields")
        need(is_number(self.size) and self.size > 0, "fields")
        need(type(self.whole) is bool and type(self.bodies) is bool, "fields")
        self.keys = read_keys(fields["keys"], self.origin)
        need(self.keys[0][1] in self.box, "pinned key")
        if hub is not None:
            need(type(hub) is list and len(hub) == 2 and type(hub[0]) is str and type(hub[1]) is bytes, "hub")
            read_key(hub[1])
        self.seals = Seals(self.origin, self.archive)

    def entry(self, entry: bytes, body: Any) -> None:
        index = self.tree.size
        # 3.
        parts = read_entry(entry)
        check_order(parts, index, self.last_time)
        self.last_time = parts[2]
        # 4.
        if body is not None:
            need((self.bodies or parts[0] in (6, 7)) and type(body) is list and len(body) == 2, "body")
            need(all(type(one) is bytes for one in body) and len(body[0]) == 16, "salt")
            need(hashlib.sha256(body[0] + body[1]).digest() == parts[8], "commitment")
        elif self.bodies or parts[0] in (6, 7):
            self.gone.add(index)
        if parts[0] == 4:
            self.gone.difference_update(parts[7])
        # 7.
        self.seals.before(parts, self.tree)
        if parts[0] in (6, 7):
            self.seals.take(parts[0], None if body is None else body[1])
        if parts[0] == 8:
            self.changes.add(index)
        self.tree.append(leaf_hash(entry))

    def confirmation(self, checkpoint: bytes, cosignature: Any) -> None:
        # 5.
        size, root = self.tree.size, self.tree.root()
        need(type(cosignature) is bytes and size > self.last_confirmed, "place of a confirmation")
        check_checkpoint(checkpoint, size, root, self.origin, self.keys)
        if self.hub is not None:
            self.confirmed = [size, *check_cosignature(cosignature, size, root, self.origin, self.hub)]
        self.last_confirmed = size
        self.confirmations += 1

    def end(self, checkpoint: bytes, digest: Any, at: int) -> int:
        # 2., 4. and 6.
        need(digest == hashlib.sha256(self.data[:at]).digest(), "digest")
        need(not self.whole or not self.gone, "a body that is gone without a reason")
        need(self.tree.size == self.size, "number of entries")
        need(self.changes == {size - 2 for size, _ in self.keys[1:] if size - 2 < self.size}, "entries of changes")
        return check_checkpoint(checkpoint, self.size, self.tree.root(), self.origin, self.keys)


def verify_export(
    data: bytes, box: list[bytes], hub: bytes | None, archive: list[bytes] | None = None
) -> dict[str, Any]:
    """What an exported ledger proves; ``box``, ``hub`` and ``archive`` are the pinned keys as SubjectPublicKeyInfo."""
    try:
        return Export(data, box, hub, archive).verify()
    except RecursionError:
        refuse("too deep")
