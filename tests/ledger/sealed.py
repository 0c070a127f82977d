"""A small ledger whose days are sealed for the archive, from fixed keys, salts and times, for vectors and example.

Days: the 4th of May 2026 has one record, the 5th key, seal and a record, the 7th another; each is sealed at ten past
midnight of the next. A record at half past eight in the morning of Japan is of the day before by UTC.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from appliance.ledger.archive_keys import ArchiveSigningKey
from appliance.ledger.checkpoint import parse_sign1, sign1, sign_checkpoint
from appliance.ledger.day_seals import SEALING, DaySeal, begin_of, date_of, key_content, number_of
from appliance.ledger.encoding import decode, encode
from appliance.ledger.entry import EPOCH_MS, Body, Entry, EntryType
from appliance.ledger.export import End, Header, Item, write_export
from appliance.ledger.keys import Signer
from appliance.ledger.merkle import Frontier, leaf_hash
from appliance.ledger.signers import Signers
from appliance.ledger.verify import Sealed
from tests.ledger import material as m
from tests.ledger.ml_dsa import signed


class RepeatableArchiveKey(ArchiveSigningKey):
    """Signs the same bytes with the same signature: the deterministic variant of FIPS 204."""

    def __init__(self, whose: str) -> None:
        self.own_seed = hashlib.sha256(f"madoguchi test archive key: {whose}".encode()).digest()
        super().__init__(ArchiveSigningKey.from_seed(self.own_seed)._key)

    def sign(self, message: bytes) -> bytes:
        return signed(self.own_seed, message)


ARCHIVE, OTHER = RepeatableArchiveKey("box"), RepeatableArchiveKey("other")
KEYS = {"archive": ARCHIVE, "other": OTHER}
DAYS = tuple(number_of(date(2026, 5, day)) for day in (4, 5, 7))
VISIT, SEAL, KEY = EntryType.GUARDIAN_AUTHENTICATED, EntryType.DAY_SEALED, EntryType.ARCHIVE_KEY_INTRODUCED
MORNING_MS, NIGHT_MS = 30_600_000, 600_000
Content = dict[str, Any] | bytes


@dataclass(frozen=True)
class Line:
    """An entry to be written: its type, day, time of that day, and content, the encoded one for bytes."""

    type: EntryType
    day: int
    day_ms: int
    content: Content


class Written:
    """A ledger from lines; a content may be made from the ledger so far."""

    def __init__(self) -> None:
        self.items: list[Sealed] = []
        self.frontier = Frontier()
        self.roots = [self.frontier.root()]

    def add(self, line: Line) -> None:
        index = self.frontier.size
        salt = bytes([index]) * 16
        body = Body(salt, line.content) if isinstance(line.content, bytes) else Body.of(line.content, salt)
        time_ms = begin_of(line.day) + line.day_ms - EPOCH_MS
        entry = Entry(line.type.number, 1, time_ms, 0, 1_000 * (index + 1), 0, 0, (), body.commitment()).encode()
        self.items.append(Sealed(entry, body))
        self.frontier.append(leaf_hash(entry))
        self.roots.append(self.frontier.root())

    def seal(self, day: int, size: int, key: Signer = ARCHIVE, *, origin: str = m.ORIGIN, root: int = -1) -> bytes:
        """The signature of a day, made at ten past midnight of the next."""
        time_s = (begin_of(day + 1) + NIGHT_MS) // 1000
        return sign_checkpoint(origin, size, self.roots[size if root < 0 else root], time_s, key)

    def sealed(self, day: int, size: int, cose: bytes | None = None, late: int = 1) -> "Written":
        content = DaySeal(date_of(day), size, cose or self.seal(day, size)).content()
        self.add(Line(SEAL, day + late, NIGHT_MS, content))
        return self

    def introduced(self, content: Content | None = None, day: int = DAYS[1]) -> "Written":
        self.add(Line(KEY, day, NIGHT_MS, key_content(ARCHIVE.public) if content is None else content))
        return self

    def visited(self, day: int, day_ms: int = MORNING_MS) -> "Written":
        self.add(Line(VISIT, day, day_ms, {"purpose": "visit"}))
        return self

    def export(self, size: int | None = None, *, bodies: bool = True, gone: Sequence[int] = ()) -> bytes:
        """An export of the first entries; the bodies at ``gone`` are missing."""
        items, whole = self.items[:size], size is None
        header = Header(m.ORIGIN, len(items), whole, bodies, Signers.of(m.BOX.public), None, 1_790_000_000)
        shown: list[Item] = [header]
        for at, one in enumerate(items):
            there = at not in gone and (bodies or Entry.decode(one.entry).type in SEALING)
            shown.append(Sealed(one.entry, one.body if there else None))
        end = sign_checkpoint(m.ORIGIN, len(items), self.roots[len(items)], 1_790_000_000, m.BOX)
        return b"".join(write_export([*shown, End(end)]))


def begun() -> Written:
    """The opening entry, on the first of the days."""
    written = Written()
    written.add(Line(EntryType.LEDGER_OPENED, DAYS[0], MORNING_MS, {"origin": m.ORIGIN}))
    return written


@cache
def whole() -> Written:
    """Opened; key, seal of the first day, visit; seal of the second; visit on the third; its seal."""
    one, two, three = DAYS
    return begun().introduced().sealed(one, 1).visited(two).sealed(two, 4).visited(three).sealed(three, 6)


def second_day() -> Written:
    """A ledger up to the end of the second day, without its seal."""
    return begun().introduced().sealed(DAYS[0], 1).visited(DAYS[1])


def bad() -> list[tuple[str, bytes]]:
    """Exports with one thing wrong, and what it is."""
    one, two, three = DAYS
    good, content = second_day().seal(two, 4), key_content(ARCHIVE.public)
    protected, _, signature = parse_sign1(good)
    header = decode(protected)
    p256 = parse_sign1(second_day().seal(two, 4, m.BOX))[2]

    def under(cose: bytes) -> bytes:
        return second_day().sealed(two, 4, cose).export()

    def written(content: Content) -> bytes:
        made = second_day()
        made.add(Line(SEAL, two + 1, NIGHT_MS, content))
        return made.export()

    def keyed(content: Content) -> bytes:
        return begun().introduced(content).export()

    whole_content = {"date": "2026-05-05", "size": 4, "cose": good}
    switched = second_day().introduced(key_content(OTHER.public), two + 1).sealed(two, 4, good)
    return [
        ("a seal of another root", under(second_day().seal(two, 4, root=3))),
        ("a seal with a flipped bit in its signature", under(good[:-1] + bytes([good[-1] ^ 1]))),
        ("a seal with a signature of P-256", under(sign1(protected, {}, p256))),
        ("a checkpoint of the box as a seal", under(second_day().seal(two, 4, m.BOX))),
        ("a seal of another size in what is signed", under(second_day().seal(two, 3, root=4))),
        ("a seal of another ledger", under(second_day().seal(two, 4, origin=m.OTHER_ORIGIN))),
        ("a seal by another key", under(second_day().seal(two, 4, OTHER))),
        ("a seal by the key before the last one", switched.export()),
        ("a seal with a claim of a cosignature", under(sign1(_claimed(header, 2, m.ORIGIN), {}, signature))),
        ("a seal with another time than was signed", under(sign1(_claimed(header, 6, 0), {}, signature))),
        ("a seal with something in the unprotected header", under(sign1(protected, {4: b""}, signature))),
        ("a seal of another algorithm", under(sign1(encode(header | {1: -50}), {}, signature))),
        ("a seal without its tag", under(good[1:])),
        ("a seal with its last byte missing", under(good[:-1])),
        ("a seal before any key", begun().sealed(one, 1).export()),
        ("a seal one entry too short", second_day().sealed(two, 3).export()),
        ("a seal one entry too long", second_day().visited(three).sealed(two, 5, late=3).export()),
        ("a seal of a day without an entry", second_day().sealed(two + 1, 4).export()),
        ("a seal of a day that is not over", begun().introduced().sealed(two, 2, late=0).export()),
        ("a day sealed twice", second_day().sealed(one, 1, late=2).export()),
        ("a date without hyphens", written(whole_content | {"date": "20260505"})),
        ("a date that no calendar has", written(whole_content | {"date": "2026-05-35"})),
        ("a size that is a text", written(whole_content | {"size": "4"})),
        ("another key in the content of a seal", written(whole_content | {"more": 0})),
        ("no signature in a seal", written({"date": "2026-05-05", "size": 4})),
        ("a seal that is no map", written(encode([]))),
        ("a seal that is not deterministic CBOR", written(b"\xbf\xff")),
        ("an introduced key of another algorithm", keyed(content | {"alg": -7})),
        ("an introduced key under another id", keyed(content | {"key_id": bytes(8)})),
        ("an introduced key of P-256", keyed(content | {"key": m.BOX.public.spki, "key_id": m.BOX.public.key_id})),
        ("an introduced key that is cut", keyed(content | {"key": ARCHIVE.public.spki[:-1]})),
        ("another key in the content of an introduced key", keyed(content | {"more": 0})),
        ("an introduced key without its content", whole().export(gone=[1], bodies=False)),
        ("a seal without its content", whole().export(gone=[4], bodies=False)),
    ]


def _claimed(header: dict[int, Any], label: int, value: object) -> bytes:
    return encode(header | {15: header[15] | {label: value}})
