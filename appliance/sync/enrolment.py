"""The two documents by which a box and a hub get to know each other, as JSON texts.

The box asks with its public keys and proves with a certificate request (RFC 2986) that it holds the line's key; the
hub answers with everything the box has to pin. Neither document holds a secret; both are carried by hand or by an
authenticated channel, because whoever could swap them would choose the keys.
"""

import base64
import json
import re
from dataclasses import dataclass
from typing import Any, Self

from appliance.errors import RefusedError, UntrustedError
from appliance.ledger.keys import KeyFormError, VerifyingKey
from appliance.ledger.signers import MOST_KEYS, Signers
from appliance.ledger.succession import follow
from appliance.school.organisation import SchoolCode, SchoolCodeError

REQUEST_FORM = "madoguchi enrolment request 1"
BUNDLE_FORM = "madoguchi enrolment 1"
MAX_DOCUMENT_BYTES = 64 * 1024


class DocumentError(RefusedError):
    """A file that is no enrolment document, or an incomplete one; ``field`` names the part at fault."""

    code = "enrolment.document"


@dataclass(frozen=True, slots=True)
class EnrolmentRequest:
    """What a box tells the hub. ``origin`` is the box's ledger, ``device_key`` signs it; keys and request are PEM.

    A ledger whose key was changed also tells its ``first_key`` and the ``successions`` from that to ``device_key``: a
    hub that was not reached since knows an earlier one, and another hub none.
    """

    school: str
    name: str
    origin: str
    device_key: str
    certificate_request: str
    first_key: str = ""
    successions: tuple[bytes, ...] = ()

    def signers(self) -> Signers:
        """The keys of the ledger by the box's own word; raises ``DocumentError``."""
        first = VerifyingKey.from_pem((self.first_key or self.device_key).encode())
        try:
            signers = follow(Signers.of(first), self.successions, self.origin)
        except UntrustedError as error:
            raise DocumentError(field="history") from error
        if signers.newest.key != VerifyingKey.from_pem(self.device_key.encode()):
            raise DocumentError(field="history")
        return signers

    def to_json(self) -> bytes:
        return _write(
            {
                "form": REQUEST_FORM,
                "school": self.school,
                "name": self.name,
                "origin": self.origin,
                "device_key": self.device_key,
                "certificate_request": self.certificate_request,
                **self._history(),
            }
        )

    def _history(self) -> dict[str, Any]:
        if not self.successions:
            return {}
        successions = [base64.b64encode(one).decode("ascii") for one in self.successions]
        return {"history": {"first_key": self.first_key, "successions": successions}}

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Raises ``DocumentError``."""
        found = _read(data, REQUEST_FORM)
        school = _school(found)
        history = _map(found, "history") if "history" in found else None
        request = cls(
            school,
            _text(found, "name"),
            _origin(found, "origin", school, "box"),
            _key(found, "device_key"),
            _text(found, "certificate_request"),
            "" if history is None else _key(history, "first_key"),
            () if history is None else _several(history, "successions"),
        )
        request.signers()
        return request


@dataclass(frozen=True, slots=True)
class EnrolmentBundle:
    """What the hub tells the box: where its broker is, whom to believe, and which keys sign what.

    ``authority`` and ``certificate`` are PEM certificates, ``hub_key`` and ``feed_key`` PEM public keys,
    ``evidence_key`` the verifier's public key and ``backup_key`` that of backups as ``ledger.recipient`` takes them; a
    hub that has no key for backups yet gives none.
    """

    school: str
    host: str
    port: int
    authority: str
    certificate: str
    hub_name: str
    hub_key: str
    evidence_key: bytes
    feed_origin: str
    feed_key: str
    backup_key: bytes | None = None

    def to_json(self) -> bytes:
        backup = {} if self.backup_key is None else {"backup_key": base64.b64encode(self.backup_key).decode("ascii")}
        return _write(
            {
                "form": BUNDLE_FORM,
                "school": self.school,
                "broker": {"host": self.host, "port": self.port},
                "authority": self.authority,
                "certificate": self.certificate,
                "hub": {"name": self.hub_name, "key": self.hub_key},
                "evidence_key": base64.b64encode(self.evidence_key).decode("ascii"),
                "feed": {"origin": self.feed_origin, "key": self.feed_key},
                **backup,
            }
        )

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Raises ``DocumentError``."""
        found = _read(data, BUNDLE_FORM)
        school, broker, hub, feed = _school(found), _map(found, "broker"), _map(found, "hub"), _map(found, "feed")
        port = broker.get("port")
        if type(port) is not int or not 0 < port < 65536:
            raise DocumentError(field="broker.port")
        return cls(
            school,
            _text(broker, "host"),
            port,
            _text(found, "authority"),
            _text(found, "certificate"),
            _text(hub, "name"),
            _key(hub, "key"),
            _bytes(found, "evidence_key"),
            _origin(feed, "origin", school, "feed"),
            _key(feed, "key"),
            _bytes(found, "backup_key") if "backup_key" in found else None,
        )


def _write(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n"


def _read(data: bytes, form: str) -> dict[str, Any]:
    if len(data) > MAX_DOCUMENT_BYTES:
        raise DocumentError(field="size")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DocumentError(field="json") from error
    if not isinstance(value, dict) or value.get("form") != form:
        raise DocumentError(field="form", expected=form)
    return value


def _text(value: dict[str, Any], name: str) -> str:
    found = value.get(name)
    if not isinstance(found, str) or not found.strip():
        raise DocumentError(field=name)
    return found


def _bytes(value: dict[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(_text(value, name), validate=True)
    except ValueError as error:
        raise DocumentError(field=name) from error


def _several(value: dict[str, Any], name: str) -> tuple[bytes, ...]:
    found = value.get(name)
    if not isinstance(found, list) or not 0 < len(found) < MOST_KEYS:
        raise DocumentError(field=name)
    return tuple(_bytes({name: one}, name) for one in found)


def _map(value: dict[str, Any], name: str) -> dict[str, Any]:
    found = value.get(name)
    if not isinstance(found, dict):
        raise DocumentError(field=name)
    return found


def _school(value: dict[str, Any]) -> str:
    # The code becomes a part of topics and a name in certificates, so nothing but a code may pass.
    try:
        return str(SchoolCode(_text(value, "school")))
    except SchoolCodeError as error:
        raise DocumentError(field="school") from error


def _origin(value: dict[str, Any], name: str, school: str, kind: str) -> str:
    origin = _text(value, name)
    if re.fullmatch(rf"madoguchi/1/{school}/{kind}/[1-9][0-9]{{0,5}}", origin) is None:
        raise DocumentError(field=name)
    return origin


def _key(value: dict[str, Any], name: str) -> str:
    pem = _text(value, name)
    try:
        VerifyingKey.from_pem(pem.encode())
    except KeyFormError as error:
        raise DocumentError(field=name) from error
    return pem
