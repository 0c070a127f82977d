"""Seals for the archive: which days of which tree they prove, and which fault is named."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import UntrustedError
from appliance.ledger.archive_keys import ArchiveSigningKey, ArchiveVerifyingKey
from appliance.ledger.checkpoint import cosign, open_signed_by, parse_sign1, sign1, sign_checkpoint
from appliance.ledger.day_seals import (
    DAY_MS,
    DaySeal,
    KeyNotIntroducedError,
    OtherArchiveKeyError,
    SealedTreeError,
    SealFormError,
    SealSignatureError,
    SealState,
    begin_of,
    date_of,
    day_of,
    is_sealing,
    key_content,
    number_of,
    read_key,
)
from appliance.ledger.encoding import encode
from appliance.ledger.entry import EPOCH_MS, Body, Entry, EntryType
from appliance.ledger.export import End, Header, Item
from appliance.ledger.export_check import verify_export
from appliance.ledger.keys import SignatureError, SigningKey
from appliance.ledger.merkle import Frontier, leaf_hash
from appliance.ledger.signers import Signers
from appliance.ledger.verify import Sealed, verify_ledger

ORIGIN, OTHER_ORIGIN = "madoguchi/1/B113299900018/box/1", "madoguchi/1/B113299900027/box/1"
BOX, ARCHIVE, OTHER = SigningKey.make(), ArchiveSigningKey.make(), ArchiveSigningKey.make()
FIRST = number_of(date(2026, 11, 24))
VISIT, SEAL, KEY = EntryType.GUARDIAN_AUTHENTICATED, EntryType.DAY_SEALED, EntryType.ARCHIVE_KEY_INTRODUCED
OPENED = EntryType.LEDGER_OPENED


@dataclass
class Book:
    """A ledger in memory that seals as it is told, rightly or not."""

    frontier: Frontier = field(default_factory=Frontier)
    entries: list[Sealed] = field(default_factory=list)
    roots: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.roots.append(self.frontier.root())
        self.add(OPENED, FIRST, {"origin": ORIGIN})

    def add(self, kind: EntryType, day: int, content: dict[str, Any] | bytes, hour: float = 12) -> None:
        size = self.frontier.size
        salt = size.to_bytes(16)
        body = Body(salt, content) if isinstance(content, bytes) else Body.of(content, salt)
        time_ms = begin_of(day) + int(hour * 3_600_000) - EPOCH_MS
        entry = Entry(kind.number, 1, time_ms, 0, size, 0, 0, (), body.commitment()).encode()
        self.entries.append(Sealed(entry, body))
        self.frontier.append(leaf_hash(entry))
        self.roots.append(self.frontier.root())

    def introduce(self, key: ArchiveVerifyingKey = ARCHIVE.public, day: int = FIRST) -> None:
        self.add(KEY, day, key_content(key))

    def cose(self, size: int, key: ArchiveSigningKey = ARCHIVE, origin: str = ORIGIN, root: int | None = None) -> bytes:
        return sign_checkpoint(origin, size, self.roots[size if root is None else root], 1_795_000_000, key)

    def seal(self, day: int, size: int, cose: bytes | None = None, at: int | None = None) -> None:
        """At ten past midnight of the next day, or at noon of another."""
        content = DaySeal(date_of(day), size, cose or self.cose(size)).content()
        self.add(SEAL, day + 1 if at is None else at, content, 1 / 6 if at is None else 12)

    @property
    def size(self) -> int:
        return self.frontier.size

    def checkpoint(self) -> bytes:
        return sign_checkpoint(ORIGIN, self.size, self.roots[-1], 1_795_000_000, BOX)

    def verified(self, items: Iterable[Sealed] | None = None) -> SealState:
        stored = [(one.entry, one.body) for one in items or self.entries]
        return verify_ledger(stored, self.checkpoint(), ORIGIN, BOX.public).seals

    def exported(
        self, archive: Sequence[ArchiveVerifyingKey] | None = None, *, bodies: bool, items: list[Sealed] | None = None
    ) -> SealState:
        header = Header(ORIGIN, self.size, True, bodies, Signers.of(BOX.public), None, 1)
        shown = [one if bodies or is_sealing(one.entry) else replace(one, body=None) for one in items or self.entries]
        whole: list[Item] = [header, *shown, End(self.checkpoint())]
        return verify_export(whole, [BOX.public], archive=archive).seals


@pytest.fixture
def book() -> Book:
    """Key, two records and the seal of the first day, three entries before the seal of the second."""
    book = Book()
    book.add(VISIT, FIRST, {})
    book.introduce()
    book.seal(FIRST, 3)
    book.add(VISIT, FIRST + 1, {}, 23.99)
    return book


def fault(book: Book) -> UntrustedError:
    """What both verifiers say is wrong, and that they say the same."""
    with pytest.raises(UntrustedError) as here:
        book.verified()
    for bodies in (True, False):
        with pytest.raises(type(here.value)) as there:
            book.exported(bodies=bodies)
        assert there.value.fields == here.value.fields
    return here.value


def test_a_day_is_one_of_japan() -> None:
    midnight = begin_of(FIRST)
    assert midnight == 1_795_446_000_000  # 2026-11-23T15:00:00Z
    assert (day_of(midnight - 1), day_of(midnight)) == (FIRST - 1, FIRST)
    assert date_of(FIRST) == date(2026, 11, 24)
    assert date_of(day_of(midnight + DAY_MS - 1)) == date(2026, 11, 24)


def test_a_ledger_without_seals_says_so() -> None:
    assert Book().verified() == SealState(None, None, 0, 0, ())
    assert Book().verified().size == 0


def test_what_is_sealed_reaches_to_the_end_of_its_day(book: Book) -> None:
    state = book.verified()
    assert (state.day, state.size, state.count, state.unread) == (date(2026, 11, 24), 3, 1, 0)
    assert [key.spki for key in state.keys] == [ARCHIVE.public.spki]
    book.seal(FIRST + 1, 5)
    state = book.verified()
    assert (state.day, state.size, state.count) == (date(2026, 11, 25), 5, 2)
    assert state.checkpoint is not None
    assert (state.checkpoint.root, state.checkpoint.signer, state.checkpoint.time_s) == (
        book.roots[5],
        ORIGIN,
        1_795_000_000,
    )
    for bodies in (True, False):
        for archive in (None, [OTHER.public, ARCHIVE.public]):
            same = book.exported(archive, bodies=bodies)
            assert (same.day, same.checkpoint, same.count) == (state.day, state.checkpoint, 2)


def test_days_without_a_seal_and_a_second_key_are_no_fault(book: Book) -> None:
    book.add(VISIT, FIRST + 4, {})
    book.introduce(OTHER.public, FIRST + 9)
    book.seal(FIRST + 4, 6, book.cose(6, OTHER), at=FIRST + 9)
    book.seal(FIRST + 9, 8, book.cose(8, OTHER))
    state = book.verified()
    assert (state.day, state.size, state.count) == (date_of(FIRST + 9), 8, 3)
    assert [key.key_id for key in state.keys] == [ARCHIVE.public.key_id, OTHER.public.key_id]


@pytest.mark.parametrize(("size", "day"), [(4, 1), (6, 1), (3, 1), (5, 2), (5, -1), (0, 1)])
def test_a_seal_of_another_tree_than_the_day_ended_with(book: Book, size: int, day: int) -> None:
    book.seal(FIRST + day, size, book.cose(size, root=min(size, 5)), at=FIRST + 3)
    error = fault(book)
    kind = SealFormError if day <= 0 else SealedTreeError
    assert (type(error), error.fields["date"], error.fields["index"]) == (
        kind,
        date_of(FIRST + day).isoformat(),
        5,
    )


def test_a_seal_before_its_day_is_over() -> None:
    book = Book()
    book.introduce()
    book.seal(FIRST, 2, at=FIRST)
    book.add(VISIT, FIRST, {})
    assert isinstance(fault(book), SealedTreeError)


def test_a_day_is_sealed_once(book: Book) -> None:
    book.seal(FIRST, 3, at=FIRST + 2)
    error = fault(book)
    assert (error.code, error.fields["reason"]) == ("archive.form", "order")


def test_a_key_that_was_never_introduced(book: Book) -> None:
    book.seal(FIRST + 1, 5, book.cose(5, OTHER))
    assert isinstance(fault(book), KeyNotIntroducedError)
    before = Book()
    before.seal(FIRST, 1)
    before.introduce(day=FIRST + 2)
    assert isinstance(fault(before), KeyNotIntroducedError)


def test_the_key_before_the_last_one_seals_no_more(book: Book) -> None:
    book.introduce(OTHER.public, FIRST + 2)
    book.seal(FIRST + 1, 5, at=FIRST + 2)
    assert isinstance(fault(book), KeyNotIntroducedError)


def test_a_key_that_is_not_pinned(book: Book) -> None:
    with pytest.raises(OtherArchiveKeyError) as caught:
        book.exported([OTHER.public], bodies=False)
    assert caught.value.fields == {"key_id": ARCHIVE.public.key_id.hex(), "index": 2}
    with pytest.raises(OtherArchiveKeyError):
        book.exported([], bodies=True)


def bent(book: Book) -> dict[str, tuple[bytes, type[UntrustedError]]]:
    """What was done to the right signature of the second day, and what is found."""
    cose = book.cose(5)
    protected, _, signature = parse_sign1(cose)
    opened = open_signed_by(cose, book.roots[5], ORIGIN, ARCHIVE.public)
    p256 = sign_checkpoint(ORIGIN, 5, book.roots[5], 1, BOX)
    return {
        "another root": (book.cose(5, root=4), SealSignatureError),
        "another signature": (sign1(protected, {}, signature[:-1] + bytes([signature[-1] ^ 1])), SealSignatureError),
        "a signature of P-256": (sign1(protected, {}, parse_sign1(p256)[2]), SealSignatureError),
        "another time": (sign1(protected.replace(b"\x1a\x6a", b"\x1a\x6b"), {}, signature), SealSignatureError),
        "another size in what is signed": (book.cose(4, root=5), SealedTreeError),
        "another ledger": (book.cose(5, origin=OTHER_ORIGIN), SealFormError),
        "a cosignature": (cosign(opened, "hub", 1, ARCHIVE), SealFormError),  # type: ignore[arg-type]
        "a checkpoint of the box": (p256, SealFormError),
        "no tag": (cose[1:], SealFormError),
        "an unprotected header": (sign1(protected, {4: b""}, signature), SealFormError),
        "cut": (cose[:-1], SealFormError),
        "nothing": (b"", SealFormError),
    }


BENT = (
    *("another root", "another signature", "a signature of P-256", "another time", "another size in what is signed"),
    *(
        "another ledger",
        "a cosignature",
        "a checkpoint of the box",
        "no tag",
        "an unprotected header",
        "cut",
        "nothing",
    ),
)


@pytest.mark.parametrize("name", BENT)
def test_a_signature_that_was_bent(book: Book, name: str) -> None:
    cases = bent(book)
    assert set(cases) == set(BENT)
    cose, kind = cases[name]
    content = DaySeal(date_of(FIRST + 1), 5, cose).content()
    book.add(SEAL, FIRST + 2, content)
    error = fault(book)
    assert (type(error), error.fields["index"], error.fields["date"]) == (kind, 5, "2026-11-25")


@pytest.mark.parametrize(
    "change",
    [
        {"date": "2026-11-31"},
        {"date": "20261125"},
        {"date": "2026-W48-3"},
        {"date": 20261125},
        {"size": "5"},
        {"size": True},
        {"size": -5},
        {"cose": None},
        {"more": 1},
    ],
)
def test_a_seal_of_another_form(book: Book, change: dict[str, Any]) -> None:
    book.add(SEAL, FIRST + 2, DaySeal(date_of(FIRST + 1), 5, book.cose(5)).content() | change)
    assert isinstance(fault(book), SealFormError)


@pytest.mark.parametrize("content", [b"", b"\xa0", b"\x80", b"\xff", encode({"date": "2026-11-25"})])
def test_a_content_that_is_no_seal_and_no_key(content: bytes) -> None:
    for kind in (SEAL, KEY):
        book = Book()
        book.add(kind, FIRST + 1, content)
        assert isinstance(fault(book), SealFormError)


@pytest.mark.parametrize(
    "change",
    [
        {"alg": -7},
        {"alg": "ML-DSA-65"},
        {"key_id": bytes(8)},
        {"key": BOX.public.spki},
        {"key": ARCHIVE.public.spki + b"\0"},
        {"more": 1},
    ],
)
def test_an_introduced_key_of_another_form(change: dict[str, Any]) -> None:
    book = Book()
    book.add(KEY, FIRST, key_content(ARCHIVE.public) | change)
    assert isinstance(fault(book), SealFormError)


def test_a_key_is_read_as_it_was_written() -> None:
    assert read_key(Body.of(key_content(ARCHIVE.public), bytes(16))).spki == ARCHIVE.public.spki
    assert key_content(ARCHIVE.public)["alg"] == -49


def without(book: Book, *gone: int) -> list[Sealed]:
    return [replace(one, body=None) if at in gone else one for at, one in enumerate(book.entries)]


def test_a_seal_whose_content_is_not_there_is_counted(book: Book) -> None:
    book.seal(FIRST + 1, 5)
    state = book.verified(without(book, 3))
    assert (state.day, state.count, state.unread) == (date(2026, 11, 25), 1, 1)
    state = book.verified(without(book, 2))
    assert (state.day, state.count, state.unread, state.keys) == (None, 0, 2, ())


@pytest.mark.parametrize("bodies", [True, False])
def test_an_export_has_the_content_of_every_seal_and_key(book: Book, bodies: bool) -> None:
    for gone in (2, 3):
        with pytest.raises(UntrustedError) as caught:
            book.exported(bodies=bodies, items=without(book, gone))
        assert (caught.value.code, caught.value.fields["index"]) == ("ledger.body_missing", gone)


def test_an_altered_entry_is_told_by_the_tree_and_not_by_a_seal(book: Book) -> None:
    entry = Entry.decode(book.entries[1].entry)
    altered = [*book.entries]
    altered[1] = Sealed(replace(entry, monotonic_ms=99).encode(), book.entries[1].body)
    with pytest.raises(SignatureError):
        book.verified(altered)


def test_whoever_can_forge_the_signatures_of_the_box_still_cannot_seal(book: Book) -> None:
    """P-256 is broken: an earlier record is exchanged and everything after it signed anew, but for the seal."""
    forged = Book()
    forged.add(VISIT, FIRST, {"forged": True})
    for one, day in zip(book.entries[2:], (FIRST, FIRST + 1, FIRST + 1), strict=True):
        assert one.body is not None
        forged.add(next(kind for kind in EntryType if kind.number == Entry.decode(one.entry).type), day,
                   one.body.content, 12 if day == FIRST else 23)  # fmt: skip
    assert isinstance(fault(forged), SealSignatureError)


@given(st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=40), st.data())
def test_days_in_any_rhythm(steps: list[tuple[int, bool]], data: st.DataObject) -> None:
    """A ledger of days with gaps; each day that is over may be sealed, some time later, in the order of the days."""
    book = Book()
    book.introduce()
    ends, day, sealed = {FIRST: book.size}, FIRST, FIRST - 1
    last: tuple[int, int] | None = None
    count = 0
    for gap, wants in steps:
        day += gap
        waiting = [one for one in ends if sealed < one < day]
        if wants and waiting:
            sealed = data.draw(st.sampled_from(waiting))
            book.seal(sealed, ends[sealed], at=day)
            last, count = (sealed, ends[sealed]), count + 1
        else:
            book.add(VISIT, day, {})
        ends[day] = book.size
    state = book.verified()
    assert (None if state.day is None else (number_of(state.day), state.size)) == last
    assert state.count == count
    assert book.exported(bodies=False).size == state.size


@given(st.data())
def test_any_flipped_bit_of_a_seal_is_found(data: st.DataObject) -> None:
    book = Book()
    book.introduce()
    right = DaySeal(date_of(FIRST), 2, book.cose(2)).content()
    content = bytearray(encode(right))
    at = data.draw(st.integers(0, 8 * len(content) - 1))
    content[at >> 3] ^= 1 << (at & 7)
    book.add(SEAL, FIRST + 1, bytes(content))
    assert fault(book).code.startswith("archive.")
