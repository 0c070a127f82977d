"""A second verifier of receipts and exported ledgers, written from docs/ledger.md alone.

This package shares no line with the product: the standard library, and ``cryptography`` for the arithmetic of ECDSA
and ML-DSA only. The numbers in the comments are the steps of that document.
"""

import hashlib
from itertools import pairwise
from typing import Any

from tests.independent.cbor import is_number, need, read, read_item, refuse
from tests.independent.seals import Seals
from tests.independent.signatures import (
    Keys,
    check_checkpoint,
    check_checkpoint_parts,
    check_cosignature,
    check_succession,
    key_id,
    read_claims,
    read_key,
    read_keys,
    split_cose,
)
from tests.independent.tree import Order, Tree, inclusion_root, leaf_hash, read_entry

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
LONGEST_ITEM = 1 << 24
NAMES = {"origin", "size", "whole", "bodies", "keys", "hub", "time"}


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
    changes = {size - 2 for size, _ in box[1:]} if isinstance(box, list) else set()
    need((fields[0] == 8) == (index in changes), "a change of the key where the keys have one")
    # 5.
    confirmed = None
    if cosigned is not None and hub is not None:
        confirmed = list(check_cosignature(cosigned, size, root, origin, hub))
    return {"index": index, "size": size, "type": fields[0], "signed": signed, "confirmed": confirmed}


# Later ledgers


def is_earlier(origin: str, writer: str) -> bool:
    """Section 4: the same name but for a smaller generation."""
    parts = [one.rpartition("/") for one in (origin, writer)]
    numbers = [number for _, _, number in parts]
    if parts[0][0] != parts[1][0] or not parts[0][0]:
        return False
    if not all(1 <= len(one) <= 9 and one.isascii() and one.isdigit() and one[0] != "0" for one in numbers):
        return False
    return int(numbers[0]) < int(numbers[1])


def named_issuer(receipt: bytes) -> str:
    """The ledger that a receipt names."""
    parts = read(receipt)
    need(type(parts) is list and len(parts) == 2 and type(parts[1]) is bytes, "receipt")
    _, claims = read_claims(split_cose(parts[1])[0])
    return str(claims[1])


def read_erasure(receipt: bytes, body: Any, origin: str, later: dict[str, Keys]) -> list[int]:
    """Which bodies of this ledger a later one says were erased."""
    need(type(body) is list and len(body) == 2, "body")
    need(all(type(one) is bytes for one in body) and len(body[0]) == 16, "salt")
    writer = named_issuer(receipt)
    need(writer in later, "a later ledger that the header names")
    verify_receipt(receipt, writer, later[writer], None)
    entry = read_entry(read(receipt)[0])
    need(entry[0] == 9 and entry[1] == 1, "type 9")
    need(hashlib.sha256(body[0] + body[1]).digest() == entry[8], "commitment")
    named, indices = read_told(body[1], writer)
    need(named == origin, "erased in this ledger")
    return indices


def read_told(data: bytes, writer: str) -> tuple[str, list[int]]:
    """Section 4: the content of an entry of type 9, its ledger and indices."""
    content = read(data)
    need(type(content) is dict and set(content) == {"origin", "indices", "rule"}, "content of type 9")
    indices = content["indices"]
    need(type(content["rule"]) is str and type(content["origin"]) is str, "content of type 9")
    need(is_earlier(content["origin"], writer), "an earlier ledger of the writer")
    need(type(indices) is list and 0 < len(indices) <= 256 and all(map(is_number, indices)), "indices")
    need(all(one < other for one, other in pairwise(indices)), "indices in order")
    return content["origin"], list(indices)


# Exported ledgers


class Export:
    """The steps of an exported ledger, item by item."""

    def __init__(self, data: bytes, box: list[bytes], hubs: list[bytes], archive: list[bytes] | None) -> None:
        self.data, self.box, self.hubs, self.archive = data, box, hubs, archive
        self.tree, self.order, self.gone, self.changes = Tree(), Order(), set[int](), set[int]()
        self.confirmations, self.last_confirmed = 0, 0
        self.confirmed: list[Any] | None = None
        self.later: dict[str, Keys] = {}
        self.told = False

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
                elif item[0] == 3:
                    # 4.
                    indices = read_erasure(item[1], item[2], self.origin, self.later)
                    self.order.erased(indices)
                    self.gone.difference_update(indices)
                    self.told = True
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
        need(type(fields) is dict and NAMES <= set(fields) <= NAMES | {"later"}, "fields")
        self.origin, self.size = fields["origin"], fields["size"]
        self.whole, self.bodies, hub = fields["whole"], fields["bodies"], fields["hub"]
        need(type(self.origin) is str and is_number(fields["time"]), "fields")
        need(is_number(self.size) and self.size > 0, "fields")
        need(type(self.whole) is bool and type(self.bodies) is bool, "fields")
        self.keys = read_keys(fields["keys"], self.origin)
        need(self.keys[0][1] in self.box, "pinned key")
        if "later" in fields:
            self.later_ledgers(fields["later"])
        if hub is not None:
            need(type(hub) is list and len(hub) == 2 and type(hub[0]) is str and type(hub[1]) is bytes, "hub")
            read_key(hub[1])
        self.seals = Seals(self.origin, self.archive)

    def later_ledgers(self, listed: Any) -> None:
        # 1.
        need(type(listed) is list and bool(listed), "later ledgers")
        before = self.origin
        for one in listed:
            need(type(one) is list and len(one) == 2 and type(one[0]) is str, "later ledgers")
            need(is_earlier(before, one[0]), "later ledgers in order")
            keys = read_keys(one[1], one[0])
            need(keys[0][1] in self.box, "pinned key of a later ledger")
            self.later[one[0]], before = keys, one[0]

    def entry(self, entry: bytes, body: Any) -> None:
        need(not self.told, "place of an entry")
        index = self.tree.size
        # 3.
        parts = read_entry(entry)
        self.order.take(parts, index)
        # 4.
        if body is not None:
            need((self.bodies or parts[0] in (6, 7)) and type(body) is list and len(body) == 2, "body")
            need(all(type(one) is bytes for one in body) and len(body[0]) == 16, "salt")
            need(hashlib.sha256(body[0] + body[1]).digest() == parts[8], "commitment")
            if parts[0] == 9:
                read_told(body[1], self.origin)
        elif self.bodies or parts[0] in (6, 7):
            self.gone.add(index)
        if parts[0] == 4:
            self.gone.difference_update(parts[7])
        # 7.
        self.seals.before(parts, self.tree)
        if parts[0] in (6, 7):
            self.seals.take(parts[0], None if body is None else body[1])
        # 6.
        if parts[0] == 8:
            self.changes.add(index)
            if body is not None:
                self.change(index, body[1])
        self.tree.append(leaf_hash(entry))

    def change(self, index: int, data: bytes) -> None:
        # 6.
        at = next((at for at, (size, _) in enumerate(self.keys) if at and size - 2 == index), 0)
        need(at > 0, "a change of the key where the keys have one")
        (_, before), (size, after) = self.keys[at - 1], self.keys[at]
        content = read(data)
        need(type(content) is dict and set(content) == {"previous", "key_id", "succession"}, "content of type 8")
        need(content["previous"] == key_id(before) and content["key_id"] == key_id(after), "keys of a change")
        need(type(content["succession"]) is bytes, "content of type 8")
        check_succession(content["succession"], self.origin, size, before, after)

    def confirmation(self, checkpoint: bytes, cosignature: Any) -> None:
        # 5.
        need(not self.told, "place of a confirmation")
        size, root = self.tree.size, self.tree.root()
        need(type(cosignature) is bytes and size > self.last_confirmed, "place of a confirmation")
        check_checkpoint(checkpoint, size, root, self.origin, self.keys)
        if self.hubs:
            named = read_claims(split_cose(cosignature)[0])[0]
            hub = [one for one in self.hubs if key_id(one) == named]
            need(bool(hub), "key of a hub")
            self.confirmed = [size, *check_cosignature(cosignature, size, root, self.origin, hub[0])]
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
    data: bytes, box: list[bytes], hubs: list[bytes], archive: list[bytes] | None = None
) -> dict[str, Any]:
    """What an exported ledger proves; ``box``, ``hubs`` and ``archive`` are the pinned keys as SubjectPublicKeyInfo."""
    try:
        return Export(data, box, hubs, archive).verify()
    except RecursionError:
        refuse("too deep")
