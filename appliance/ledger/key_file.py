"""The public keys of a ledger as a text that others keep: what receipts and exports are verified with.

One key is one block of PEM (RFC 7468). Where a ledger has had several, each block has a line ``From: SIZE`` before it,
the size of the first checkpoint that the key signs; programs that know PEM only pass such lines over.
"""

import re

from appliance.ledger.keys import KeyFormError, VerifyingKey
from appliance.ledger.signers import KeyHistoryError, Pinned, Signers, SigningPeriod

BLOCK = re.compile(
    rb"(?:^From: ([0-9]{1,18})\s*\n)?(-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----)", re.DOTALL | re.MULTILINE
)


def write_keys(signers: Signers) -> str:
    """The text of all keys, the first one first."""
    blocks = [(period.size, period.key.pem().decode()) for period in signers.periods]
    if len(blocks) == 1:
        return blocks[0][1]
    return "".join(f"From: {size}\n{pem}" for size, pem in blocks)


def read_keys(data: bytes) -> list[Pinned]:
    """The keys of such a text: one history, or keys by themselves if none says from when on it signs.

    Raises ``KeyFormError``.
    """
    blocks = [(found[1], VerifyingKey.from_pem(found[2])) for found in BLOCK.finditer(data)]
    if not blocks:
        raise KeyFormError(reason="no public key in PEM")
    if all(size is None for size, _ in blocks):
        return [key for _, key in blocks]
    if any(size is None for size, _ in blocks):
        raise KeyFormError(reason="a key without the size from which it signs")
    try:
        return [Signers(tuple(SigningPeriod(int(size), key) for size, key in blocks))]
    except KeyHistoryError as error:
        raise KeyFormError(reason="keys out of order") from error
