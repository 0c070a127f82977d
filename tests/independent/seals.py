"""Seals for the archive, section 12 of docs/ledger.md."""

from datetime import date
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey

from tests.independent.cbor import is_number, need, read, refuse
from tests.independent.signatures import key_id, read_claims, signed_bytes, split_cose
from tests.independent.tree import Tree

ARCHIVE_START = bytes.fromhex("308207b2300b0609608648016503040312038207a100")


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
