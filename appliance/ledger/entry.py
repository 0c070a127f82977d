"""One entry of a ledger, its personal body, and the registry of types.

An entry is the deterministic CBOR of ``[type, version, time_ms, boot, monotonic_ms, actor, subject, [refs],
commitment]``; all but the last two are unsigned numbers. Nothing in it is personal: the body stays outside the tree
and is bound to it by ``commitment = SHA-256(salt || body)``.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, unique
from typing import Any, Self

from appliance.errors import UntrustedError
from appliance.ledger.encoding import EncodingError, common_unsigned, decode, encode, parse, unsigned

EPOCH_MS = 1_577_836_800_000
"""2020-01-01T00:00:00Z: the ledgers' epoch, in milliseconds since 1970."""
SALT_BYTES = 16
COMMITMENT_BYTES = 32
# Heads of CBOR items (RFC 8949 section 3): an array of nine, an empty array, a byte string of 32.
NINE_PARTS, NO_REFS, COMMITMENT_HEAD = b"\x89", b"\x80", b"\x58\x20"


class EntryFormError(UntrustedError):
    """Bytes that are CBOR but no entry."""

    code = "ledger.entry_form"


class CommitmentError(UntrustedError):
    """A body that is not the one which the entry committed to."""

    code = "ledger.commitment"


@unique
class EntryType(Enum):
    """Number, name and version of each type. A number is never reused; an unknown one is kept, counted and shown."""

    LEDGER_OPENED = (1, "ledger.opened", 1)
    BOX_STARTED = (2, "box.started", 1)
    IDENTITY_INTRODUCED = (3, "identity.introduced", 1)
    BODY_ERASED = (4, "body.erased", 1)
    RECORD_CARRIED = (5, "record.carried", 1)
    DAY_SEALED = (6, "day.sealed", 1)
    ARCHIVE_KEY_INTRODUCED = (7, "archive_key.introduced", 1)
    DEVICE_KEY_CHANGED = (8, "device_key.changed", 1)
    EARLIER_BODY_ERASED = (9, "earlier_body.erased", 1)
    GUARDIAN_LINKED = (16, "guardian.linked", 1)
    GUARDIAN_AUTHENTICATED = (17, "guardian.authenticated", 1)
    LINK_CODE_ISSUED = (18, "link_code.issued", 1)
    CARD_CERTIFICATE = (19, "card.certificate", 1)
    STAFF_ADDED = (32, "staff.added", 1)
    STAFF_SIGNED_IN = (33, "staff.signed_in", 1)
    ROSTER_IMPORTED = (48, "roster.imported", 1)
    SETTINGS_PUBLISHED = (64, "settings.published", 1)

    def __init__(self, number: int, label: str, version: int) -> None:
        self.number = number
        self.label = label
        self.version = version


LABELS = {one.number: one.label for one in EntryType}


def type_label(number: int) -> str:
    """The type's name, or ``unknown.NUMBER`` for one that this version does not know."""
    return LABELS.get(number, f"unknown.{number}")


@unique
class IdentityKind(Enum):
    """What a number in the ledger's roster of pseudonyms stands for. Number 0 is the box or hub that writes."""

    STAFF = 1
    GUARDIAN = 2
    PUPIL = 3
    CARD = 4


@dataclass(frozen=True, slots=True)
class Entry:
    """``time_ms`` counts from ``EPOCH_MS``; ``boot`` is the index of the ``box.started`` entry of the same boot and
    ``monotonic_ms`` the reading within it; ``actor`` and ``subject`` are numbers of the ledger's roster, 0 the
    writer itself; ``refs`` are indices of earlier entries."""

    type: int
    version: int
    time_ms: int
    boot: int
    monotonic_ms: int
    actor: int
    subject: int
    refs: tuple[int, ...]
    commitment: bytes

    def encode(self) -> bytes:
        return encode_entry(
            self.type,
            self.version,
            self.time_ms,
            self.boot,
            self.monotonic_ms,
            self.actor,
            self.subject,
            self.refs,
            self.commitment,
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Raises ``EncodingError`` or ``EntryFormError``."""
        kind, version, time_ms, boot, monotonic_ms, actor, subject, refs, commitment = entry_parts(data)
        return cls(kind, version, time_ms, boot, monotonic_ms, actor, subject, tuple(refs), commitment)

    @property
    def wall_ms(self) -> int:
        """Milliseconds since 1970 by the writer's wall clock."""
        return self.time_ms + EPOCH_MS


def entry_parts(data: bytes) -> list[Any]:
    """The nine parts of an entry, checked for form and for the one encoding, without an object for them.

    Raises ``EncodingError`` or ``EntryFormError``.
    """
    parts = parse(data)
    if type(parts) is not list or len(parts) != 9:
        raise EntryFormError(reason="not nine parts")
    refs, commitment = parts[7], parts[8]
    if type(refs) is not list or not all(_is_unsigned(one) for one in refs):
        raise EntryFormError(reason="a reference is no index")
    if type(commitment) is not bytes or len(commitment) != COMMITMENT_BYTES:
        raise EntryFormError(reason="no commitment")
    try:
        same = encode_entry(*parts) == data
    except (TypeError, AttributeError, EncodingError) as error:  # a text or a float has not what a number has
        raise EntryFormError(reason="a number is missing") from error
    if not same and not all(_is_unsigned(one) for one in parts[:7]):
        raise EntryFormError(reason="a number is missing")
    if not same:
        raise EncodingError(reason="not deterministic")
    return parts


def encode_entry(
    type_number: int,
    version: int,
    time_ms: int,
    boot: int,
    monotonic_ms: int,
    actor: int,
    subject: int,
    refs: Sequence[int],
    commitment: bytes,
) -> bytes:
    """The bytes of an entry."""
    return entry_start(type_number, version, time_ms, boot, monotonic_ms, actor, subject, refs) + commitment


def entry_start(
    type_number: int,
    version: int,
    time_ms: int,
    boot: int,
    monotonic_ms: int,
    actor: int,
    subject: int,
    refs: Sequence[int],
) -> bytes:
    """The bytes of an entry up to its commitment, which are its last 32; written out, because an append and a
    verification spend most of their time with this form."""
    return b"".join(
        (
            NINE_PARTS,
            common_unsigned(type_number),
            common_unsigned(version),
            unsigned(time_ms),
            common_unsigned(boot),
            unsigned(monotonic_ms),
            common_unsigned(actor),
            common_unsigned(subject),
            encode(list(refs)) if refs else NO_REFS,
            COMMITMENT_HEAD,
        )
    )


@dataclass(frozen=True, slots=True)
class Body:
    """The personal part of an entry: ``content`` is deterministic CBOR of a map with text keys."""

    salt: bytes
    content: bytes

    @classmethod
    def of(cls, content: dict[str, Any], salt: bytes) -> Self:
        return cls(salt, encode(content))

    def commitment(self) -> bytes:
        return hashlib.sha256(self.salt + self.content).digest()

    def read(self) -> dict[str, Any]:
        """The content as a map; raises ``EncodingError`` or ``EntryFormError``."""
        value = decode(self.content)
        if not isinstance(value, dict):
            raise EntryFormError(reason="body is no map")
        return value


def check_body(entry: Entry, body: Body) -> None:
    """Raises ``CommitmentError`` unless the entry committed to exactly this body."""
    if body.commitment() != entry.commitment or len(body.salt) != SALT_BYTES:
        raise CommitmentError(type=type_label(entry.type))


def _is_unsigned(value: object) -> bool:
    return type(value) is int and value >= 0
