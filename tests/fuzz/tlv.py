"""The length of a DER object, and filler cut off behind it."""

from collections.abc import Iterator

from appliance.card.connection import CardProtocolError
from appliance.card.tlv import MAX_FILE_BYTES, SEQUENCE, der_length, trim
from tests.fuzz.der import sequence


def one(data: bytes) -> None:
    length = _length(data)
    for known in range(min(len(data), 6)):
        before = _length(data[:known])
        # What was once refused or known stays so, however much more of the file is read.
        assert before == length or before == "open", f"{known} bytes said {before}, all of them {length}"
    if isinstance(length, int):
        assert data[0] == SEQUENCE
        assert 2 <= length <= MAX_FILE_BYTES
    try:
        whole = trim(data)
    except CardProtocolError:
        assert not isinstance(length, int) or length > len(data)
        return
    assert whole == data[: len(whole)]
    assert len(whole) == length
    assert trim(whole) == whole
    assert trim(whole + b"\xff" * 7) == whole


def seeds() -> Iterator[bytes]:
    for content in (0, 1, 0x7F, 0x80, 0xFF, 0x100, 0x5FD, 0x7FFB):
        yield sequence(bytes(content))
        yield sequence(bytes(content)) + b"\xff" * 16
    yield from (bytes.fromhex(head) for head in ("3080", "308300FFFF", "30817F", "308200FF", "3082FFFF", "FFFF"))


def _length(data: bytes) -> int | str:
    try:
        found = der_length(data)
    except CardProtocolError:
        return "refused"
    return "open" if found is None else found
