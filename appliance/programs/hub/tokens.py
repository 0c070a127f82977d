"""One-time tokens of schools that are to be enrolled: made by an operator, redeemed by one box.

Of a token the hub keeps the public key that checks its proof, so that whoever reads the database can enrol nobody.
"""

import argparse
import hashlib
import json
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from appliance.clock import SystemClock
from appliance.config import CredentialSource
from appliance.errors import ConfigError, RefusedError
from appliance.programs.hub.authority import CertificateRequestError
from appliance.programs.hub.files import read_file
from appliance.programs.hub.settings import (
    AUTHORITY_FILE,
    DATABASE_KEY,
    DATABASE_NAME,
    FAMILIES,
    HubSettings,
    load_hub_settings,
)
from appliance.school.organisation import SchoolCode, SchoolCodeError
from appliance.store.database import Database, Transaction
from appliance.store.migrate import migrate
from appliance.sync.enrolment import DocumentError, EnrolmentRequest
from appliance.sync.token import Token, TokenMessage, transcript

VALID_MS = 10 * 60 * 1000
MOST_TRIES = 5
KEPT_MS = 24 * 3600 * 1000
"""So that a box that comes late is told why."""


class TokenRefusedError(RefusedError):
    """A token that lets nobody in.

    ``reason`` is ``unknown``, ``expired``, ``used``, ``tries``, ``school`` or ``proof``.
    """

    code = "hub.token"


class NoEndpointError(ConfigError):
    """Tokens need the enrolment endpoint, and it is switched off in the settings."""

    code = "hub.no_endpoint"


class TokenSchoolError(RefusedError):
    """A token was to be made for something that is no school code."""

    code = "hub.token_school"


class Tokens:
    """Making and redeeming them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, token: Token, school: str, now_ms: int, *, new_generation: bool = False) -> int:
        """Keeps it, in the place of any other of the school that nobody used; until when it is valid (ms)."""
        verifier = ed25519.Ed25519PrivateKey.from_private_bytes(token.seed).public_key().public_bytes_raw()
        until_ms = now_ms + VALID_MS
        with self._database.transaction() as transaction:
            sql = "DELETE FROM enrolment_token WHERE until_ms < ? OR (school = ? AND used_by IS NULL)"
            transaction.run(sql, (now_ms - KEPT_MS, school))
            transaction.run(
                "INSERT INTO enrolment_token (verifier, school, until_ms, new_generation) VALUES (?, ?, ?, ?)",
                (verifier, school, until_ms, int(new_generation)),
            )
        return until_ms

    def redeem(self, message: TokenMessage, server_der: bytes, now_ms: int) -> tuple[EnrolmentRequest, bool]:
        """The request that the token pays for, and whether it may be for a new generation of the ledger.

        1. The token is known, has tries left and has not expired.
        2. The proof is of this token, over this request and this server's certificate.
        3. The request is for the token's school.
        4. Nobody used the token, or the same box with the same keys did: it may not have heard the answer.

        Raises ``TokenRefusedError``, ``DocumentError`` or ``CertificateRequestError``.
        """
        with self._database.transaction() as transaction:
            found = self._check(transaction, message, server_der, now_ms)
            if isinstance(found, RefusedError):
                sql = "UPDATE enrolment_token SET tries = tries + 1 WHERE verifier = ?"
                transaction.run(sql, (message.verifier,))
        if isinstance(found, RefusedError):  # only now, so that the try counts
            raise found
        return found

    def _check(
        self, transaction: Transaction, message: TokenMessage, server_der: bytes, now_ms: int
    ) -> tuple[EnrolmentRequest, bool] | RefusedError:
        sql = "SELECT school, until_ms, new_generation, tries, used_by FROM enrolment_token WHERE verifier = ?"
        row = transaction.row(sql, (message.verifier,))
        if row is None:
            return TokenRefusedError(reason="unknown")
        school, until_ms, new_generation, tries, used_by = row
        if tries >= MOST_TRIES:
            return TokenRefusedError(reason="tries")
        if now_ms > until_ms:
            return TokenRefusedError(reason="expired")
        try:
            key = ed25519.Ed25519PublicKey.from_public_bytes(message.verifier)
            key.verify(message.proof, transcript(message.request, server_der))
            request = EnrolmentRequest.from_json(message.request)
            box = _box(request)
        except InvalidSignature:
            return TokenRefusedError(reason="proof")
        except (DocumentError, CertificateRequestError) as error:
            return error
        if request.school != school:
            return TokenRefusedError(reason="school")
        if used_by not in (None, box):
            return TokenRefusedError(reason="used")
        transaction.run("UPDATE enrolment_token SET used_by = ? WHERE verifier = ?", (box, message.verifier))
        return request, bool(new_generation)


def _box(request: EnrolmentRequest) -> bytes:
    try:
        key = x509.load_pem_x509_csr(request.certificate_request.encode()).public_key()
    except ValueError as error:
        raise CertificateRequestError(reason="not a request") from error
    line = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    parts = (request.origin.encode(), request.device_key.encode(), line)
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds ``token``."""
    token = commands.add_parser("token", help="make a one-time token by which one box of a school enrols itself")
    token.add_argument("school", metavar="SCHOOLCODE")
    token.add_argument(
        "--new-generation", action="store_true", help="the box was restored: take its new ledger beside the old one"
    )
    token.add_argument("--json", action="store_true")
    token.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    settings = load_hub_settings()
    try:
        school = str(SchoolCode(arguments.school))
    except SchoolCodeError as error:
        raise TokenSchoolError(school=arguments.school) from error
    token = make_token(settings)
    with Database.open(settings.hub.state_dir / DATABASE_NAME, CredentialSource(DATABASE_KEY)) as database:
        migrate(database, FAMILIES)
        now_ms = SystemClock().now_ms()
        until_ms = Tokens(database).add(token, school, now_ms, new_generation=arguments.new_generation)
    until = datetime.fromtimestamp(until_ms / 1000, UTC).astimezone()
    words = (
        f"{token.to_text()}\n\nFor one box of {school}, once, until {until:%H:%M:%S}. Tell it to nobody but the school:"
        " there, appliance enroll token asks for it."
    )
    told = {"token": token.to_text(), "school": school, "until": until.isoformat(timespec="seconds")}
    print(json.dumps(told) if arguments.json else words)  # noqa: T201 - a command's answer
    return 0


def make_token(settings: HubSettings) -> Token:
    """A token for this hub, which does not know it yet; raises ``NoEndpointError`` or ``HubFileError``."""
    if not settings.enrolment.port:
        raise NoEndpointError()
    authority = x509.load_pem_x509_certificate(read_file(settings.hub.state_dir / AUTHORITY_FILE))
    der = authority.public_bytes(serialization.Encoding.DER)
    return Token.make(der, settings.boxes.host, settings.enrolment.port)
