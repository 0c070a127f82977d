"""How long the DER object at the start of a file is, so that filler behind it can be cut off (X.690 section 8.1.3)."""

from appliance.card.connection import CardProtocolError

SEQUENCE = 0x30
LONG_FORM = 0x80
# 15 bits of offset are all that READ BINARY can address (ISO/IEC 7816-4 section 11.2.3), so no file is longer.
MAX_FILE_BYTES = 0x8000


def der_length(head: bytes) -> int | None:
    """Bytes of the whole SEQUENCE at the start of ``head``, tag and length bytes included.

    Returns None while ``head`` ends before the length does: the length may straddle two answers of the card. Raises
    ``CardProtocolError`` for another tag, an indefinite or non-minimal length, or an object longer than a file can be.
    """
    if not head:
        return None
    if head[0] != SEQUENCE:
        raise CardProtocolError(step="der", reason="not a sequence")
    if len(head) < 2:
        return None
    first = head[1]
    if first < LONG_FORM:
        return 2 + first
    count = first - LONG_FORM
    if count not in (1, 2):  # 0 is the indefinite form; three bytes and more cannot fit a file
        raise CardProtocolError(step="der", reason="length form")
    if len(head) < 2 + count:
        return None
    length = int.from_bytes(head[2 : 2 + count], "big")
    if length < (LONG_FORM if count == 1 else 0x100):
        raise CardProtocolError(step="der", reason="length not minimal")
    whole = 2 + count + length
    if whole > MAX_FILE_BYTES:
        raise CardProtocolError(step="der", reason="longer than a file")
    return whole


def trim(data: bytes) -> bytes:
    """The SEQUENCE at the start of ``data`` without what follows it.

    Raises ``CardProtocolError`` if it is cut off or is none.
    """
    whole = der_length(data)
    if whole is None or whole > len(data):
        raise CardProtocolError(step="der", reason="cut off")
    return data[:whole]
