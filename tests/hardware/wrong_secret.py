"""The only place from which a wrong PIN or password is ever sent, and the rule that stands before it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from appliance.card.apdu import wipe
from appliance.card.key import Key
from appliance.card.service import CardService
from appliance.errors import MadoguchiError, UntrustedError
from appliance.trust.anchors import Anchor
from appliance.trust.chain import verify
from appliance.trust.policy import installer_policy
from tests.hardware.declaration import Declaration

LEAST_TRIES: Final = 3


class WrongTryRefusedError(RuntimeError):
    """A wrong secret was not sent; the text says which line of the rule forbids it."""


def try_wrong(
    service: CardService, key: Key, wrong: bytearray, declaration: Declaration, anchors: Sequence[Anchor]
) -> MadoguchiError | None:
    """Begins a session, sends a wrong secret once, and returns the error that came of it. Wipes ``wrong``.

    Raises ``WrongTryRefusedError`` before anything is sent, unless all of this holds:

    1. The card in this very session is the declared one, and its holder wrote ``wrong_pins = true``.
    2. Its certificate is signed by the key of an anchor of ``O=JPKI-TEST``, the look-alike hierarchy: a card that an
       office issued never is, whatever the file says.
    3. At least three tries are left for this key's secret.
    """
    try:
        certificate = service.read().certificate
        if certificate is None or not declaration.names(certificate) or not declaration.wrong_pins:  # 1
            raise WrongTryRefusedError("its holder did not declare that wrong PINs may be tried on this card")
        if not is_look_alike(certificate, anchors):  # 2
            raise WrongTryRefusedError("the card is none of the look-alike hierarchy")
        tries = service.tries_left(key)
        if tries is None or tries < LEAST_TRIES:  # 3
            raise WrongTryRefusedError(f"fewer than {LEAST_TRIES} tries are left")
        try:
            service.open(wrong, key)
        except MadoguchiError as error:
            return error
        return None
    finally:
        wipe(wrong)


def is_look_alike(certificate: bytes, anchors: Sequence[Anchor]) -> bool:
    """Whether the look-alike hierarchy issued it; False for whatever cannot be verified."""
    try:
        return verify(certificate, anchors, datetime.now(UTC), installer_policy()).is_test
    except UntrustedError:
        return False
