"""A target with a defect behind two checks of the product, to see that a fuzzer gets there."""

from collections.abc import Iterator

from appliance.card.connection import CardProtocolError
from appliance.card.tlv import trim


def one(data: bytes) -> None:
    try:
        whole = trim(data)
    except CardProtocolError:
        return
    assert len(whole) < 5, "a canary died"


def seeds() -> Iterator[bytes]:
    yield b"\x30\x00"
