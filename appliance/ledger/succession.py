"""How a key hands its ledger over to the next one: a statement that both of them sign (docs/ledger.md, section 15).

It is a COSE_Sign1 by the key in force over {origin, size, key}, and the new key countersigns it (RFC 9338, section
3.3), which proves that whoever holds the old key holds the new one as well. So whoever has pinned the first key of a
ledger can follow it to the last. The header ``typ`` (RFC 9596) keeps it apart from whatever else these keys sign.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from appliance.errors import UntrustedError
from appliance.ledger.checkpoint import ALG, KID, SIGN1_TAG
from appliance.ledger.encoding import EncodingError, decode, encode
from appliance.ledger.entry import Body, EntryFormError
from appliance.ledger.generation import Told, is_later
from appliance.ledger.keys import ES256_ALG, KeyFormError, SignatureError, SigningKey, VerifyingKey
from appliance.ledger.signers import FIRST_CHANGE, KeyHistoryError, Signers, SigningPeriod

TYP, COUNTERSIGNATURE = 16, 12
"""Labels of RFC 9596, and of RFC 9338 for the abbreviated countersignature, version 2."""
SUCCESSION_TYPE = "application/madoguchi-succession+cose"


class SuccessionError(UntrustedError):
    """Bytes that are no statement of a key about its successor in this ledger; ``reason`` says what is wrong."""

    code = "ledger.succession"


def sign_succession(origin: str, size: int, present: SigningKey, successor: SigningKey) -> bytes:
    """Says that the checkpoints of ``size`` entries and more will be signed by ``successor``."""
    protected = encode({ALG: ES256_ALG, KID: present.public.key_id, TYP: SUCCESSION_TYPE})
    payload = encode({"origin": origin, "size": size, "key": successor.public.spki})
    signature = present.sign(_signed(protected, payload))
    possession = successor.sign(_countersigned(protected, payload, signature))
    return SIGN1_TAG + encode([protected, {COUNTERSIGNATURE: possession}, payload, signature])


def open_succession(cose: bytes, origin: str, present: SigningPeriod) -> SigningPeriod:
    """The period that follows the present one.

    1. The bytes are one COSE_Sign1 with exactly the expected headers and contents.
    2. It is about this ledger, and begins later than the present period.
    3. The present key signed it.
    4. The new key countersigned it.

    Raises ``SuccessionError`` or ``SignatureError``.
    """
    protected, possession, payload, signature = _parse(cose)
    named, size, key = _claims(payload)
    if named != origin:
        raise SuccessionError(reason="other ledger")
    if size <= present.size:
        raise SuccessionError(reason="size")
    if _header(protected)[KID] != present.key.key_id:
        raise SuccessionError(reason="other key")
    present.key.verify(signature, _signed(protected, payload))
    key.verify(possession, _countersigned(protected, payload, signature))
    return SigningPeriod(size, key, cose)


def follow(signers: Signers, successions: Iterable[bytes], origin: str) -> Signers:
    """The history with what these statements add to it, in their order; one that it has already is passed over.

    Raises ``SuccessionError``, ``SignatureError`` or ``KeyHistoryError`` for a chain with a link that is missing,
    forged, or contradicts the history.
    """
    for cose in successions:
        _, size, key = _claims(_parse(cose)[2])
        if not any((period.size, period.key.spki) == (size, key.spki) for period in signers.periods[1:]):
            signers = signers.followed_by(open_succession(cose, origin, signers.newest))
    return signers


def leading_on(origin: str, newest: SigningPeriod, told: Iterable[Told]) -> Iterator[tuple[Told, SigningPeriod]]:
    """The keys that followed ``newest``, the last one that is known of the ledger ``origin``, in this ledger and in
    later generations of it, which begin with the key that the one before had at last.

    Passes over what does not continue the way so far: it is about other keys, or forged.
    """
    for one in told:
        if one.origin != origin and not is_later(one.origin, than=origin):
            continue
        try:
            period = newest if one.origin == origin else SigningPeriod(0, newest.key)
            newest = open_succession(one.succession, one.origin, period)
        except (SuccessionError, SignatureError):
            continue
        origin = one.origin
        yield one, newest


def chain_of(signers: Signers) -> list[bytes]:
    """The statements that lead from the first key to the newest."""
    return [period.succession for period in signers.periods[1:]]


def check_chain(signers: Signers, origin: str) -> None:
    """Whether every key followed by the will of the one before; raises as ``follow`` does."""
    if signers != follow(Signers((signers.periods[0],)), chain_of(signers), origin):
        raise KeyHistoryError(reason="other statements")


def check_changes(places: Iterable[int], signers: Signers, first: int, size: int) -> None:
    """Whether the entries ``first`` to ``size`` - 1 tell of exactly the changes that the history has there: ``places``
    are the indices of those that tell of one. Raises ``KeyHistoryError``."""
    told = set(places)
    wanted = {period.change for period in signers.periods[1:] if first <= period.change < size}
    if told != wanted:
        raise KeyHistoryError(reason="entries", index=min(told ^ wanted))


def check_change(body: Body | None, index: int, signers: Signers, origin: str) -> None:
    """Whether the body of an entry that tells of a change, if it is there, tells of the one that the history has there.

    1. The history has a change at this index.
    2. The content is a map with exactly ``previous``, ``key_id`` and ``succession``, the ids those of the two keys.
    3. The new key follows from the one before by this statement.

    Raises ``KeyHistoryError``, ``SuccessionError`` or ``SignatureError``.
    """
    if body is None:
        return
    # 1.
    change = next((pair for pair in pairwise(signers.periods) if pair[1].change == index), None)
    if change is None:
        raise KeyHistoryError(reason="entries", index=index)
    # 2.
    before, after = change
    try:
        content = body.read()
    except (EncodingError, EntryFormError) as error:
        raise KeyHistoryError(reason="contents", index=index) from error
    match content:
        case {"previous": before.key.key_id, "key_id": after.key.key_id, "succession": bytes(cose), **others} if (
            not others
        ):
            # 3.
            told = open_succession(cose, origin, before)
        case _:
            raise KeyHistoryError(reason="contents", index=index)
    if (told.size, told.key.spki) != (after.size, after.key.spki):
        raise KeyHistoryError(reason="contents", index=index)


def _signed(protected: bytes, payload: bytes) -> bytes:
    """Sig_structure of RFC 9052 section 4.4 with empty external data."""
    return encode(["Signature1", protected, b"", payload])


def _countersigned(protected: bytes, payload: bytes, signature: bytes) -> bytes:
    """Countersign_structure of RFC 9338 section 3.3 for an abbreviated countersignature of a COSE_Sign1."""
    return encode(["CounterSignature0V2", protected, b"", payload, [signature]])


def _parse(cose: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """(protected, countersignature, payload, signature), each a byte string."""
    try:
        parts = decode(cose.removeprefix(SIGN1_TAG)) if cose.startswith(SIGN1_TAG) else None
    except EncodingError as error:
        raise SuccessionError(reason="form") from error
    match parts:
        case [bytes(protected), {**unprotected}, bytes(payload), bytes(signature)] if set(unprotected) == {
            COUNTERSIGNATURE
        }:
            possession = unprotected[COUNTERSIGNATURE]
            if isinstance(possession, bytes):
                return protected, possession, payload, signature
    raise SuccessionError(reason="form")


def _header(protected: bytes) -> dict[Any, Any]:
    try:
        header = decode(protected)
    except EncodingError as error:
        raise SuccessionError(reason="header") from error
    if not isinstance(header, dict) or set(header) != {ALG, KID, TYP}:
        raise SuccessionError(reason="header")
    if header[ALG] != ES256_ALG or header[TYP] != SUCCESSION_TYPE:
        raise SuccessionError(reason="header")
    return header


def _claims(payload: bytes) -> tuple[str, int, VerifyingKey]:
    """What is said: of which ledger, from which size on, and the new key."""
    try:
        match decode(payload):
            case {"origin": str(origin), "size": int(size), "key": bytes(spki), **others} if (
                not others and type(size) is int and size >= FIRST_CHANGE
            ):
                return origin, size, VerifyingKey.from_spki(spki)
    except (EncodingError, KeyFormError) as error:
        raise SuccessionError(reason="contents") from error
    raise SuccessionError(reason="contents")
