"""Topics, and messages as bytes.

A message is one version byte, a CRC-32 of what follows, and a Zstandard frame (RFC 8878) of deterministic CBOR. The
sum is against accidents only: compressed data has bits that can flip without effect, and a damaged message shall
always be seen as one. A batch is laid out in columns: what changes little from entry to entry lies together, times
are differences, and a commitment is sent only where the body stays at home, because it follows from the body. The
bytes of every entry are rebuilt exactly.

Whatever comes in is bounded before it is unpacked, and everything that is not a message is a ``MalformedError``.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, unique
from typing import Any

import zstandard

from appliance.errors import RefusedError, UntrustedError
from appliance.ledger.encoding import EncodingError, decode, encode
from appliance.ledger.entry import COMMITMENT_BYTES, SALT_BYTES, Body, Entry
from appliance.ledger.merkle import HASH_BYTES
from appliance.ledger.signers import MOST_KEYS
from appliance.ledger.verify import Batch, Sealed
from appliance.sync import renewal
from appliance.sync.fields import chunks, differences, listed, number, numbers, octets, sums, text
from appliance.sync.renewal import RenewalAnswer, RenewalRequest

VERSION = 1
HEADER_BYTES = 5
ROOT = "madoguchi/1"
MAX_MESSAGE_BYTES = 1 << 20
MAX_PLAIN_BYTES = 4 << 20
COMPRESSION_LEVEL = 9
SCHOOL_CODE_CHARACTERS = 13


class MalformedError(UntrustedError):
    """Bytes that are no message of this protocol."""

    code = "sync.malformed"


class OversizeError(RefusedError):
    """A message of our own that would be larger than the other side accepts."""

    code = "sync.oversize"


@unique
class Lane(Enum):
    """The last part of a topic. A school writes UP, URGENT, BLOB and STATE, and reads ACK and DOWN.

    PROBE is the school's own: the broker sends back what it writes there, and nobody else hears it.
    """

    UP = "up"
    ACK = "ack"
    DOWN = "down"
    URGENT = "urgent"
    BLOB = "blob"
    STATE = "state"
    PROBE = "probe"


def topic(school: str, lane: Lane) -> str:
    """``school`` is the 13-character code, or ``+`` for a subscription to all of them."""
    return f"{ROOT}/{school}/{lane.value}"


def parse_topic(name: str) -> tuple[str, Lane]:
    """(school code, lane); raises ``MalformedError``."""
    root, _, rest = name.rpartition("/")
    start, _, school = root.rpartition("/")
    if start != ROOT or len(school) != SCHOOL_CODE_CHARACTERS or rest not in {lane.value for lane in Lane}:
        raise MalformedError(reason="topic")
    return school, Lane(rest)


@dataclass(frozen=True, slots=True)
class Ack:
    """The receipt for everything up to the checkpoint: the mirror's cosignature, which carries the mirror's time.

    ``root`` (32 bytes) is only in a receipt that the mirror repeats unasked, because the sender seems to have lost it:
    without a tree of that size it could not verify the signatures. Peers that know no root take such a message for
    malformed, so it never stands in for an ordinary answer.
    """

    origin: str
    checkpoint: bytes
    cosignature: bytes
    root: bytes | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a batch was not stored. ``wanted`` is the index to continue with, where the mirror knows it; ``ack`` the
    last receipt, so that one that was lost on the way is made good. ``origin`` is empty if the bytes told none."""

    origin: str
    code: str
    wanted: int | None = None
    ack: Ack | None = None


@dataclass(frozen=True, slots=True)
class State:
    """What a box says of itself, retained by the broker: size of its ledger and how much of it is confirmed."""

    online: bool
    size: int
    cosigned: int
    at_ms: int


Message = Batch | Ack | Refusal | State | RenewalRequest | RenewalAnswer


def pack(message: Message) -> bytes:
    """The bytes of a message; raises ``OversizeError``."""
    plain = encode(_to_value(message))
    if len(plain) > MAX_PLAIN_BYTES:
        raise OversizeError(bytes=len(plain), most=MAX_PLAIN_BYTES)
    packed = frame(zstandard.ZstdCompressor(COMPRESSION_LEVEL).compress(plain))
    if len(packed) > MAX_MESSAGE_BYTES:
        raise OversizeError(bytes=len(packed), most=MAX_MESSAGE_BYTES)
    return packed


def unpack(data: bytes) -> Message:
    """The message of these bytes; raises ``MalformedError`` and nothing else, whatever the bytes are.

    A batch is well formed after this, not verified.
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise MalformedError(reason="too long", bytes=len(data))
    if data[:1] != bytes([VERSION]):
        raise MalformedError(reason="other version")
    compressed = data[HEADER_BYTES:]
    if data != frame(compressed):
        raise MalformedError(reason="checksum")
    plain = _decompress(compressed)
    try:
        kind, *parts = decode(plain)
        return _READERS[kind](parts)
    except (EncodingError, ValueError, TypeError, KeyError) as error:
        raise MalformedError(reason="not a message") from error


def frame(compressed: bytes) -> bytes:
    """The message around compressed bytes."""
    return bytes([VERSION]) + zlib.crc32(compressed).to_bytes(HEADER_BYTES - 1) + compressed


def _decompress(data: bytes) -> bytes:
    try:
        announced = zstandard.get_frame_parameters(data).content_size
        # The library allocates what the header announces, so the announcement is checked before anything is unpacked.
        if not 0 < announced <= MAX_PLAIN_BYTES:
            raise MalformedError(reason="unpacked size")
        unpacker = zstandard.ZstdDecompressor(max_window_size=MAX_PLAIN_BYTES)
        return unpacker.decompress(data, max_output_size=MAX_PLAIN_BYTES, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise MalformedError(reason="compression") from error


def _to_value(message: Message) -> list[Any]:
    match message:
        case Batch():
            successions = [list(message.successions)] if message.successions else []
            return [_BATCH, message.origin, message.first, message.checkpoint, *_columns(message.items), *successions]
        case Ack():
            root = [] if message.root is None else [message.root]
            return [_ACK, message.origin, message.checkpoint, message.cosignature, *root]
        case Refusal():
            ack = None if message.ack is None else _to_value(message.ack)[1:]
            return [_REFUSAL, message.origin, message.code, message.wanted, ack]
        case State():
            return [_STATE, message.online, message.size, message.cosigned, message.at_ms]
        case RenewalRequest() | RenewalAnswer():
            return message.to_value()


def _columns(items: tuple[Sealed, ...]) -> list[Any]:
    entries = [Entry.decode(one.entry) for one in items]
    bodies = [one.body for one in items]
    return [
        [one.type for one in entries],
        [one.version for one in entries],
        differences([one.time_ms for one in entries]),
        differences([one.boot for one in entries]),
        differences([one.monotonic_ms for one in entries]),
        [one.actor for one in entries],
        [one.subject for one in entries],
        [list(one.refs) for one in entries],
        [None if body is None else body.content for body in bodies],
        b"".join(body.salt for body in bodies if body is not None),
        b"".join(one.commitment for one, body in zip(entries, bodies, strict=True) if body is None),
    ]


def _read_batch(parts: list[Any]) -> Batch:
    parts, successions = parts[:BATCH_PARTS], parts[BATCH_PARTS:]
    origin, first, checkpoint, *columns, contents, salts, commitments = parts
    kinds, versions, times, boots, uptimes, actors, subjects, refs = columns
    bodies = _bodies(listed(contents), octets(salts))
    kept_back = chunks(octets(commitments), COMMITMENT_BYTES, bodies.count(None))
    entries = zip(
        numbers(kinds),
        numbers(versions),
        sums(times),
        sums(boots),
        sums(uptimes),
        numbers(actors),
        numbers(subjects),
        [tuple(numbers(one)) for one in listed(refs)],
        [next(kept_back) if body is None else body.commitment() for body in bodies],
        strict=True,
    )
    items = [Sealed(Entry(*fields).encode(), body) for fields, body in zip(entries, bodies, strict=True)]
    return Batch(text(origin), number(first), tuple(items), octets(checkpoint), _successions(successions))


def _successions(more: list[Any]) -> tuple[bytes, ...]:
    """A part that a batch has only if it leads to a new key."""
    if not more:
        return ()
    (told,) = more
    found = tuple(octets(one) for one in listed(told))
    if not 0 < len(found) < MOST_KEYS:
        raise ValueError
    return found


def _bodies(contents: list[Any], salts: bytes) -> list[Body | None]:
    each_salt = chunks(salts, SALT_BYTES, sum(one is not None for one in contents))
    return [None if one is None else Body(next(each_salt), octets(one)) for one in contents]


def _read_ack(parts: list[Any]) -> Ack:
    origin, checkpoint, cosignature, *more = parts
    if not more:
        return Ack(text(origin), octets(checkpoint), octets(cosignature))
    (root,) = more
    if len(octets(root)) != HASH_BYTES:
        raise ValueError
    return Ack(text(origin), octets(checkpoint), octets(cosignature), root)


def _read_refusal(parts: list[Any]) -> Refusal:
    origin, code, wanted, ack = parts
    return Refusal(
        text(origin),
        text(code),
        None if wanted is None else number(wanted),
        None if ack is None else _read_ack(listed(ack)),
    )


def _read_state(parts: list[Any]) -> State:
    online, size, cosigned, at_ms = parts
    if not isinstance(online, bool):
        raise TypeError
    return State(online, number(size), number(cosigned), number(at_ms))


_BATCH, _ACK, _REFUSAL, _STATE = range(4)
BATCH_PARTS = 14
"""Of a batch, after the kind of message: origin, first, checkpoint and eleven columns."""
_READERS: dict[int, Callable[[list[Any]], Message]] = {
    _BATCH: _read_batch,
    _ACK: _read_ack,
    _REFUSAL: _read_refusal,
    _STATE: _read_state,
    renewal.REQUEST: RenewalRequest.read,
    renewal.ANSWER: RenewalAnswer.read,
}
