"""What a later ledger says was erased in the exported one: it counts when it is proven there."""

from collections.abc import Mapping

from appliance.errors import UntrustedError
from appliance.ledger.entry import check_body
from appliance.ledger.erasure import EarlierErasure, ErasureFormError, erasure_of
from appliance.ledger.export import ErasedLater, ExportFormError
from appliance.ledger.receipt import open_receipt, read_issuer
from appliance.ledger.signers import Signers


class LaterKeyError(UntrustedError):
    """An export names a later ledger of the box, ``origin``, of whose key ``key`` nothing is pinned: what it says was
    erased cannot be believed, and without it bodies are gone for no reason that is known."""

    code = "export.later_key"


def open_erased_later(item: ErasedLater, origin: str, later: Mapping[str, Signers]) -> EarlierErasure:
    """What the item proves was erased in the ledger ``origin``; ``later`` has the keys of later ledgers by name.

    1. The receipt is of one of these ledgers, signed by its box with a key that may at this size.
    2. The body is the one that the entry committed to.
    3. The entry is an ``earlier_body.erased``, and speaks of this ledger.

    The hub's cosignature, if the receipt has one, is not read. Raises an ``UntrustedError``.
    """
    # 1.
    writer, _ = read_issuer(item.receipt)
    if writer not in later:
        raise ExportFormError(reason="the word of a ledger that is not named")
    found = open_receipt(item.receipt, writer, later[writer], None)
    # 2.
    check_body(found.entry, item.body)
    # 3.
    erasure = erasure_of(found.entry, item.body, writer)
    if erasure is None or erasure.origin != origin:
        raise ErasureFormError(reason="no erasure in this ledger")
    return erasure
