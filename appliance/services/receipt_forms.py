"""The forms in which somebody brings a receipt: its bytes, its text, or a picture of its QR code."""

from appliance.errors import RefusedError
from appliance.ledger.receipt import PREFIX, parse_receipt_text, starts_as_text
from appliance.services.photo import codes_in, is_picture

LIST_OF_TWO = b"\x82"
"""How the CBOR of a receipt begins."""
BYTE_ORDER = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
"""Some editors write texts so; the mark says which of the two orders it is."""


class ReceiptFormError(RefusedError):
    """Neither a receipt's bytes, nor its text, nor a picture."""

    code = "receipt.form"


class NoReceiptError(RefusedError):
    """A picture without a QR code in it that can be read."""

    code = "receipt.no_code"


class OtherCodeError(RefusedError):
    """A picture with QR codes, of which none is a receipt."""

    code = "receipt.other_code"


class SeveralReceiptsError(RefusedError):
    """A picture with more than one receipt."""

    code = "receipt.several"


def receipt_in(data: bytes) -> bytes:
    """The bytes of the one receipt that a file holds, whatever its form.

    Raises a ``RefusedError`` that says what the file is instead.
    """
    if is_picture(data):
        codes = codes_in(data)
        receipts = {parse_receipt_text(code) for code in codes if starts_as_text(code)}
        if not codes:
            raise NoReceiptError()
        if not receipts:
            raise OtherCodeError(codes=len(codes))
        if len(receipts) > 1:
            raise SeveralReceiptsError(receipts=len(receipts))
        return receipts.pop()
    # What is no text is no receipt's text either: what stands for its bytes is in no alphabet.
    text = data.decode(BYTE_ORDER.get(data[:2], "utf-8"), "replace")
    if starts_as_text(text):
        return parse_receipt_text(text)
    if not data.startswith(LIST_OF_TWO):
        raise ReceiptFormError(prefix=PREFIX)
    return data
