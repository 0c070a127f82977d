"""How the content of a backup reaches a new box, while the key that opens backups stays at the prefecture.

The box asks with a public key that is made for this one time; whoever holds the backup key opens the two headers and
seals the two keys of content to it, bound to the ids of the two files. Both documents are JSON texts; neither holds
anything that opens without the box's private key.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any, Self

from appliance.errors import RefusedError, UntrustedError
from appliance.ledger.recipient import EvidenceError, EvidenceKeyError, Recipient, seal_for
from appliance.ledger.sealed_file import KEY_BYTES, Header, recipient_id

REQUEST_FORM = "madoguchi restore request 1"
RELEASE_FORM = "madoguchi restore release 1"
MOST_BYTES = 64 << 10


class ReleaseDocumentError(RefusedError):
    """Not a request, or not a release; ``expected`` is the form that was looked for."""

    code = "restore.document"


class ReleaseError(UntrustedError):
    """A release that is for another request, or for other files; ``reason`` says which."""

    code = "restore.release"


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """``public`` is a one-time key as ``ledger.recipient`` takes it."""

    public: bytes

    @property
    def number(self) -> str:
        """What the people at both ends compare, so that nobody can swap the request: ``1f2e-3d4c-5b6a-7988``."""
        text = recipient_id(self.public).hex()
        return "-".join(text[at : at + 4] for at in range(0, len(text), 4))

    def to_json(self) -> bytes:
        return _write({"form": REQUEST_FORM, "key": base64.b64encode(self.public).decode()})

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Raises ``ReleaseDocumentError``."""
        found = cls(_bytes(_read(data, REQUEST_FORM), "key", REQUEST_FORM))
        try:
            seal_for(found.public, b"", b"")
        except EvidenceKeyError as error:
            raise ReleaseDocumentError(expected=REQUEST_FORM) from error
        return found


@dataclass(frozen=True, slots=True)
class Release:
    """Opens the two files with these ids for whoever made the request."""

    backup_id: bytes
    keys_id: bytes
    sealed: bytes

    @classmethod
    def make(cls, request: RestoreRequest, holder: Recipient, backup: Header, keys: Header) -> Self:
        """At whoever holds the backup key; raises ``OtherRecipientError``."""
        plain = backup.content_key(holder) + keys.content_key(holder)
        sealed = seal_for(request.public, plain, _info(backup.file_id, keys.file_id))
        return cls(backup.file_id, keys.file_id, sealed)

    def open(self, one_time: Recipient, backup: Header, keys: Header) -> tuple[bytes, bytes]:
        """The keys of content of backup and keys; raises ``ReleaseError``."""
        if (self.backup_id, self.keys_id) != (backup.file_id, keys.file_id):
            raise ReleaseError(reason="files")
        try:
            plain = one_time.unseal(self.sealed, _info(backup.file_id, keys.file_id))
        except EvidenceError as error:
            raise ReleaseError(reason="request") from error
        if len(plain) != 2 * KEY_BYTES:
            raise ReleaseError(reason="request")
        return plain[:KEY_BYTES], plain[KEY_BYTES:]

    def to_json(self) -> bytes:
        sealed = base64.b64encode(self.sealed).decode()
        ids = {"backup": self.backup_id.hex(), "keys": self.keys_id.hex()}
        return _write({"form": RELEASE_FORM, **ids, "sealed": sealed})

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Raises ``ReleaseDocumentError``."""
        found = _read(data, RELEASE_FORM)
        try:
            backup_id, keys_id = bytes.fromhex(found["backup"]), bytes.fromhex(found["keys"])
        except (KeyError, TypeError, ValueError) as error:
            raise ReleaseDocumentError(expected=RELEASE_FORM) from error
        return cls(backup_id, keys_id, _bytes(found, "sealed", RELEASE_FORM))


def _info(backup_id: bytes, keys_id: bytes) -> bytes:
    return RELEASE_FORM.encode() + b"\0" + backup_id + keys_id


def _write(value: dict[str, str]) -> bytes:
    return json.dumps(value, indent=2).encode() + b"\n"


def _read(data: bytes, form: str) -> dict[str, Any]:
    try:
        found = json.loads(data) if len(data) <= MOST_BYTES else None
    except (ValueError, RecursionError) as error:
        raise ReleaseDocumentError(expected=form) from error
    if not isinstance(found, dict) or found.get("form") != form:
        raise ReleaseDocumentError(expected=form)
    return found


def _bytes(value: dict[str, Any], name: str, form: str) -> bytes:
    try:
        return base64.b64decode(value[name], validate=True)
    except (KeyError, TypeError, ValueError) as error:
        raise ReleaseDocumentError(expected=form) from error
