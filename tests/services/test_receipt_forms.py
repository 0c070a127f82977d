"""One receipt, whatever form it is brought in; everything else is told what it is instead."""

import pytest
from PIL import Image

from appliance.errors import MadoguchiError
from appliance.ledger.base45 import Base45Error
from appliance.ledger.receipt import receipt_text
from appliance.services.photo import DamagedPictureError, PictureKindError
from appliance.services.receipt_forms import (
    NoReceiptError,
    OtherCodeError,
    ReceiptFormError,
    SeveralReceiptsError,
    receipt_in,
)
from tests.ledger.paper import make_paper
from tests.sim.photograph import beside, draw, rotate, to_file

RECEIPT, SECOND = (make_paper(1_000_000, index).receipt for index in (3, 4))
TEXT = receipt_text(RECEIPT)
CODE = draw(TEXT, 5)
OTHER = draw("https://school.example/", 5)


@pytest.mark.parametrize(
    "data",
    [
        RECEIPT,
        TEXT.encode(),
        f"  {TEXT.lower()}\r\n".encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        to_file(CODE, "PNG"),
        to_file(rotate(CODE, 20)),
        to_file(beside(OTHER, CODE)),
        to_file(beside(CODE, CODE)),
    ],
    ids=["bytes", "text", "small", "mark", "utf-16", "utf-16-be", "screenshot", "photo", "other beside it", "twice"],
)
def test_every_form_is_the_same_receipt(data: bytes) -> None:
    assert receipt_in(data) == RECEIPT


@pytest.mark.parametrize(
    ("data", "error", "fields"),
    [
        (b"", ReceiptFormError, {"prefix": "MDG1:"}),
        (b"\0" * 100, ReceiptFormError, {"prefix": "MDG1:"}),
        (b"\xff\xfe\xd8", ReceiptFormError, {"prefix": "MDG1:"}),
        ("受領証".encode(), ReceiptFormError, {"prefix": "MDG1:"}),
        (b"-----BEGIN PUBLIC KEY-----", ReceiptFormError, {"prefix": "MDG1:"}),
        (b"MDG1:\xff", Base45Error, {"place": 6}),
        ("MDG1:あ".encode(), Base45Error, {"place": 6}),
        (to_file(Image.new("L", (300, 300), 200)), NoReceiptError, {}),
        (to_file(OTHER), OtherCodeError, {"codes": 1}),
        (to_file(beside(CODE, draw(receipt_text(SECOND), 5))), SeveralReceiptsError, {"receipts": 2}),
        (to_file(CODE, "PNG")[:200], DamagedPictureError, {}),
        (b"\0\0\0\x18ftypheic", PictureKindError, {"kinds": "PNG, JPEG, WEBP"}),
    ],
)
def test_what_it_is_instead_is_told(data: bytes, error: type[MadoguchiError], fields: dict[str, object]) -> None:
    with pytest.raises(error) as refused:
        receipt_in(data)
    assert refused.value.fields == fields


def test_a_code_with_a_wrong_character_is_told_as_such() -> None:
    with pytest.raises(Base45Error):
        receipt_in(to_file(draw(TEXT[:-1] + ":", 5)))


def test_a_text_that_was_cut_between_two_groups_is_still_some_bytes() -> None:
    whole = len(RECEIPT) // 2 * 3
    cut = receipt_in(TEXT[: len("MDG1:") + whole - 3].encode())
    assert RECEIPT.startswith(cut)
    assert cut != RECEIPT
