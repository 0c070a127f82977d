"""Enrolment over the network with a one-time token: the box's side."""

import http.client
import json
import ssl

from cryptography.hazmat.primitives.asymmetric import ed25519

from appliance.errors import RefusedError, UnavailableError, UntrustedError
from appliance.services.enrolment import accept_bundle, make_request
from appliance.services.opening import OpenBox
from appliance.sync.enrolment import MAX_DOCUMENT_BYTES, DocumentError, EnrolmentBundle
from appliance.sync.token import AUTHORITY_PATH, ENROL_PATH, Token, TokenMessage, fingerprint, transcript

PATIENCE_S = 15.0
REASONS = frozenset({"unknown", "expired", "used", "tries", "school", "proof", "busy", "admitted_before"})
NOT_YET_VALID, HAS_EXPIRED = 9, 10
"""X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED, openssl-verification-options(1)."""


class HubUnreachableError(UnavailableError):
    """Nothing answers at the token's address, or the answer broke off."""

    code = "enrolment.unreachable"


class WrongHubError(UntrustedError):
    """What answers at the token's address is not the hub that made the token."""

    code = "enrolment.wrong_hub"


class WrongClockError(UntrustedError):
    """The hub's certificate is not valid by the box's clock: one of the two clocks is wrong."""

    code = "enrolment.clock"


class NotEnrolledError(RefusedError):
    """The hub refused the token; ``reason`` is one of ``REASONS``, or the end of the code of the hub's error."""

    code = "enrolment.refused"


def enrol_by_token(box: OpenBox, line_key_pem: bytes, token: Token) -> EnrolmentBundle:
    """Asks the token's hub for the box's enrolment and keeps it; before that the box is not
    enrolled at all.

    1. The hub shows its authority's certificate, and the token knows its fingerprint; nothing was told until then.
    2. A second connection (TLS 1.3) believes this authority alone, for the host that the token names.
    3. The box proves that it has the token, for its request and the certificate of this very connection.
    4. The answer is of the same authority, and ``accept_bundle`` takes it.

    A box that did not hear the answer asks again with the same token. Raises ``HubUnreachableError``,
    ``WrongHubError``, ``WrongClockError``, ``NotEnrolledError``, ``DocumentError``, ``ForeignBundleError`` or
    ``LineKeyError``.
    """
    request = make_request(box, line_key_pem).to_json()
    authority = _authority(token)
    try:
        bundle = EnrolmentBundle.from_json(_ask(token, authority, request))
    except (OSError, http.client.HTTPException) as error:
        raise _meaning(error, token) from error
    if fingerprint(_der(bundle.authority.encode())) != token.fingerprint:
        raise WrongHubError(host=token.host)
    accept_bundle(box, line_key_pem, bundle)
    return bundle


def _authority(token: Token) -> bytes:
    # Whoever answers here is believed in nothing: the fingerprint decides.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(token.host, token.port, timeout=PATIENCE_S, context=context)
    try:
        connection.request("GET", AUTHORITY_PATH)
        authority = connection.getresponse().read(MAX_DOCUMENT_BYTES)
    except (OSError, UnicodeError, http.client.HTTPException) as error:
        raise _meaning(error, token) from error
    finally:
        connection.close()
    der = _der(authority)
    if fingerprint(der) != token.fingerprint:
        raise WrongHubError(host=token.host)
    return der  # and never the text, in which more certificates than this one could stand


def _ask(token: Token, authority: bytes, request: bytes) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(cadata=authority)
    connection = http.client.HTTPSConnection(token.host, token.port, timeout=PATIENCE_S, context=context)
    try:
        connection.connect()
        server: bytes = connection.sock.getpeercert(binary_form=True) or b""
        key = ed25519.Ed25519PrivateKey.from_private_bytes(token.seed)
        proof = key.sign(transcript(request, server))
        message = TokenMessage(key.public_key().public_bytes_raw(), proof, request)
        connection.request("POST", ENROL_PATH, message.to_json())
        answer = connection.getresponse()
        body = answer.read(MAX_DOCUMENT_BYTES + 1)
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise NotEnrolledError(reason=_reason(body))
    return body


def _reason(body: bytes) -> str:
    try:
        return str(json.loads(body)["refused"])[:60]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DocumentError(field="answer") from error


def _der(authority_pem: bytes) -> bytes:
    try:
        return ssl.PEM_cert_to_DER_cert(authority_pem.decode("ascii"))
    except ValueError:
        return b""


def _meaning(error: Exception, token: Token) -> UntrustedError | UnavailableError:
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in (NOT_YET_VALID, HAS_EXPIRED):
            return WrongClockError(host=token.host)
        return WrongHubError(host=token.host)
    return HubUnreachableError(host=token.host, port=token.port)
