"""The archive's seals: for each day a second signature of the tree as it was at the end of that day (docs/ledger.md).

An entry ``archive_key.introduced`` says with which key; entries ``day.sealed`` hold the signatures, each a checkpoint
as the box signs it all day long, but with ML-DSA-65. A day is one of Japan's calendar, which knows no summer time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from appliance.errors import UntrustedError
from appliance.ledger.archive_keys import ML_DSA_65_ALG, ArchiveKeyFormError, ArchiveVerifyingKey
from appliance.ledger.checkpoint import Checkpoint, CheckpointError, open_signed_by
from appliance.ledger.encoding import EncodingError, unsigned
from appliance.ledger.entry import EPOCH_MS, NINE_PARTS, Body, EntryFormError, EntryType
from appliance.ledger.keys import SignatureError
from appliance.ledger.merkle import Frontier

DAY_MS = 86_400_000
JAPAN_MS = 9 * 3_600_000
"""By so much Japan is ahead of UTC, at all times since 1952."""
FIRST_DAY = date(1970, 1, 1)
SEALING = frozenset({EntryType.DAY_SEALED.number, EntryType.ARCHIVE_KEY_INTRODUCED.number})
"""Types whose body is for everybody: nothing in it is personal, and without it no seal can be verified."""
PREFIXES = tuple(NINE_PARTS + unsigned(number) for number in sorted(SEALING))


class SealFormError(UntrustedError):
    """A seal or an introduced key that is not of its form, or a seal that is not of a later day than the one before."""

    code = "archive.form"


class SealedTreeError(UntrustedError):
    """A seal of another tree than the ledger had at the end of that day."""

    code = "archive.tree"


class KeyNotIntroducedError(UntrustedError):
    """A seal under another key than the one that the ledger introduced last."""

    code = "archive.not_introduced"


class SealSignatureError(UntrustedError):
    """A seal whose signature the introduced key did not make over this tree."""

    code = "archive.signature"


class OtherArchiveKeyError(UntrustedError):
    """The ledger introduced a key that is none of the pinned ones."""

    code = "archive.other_key"


@dataclass(frozen=True, slots=True)
class DaySeal:
    """The content of ``day.sealed``: the tree of the first ``size`` entries, all that were recorded up to the end of
    the day, signed by ``cose``."""

    day: date
    size: int
    cose: bytes

    def content(self) -> dict[str, Any]:
        return {"date": self.day.isoformat(), "size": self.size, "cose": self.cose}

    @classmethod
    def read(cls, body: Body) -> "DaySeal":
        """Raises ``SealFormError``."""
        match _map(body):
            case {"date": str(text), "size": int(size), "cose": bytes(cose), **others} if not others:
                try:
                    day = date.fromisoformat(text)
                except ValueError:
                    raise SealFormError(reason="date") from None
                if day.isoformat() == text and type(size) is int and size >= 0:
                    return cls(day, size, cose)
        raise SealFormError(reason="seal")


@dataclass(frozen=True, slots=True)
class SealState:
    """What the seals of a ledger prove. All entries before ``size`` were recorded up to the end of ``day`` and are
    sealed, ``checkpoint`` is the last seal, opened; all None and 0 without a seal. ``count`` seals verified, ``unread``
    could not be looked at because a body is not there; ``keys`` are those that were introduced, in their order."""

    day: date | None
    checkpoint: Checkpoint | None
    count: int
    unread: int
    keys: tuple[ArchiveVerifyingKey, ...]

    @property
    def size(self) -> int:
        return 0 if self.checkpoint is None else self.checkpoint.size


def key_content(key: ArchiveVerifyingKey) -> dict[str, Any]:
    """The content of ``archive_key.introduced``."""
    return {"alg": key.alg, "key_id": key.key_id, "key": key.spki}


def read_key(body: Body) -> ArchiveVerifyingKey:
    """The key that an entry introduces; raises ``SealFormError``."""
    match _map(body):
        case {"alg": int(alg), "key_id": bytes(key_id), "key": bytes(spki), **others} if not others:
            try:
                key = ArchiveVerifyingKey.from_spki(spki)
            except ArchiveKeyFormError:
                raise SealFormError(reason="key") from None
            if alg == ML_DSA_65_ALG and key.key_id == key_id:
                return key
    raise SealFormError(reason="key")


def day_of(wall_ms: int) -> int:
    """The day in Japan at this time in milliseconds since 1970, counted from 1970-01-01."""
    return (wall_ms + JAPAN_MS) // DAY_MS


def begin_of(day: int) -> int:
    """When a day begins in Japan, in milliseconds since 1970."""
    return day * DAY_MS - JAPAN_MS


def date_of(day: int) -> date:
    return FIRST_DAY + timedelta(days=day)


def number_of(day: date) -> int:
    """The same, the other way round."""
    return (day - FIRST_DAY).days


def is_sealing(entry: bytes) -> bool:
    """Whether these bytes are an entry of the types in ``SEALING``, found out without decoding them."""
    return entry.startswith(PREFIXES)


class Seals:
    """Verifies the seals on one way through a ledger. Before each entry is appended to the tree, ``begin_day`` is
    called if its time is not before ``over_ms``, and ``take`` if its type is in ``SEALING``.

    1. What an introducing entry holds is an ML-DSA-65 key; one of the pinned keys, if there are any.
    2. A seal is of a day that is over when its entry is recorded, and later than the day sealed before.
    3. Its size is that of the ledger at the end of the day: no entry of the day is missing, none of the next is in it.
    4. Its signer is the ledger, its key the one introduced last, and the signature covers the root at this size.

    Does not stop at a fault, because the tree tells more about an altered entry: ``finish`` raises the first one.
    Keeps the root at the end of each day until a seal covers it.
    """

    def __init__(self, origin: str, pinned: Sequence[ArchiveVerifyingKey] | None = None) -> None:
        self._origin, self._pinned = origin, None if pinned is None else {key.spki for key in pinned}
        self.over_ms = 0
        self._day = self._sealed_day = -1
        self._ends: dict[int, tuple[int, bytes]] = {}
        self._key: ArchiveVerifyingKey | None = None
        self._keys: list[ArchiveVerifyingKey] = []
        self._last: tuple[date, Checkpoint] | None = None
        self._fault: UntrustedError | None = None
        self._count = self._unread = 0
        self._key_unread = False

    def begin_day(self, time_ms: int, frontier: Frontier) -> None:
        """An entry of this ledger time follows the tree of ``frontier``, the first one of its day."""
        if frontier.size:
            self._ends[self._day] = (frontier.size, frontier.root())
        self._day = day_of(time_ms + EPOCH_MS)
        self.over_ms = begin_of(self._day + 1) - EPOCH_MS

    def take(self, kind: int, index: int, body: Body | None) -> None:
        """An entry of ``SEALING`` at this index; its body fits its commitment, or is not there."""
        try:
            if kind == EntryType.ARCHIVE_KEY_INTRODUCED.number:
                self._introduce(body)
            elif body is None or self._key_unread:
                self._unread += 1
            else:
                self._check(DaySeal.read(body))
        except UntrustedError as error:
            error.fields["index"] = index
            self._fault = self._fault or error

    def finish(self) -> SealState:
        """After the last entry, and after the tree was found to be the signed one."""
        if self._fault is not None:
            raise self._fault
        day, checkpoint = self._last or (None, None)
        return SealState(day, checkpoint, self._count, self._unread, tuple(self._keys))

    def _introduce(self, body: Body | None) -> None:
        """Step 1."""
        self._key, self._key_unread = None, body is None
        if body is None:
            return
        key = read_key(body)
        if self._pinned is not None and key.spki not in self._pinned:
            raise OtherArchiveKeyError(key_id=key.key_id.hex())
        self._key = key
        self._keys.append(key)

    def _check(self, seal: DaySeal) -> None:
        day, text = number_of(seal.day), seal.day.isoformat()
        # 2.
        if day <= self._sealed_day:
            raise SealFormError(reason="order", date=text)
        # 3.
        size, root = self._ends.get(day, (0, b""))
        if not size or size != seal.size:
            raise SealedTreeError(date=text, size=seal.size)
        # 4.
        if self._key is None:
            raise KeyNotIntroducedError(date=text)
        try:
            opened = open_signed_by(seal.cose, root, self._origin, self._key)
        except SignatureError as error:
            if error.fields.get("reason") == "other key":
                raise KeyNotIntroducedError(date=text) from error
            raise SealSignatureError(date=text) from error
        except CheckpointError as error:
            raise SealFormError(reason="signature", date=text) from error
        if opened.size != size:
            raise SealedTreeError(date=text, size=opened.size)
        self._last, self._sealed_day, self._count = (seal.day, opened), day, self._count + 1
        self._ends = {one: end for one, end in self._ends.items() if one > day}


def _map(body: Body) -> dict[str, Any]:
    try:
        return body.read()
    except (EncodingError, EntryFormError) as error:
        raise SealFormError(reason="content") from error
