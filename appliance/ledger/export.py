"""The exported ledger: one file with everything that somebody without the box needs to verify it (docs/ledger.md).

A CBOR sequence (RFC 8742) of deterministic items: a header, each entry in order, the hub's confirmations each right
after the last entry that it covers, what later ledgers of the box say was erased in this one, and at the end the
checkpoint with the SHA-256 of all bytes before. So a reader needs the right edge of the tree and one item at a time,
however long the ledger is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, pairwise
from typing import Any

from appliance.errors import UntrustedError
from appliance.ledger.encoding import decode, encode, item_end
from appliance.ledger.entry import SALT_BYTES, Body
from appliance.ledger.erasure import is_earlier
from appliance.ledger.keys import KeyFormError, VerifyingKey
from appliance.ledger.signers import KeyHistoryError, Signers, SigningPeriod
from appliance.ledger.verify import Sealed

FORMAT, VERSION = "madoguchi-ledger", 1
ENTRY, CONFIRMATION, END, ERASED_LATER = 0, 1, 2, 3
BEGINNING = b"\x83" + encode(FORMAT)
"""The first bytes of every exported ledger, of whatever version."""
MOST_ITEM_BYTES = 16 << 20


class ExportFormError(UntrustedError):
    """Bytes that are no exported ledger, or an item that does not belong where it stands."""

    code = "export.form"


class ExportVersionError(UntrustedError):
    """An exported ledger of a version that this program does not know."""

    code = "export.version"


class ExportCutError(UntrustedError):
    """The end is missing: the file was cut off, or not written to its end."""

    code = "export.cut"


class ExportAlteredError(UntrustedError):
    """The bytes are not those that were written."""

    code = "export.altered"


@dataclass(frozen=True, slots=True)
class HubKey:
    """The hub at which the box was enrolled when it exported."""

    name: str
    key: VerifyingKey


@dataclass(frozen=True, slots=True)
class LaterLedger:
    """A later generation of the box's ledger, and the keys that sign it."""

    origin: str
    signers: Signers


@dataclass(frozen=True, slots=True)
class Header:
    """``size`` entries follow; ``time_s`` is the time of export in seconds since 1970. ``whole``: these were all
    entries then. ``bodies``: those bodies come along that were not erased. ``later`` are those later generations, the
    earlier one first, that say what was erased in this one."""

    origin: str
    size: int
    whole: bool
    bodies: bool
    signers: Signers
    hub: HubKey | None
    time_s: int
    later: tuple[LaterLedger, ...] = ()


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A checkpoint of the entries so far, and the hub's cosignature of the same tree."""

    checkpoint: bytes
    cosignature: bytes


@dataclass(frozen=True, slots=True)
class ErasedLater:
    """An entry ``earlier_body.erased`` of a later ledger: its receipt there, and its body."""

    receipt: bytes
    body: Body


@dataclass(frozen=True, slots=True)
class End:
    """The checkpoint of all entries of the file."""

    checkpoint: bytes


Item = Header | Sealed | Confirmed | ErasedLater | End


def write_export(items: Iterable[Item]) -> Iterator[bytes]:
    """The bytes of each item; the caller gives them in the order that ``read_export`` wants."""
    written = sha256()
    for item in items:
        data = encode(_parts(item, written.digest()))
        if len(data) > MOST_ITEM_BYTES:
            raise ExportFormError(reason="an item is too long")
        written.update(data)
        yield data


def read_export(chunks: Iterable[bytes]) -> Iterator[Item]:
    """The items of a file that comes in pieces, one header at the beginning and one end at the end.

    Raises ``ExportFormError``, ``ExportVersionError``, ``ExportCutError``, ``ExportAlteredError`` or ``EncodingError``.
    What the items say is believed only after ``verify_export``.
    """
    read, end = sha256(), False
    for number, data in enumerate(_encoded(chunks)):
        if end:
            raise ExportFormError(reason="something follows the end")
        parts = decode(data)
        if number == 0:
            yield _header(parts)
        else:
            item = _item(parts, read.digest())
            end = isinstance(item, End)
            yield item
        read.update(data)
    if not end:
        raise ExportCutError()


def _encoded(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Cuts a sequence into its items, holding little more than one of them at a time."""
    held, wanted, begun = bytearray(), 1, False
    for chunk in chain(chunks, (b"",)):
        held += chunk
        if not begun and not held.startswith(BEGINNING[: len(held)]):
            raise ExportFormError(reason="not an exported ledger")
        if chunk and len(held) < wanted:
            continue
        start = 0
        while (end := item_end(held, start)) is not None:
            if end - start > MOST_ITEM_BYTES:
                raise ExportFormError(reason="an item is too long")
            yield bytes(held[start:end])
            start, begun = end, True
        del held[:start]
        if len(held) > MOST_ITEM_BYTES:
            raise ExportFormError(reason="an item is too long")
        wanted = 2 * len(held)  # what is not complete is looked at again when twice as much of it is there
    if held:
        raise ExportCutError()


def _parts(item: Item, digest: bytes) -> list[Any]:
    match item:
        case Sealed(entry, body):
            return [ENTRY, entry, None if body is None else [body.salt, body.content]]
        case Confirmed(checkpoint, cosignature):
            return [CONFIRMATION, checkpoint, cosignature]
        case ErasedLater(receipt, body):
            return [ERASED_LATER, receipt, [body.salt, body.content]]
        case End(checkpoint):
            return [END, checkpoint, digest]
        case Header():
            fields: dict[str, Any] = {
                "origin": item.origin,
                "size": item.size,
                "whole": item.whole,
                "bodies": item.bodies,
                "keys": _keys(item.signers),
                "hub": None if item.hub is None else [item.hub.name, item.hub.key.spki],
                "time": item.time_s,
            }
            if item.later:
                fields["later"] = [[one.origin, _keys(one.signers)] for one in item.later]
            return [FORMAT, VERSION, fields]


def _header(parts: object) -> Header:
    match parts:
        case [str(name), int(version), fields] if name == FORMAT and type(version) is int:
            if version != VERSION:
                raise ExportVersionError(version=version)
        case _:
            raise ExportFormError(reason="not an exported ledger")
    match fields:
        case {
            "origin": str(origin),
            "size": int(size),
            "whole": bool(whole),
            "bodies": bool(bodies),
            "keys": list(keys),
            "hub": hub,
            "time": int(time_s),
            **others,
        } if set(others) <= {"later"} and _is_number(size) and size > 0 and _is_number(time_s):
            later = _later(others["later"], origin) if others else ()
            return Header(origin, size, whole, bodies, _signers(keys), _hub(hub), time_s, later)
    raise ExportFormError(reason="header")


def _later(listed: object, origin: str) -> tuple[LaterLedger, ...]:
    ledgers = []
    for one in listed if isinstance(listed, list) else []:
        match one:
            case [str(name), list(keys)]:
                ledgers.append(LaterLedger(name, _signers(keys)))
            case _:
                raise ExportFormError(reason="later ledgers")
    names = [origin, *(one.origin for one in ledgers)]
    if not ledgers or not all(is_earlier(one, other) for one, other in pairwise(names)):
        raise ExportFormError(reason="later ledgers")
    return tuple(ledgers)


def _keys(signers: Signers) -> list[Any]:
    return [_written(period) for period in signers.periods]


def _written(period: SigningPeriod) -> list[Any]:
    return [period.size, period.key.spki, *([period.succession] if period.size else [])]


def _signers(keys: list[Any]) -> Signers:
    try:
        return Signers(tuple(map(_period, keys)))
    except KeyHistoryError as error:
        raise ExportFormError(reason="keys") from error


def _period(parts: object) -> SigningPeriod:
    match parts:
        case [int(size), bytes(spki)] if _is_number(size) and size == 0:
            return SigningPeriod(size, _key(spki))
        case [int(size), bytes(spki), bytes(succession)] if _is_number(size) and size > 0:
            return SigningPeriod(size, _key(spki), succession)
    raise ExportFormError(reason="keys")


def _hub(parts: object) -> HubKey | None:
    match parts:
        case None:
            return None
        case [str(name), bytes(spki)]:
            return HubKey(name, _key(spki))
    raise ExportFormError(reason="keys")


def _key(spki: bytes) -> VerifyingKey:
    try:
        return VerifyingKey.from_spki(spki)
    except KeyFormError as error:
        raise ExportFormError(reason="keys") from error


def _item(parts: object, digest: bytes) -> Item:
    match parts:
        case [kind, bytes(entry), None] if _is(kind, ENTRY):
            return Sealed(entry, None)
        case [kind, bytes(entry), [bytes(salt), bytes(content)]] if _is(kind, ENTRY) and len(salt) == SALT_BYTES:
            return Sealed(entry, Body(salt, content))
        case [kind, bytes(checkpoint), bytes(cosignature)] if _is(kind, CONFIRMATION):
            return Confirmed(checkpoint, cosignature)
        case [kind, bytes(receipt), [bytes(salt), bytes(content)]] if (
            _is(kind, ERASED_LATER) and len(salt) == SALT_BYTES
        ):
            return ErasedLater(receipt, Body(salt, content))
        case [kind, bytes(checkpoint), bytes(written)] if _is(kind, END):
            if written != digest:
                raise ExportAlteredError()
            return End(checkpoint)
    raise ExportFormError(reason="an item of another form")


def _is(kind: object, wanted: int) -> bool:
    return type(kind) is int and kind == wanted  # to Python, true is 1


def _is_number(value: object) -> bool:
    return type(value) is int and value >= 0
