"""A sealed file opens for its recipient, whole, and nothing of it can be changed, moved, cut off or exchanged."""

import dataclasses
import io
import os
import random

import pytest

from appliance.ledger.encoding import decode, encode
from appliance.ledger.keys import SignatureError, SigningKey
from appliance.ledger.recipient import Recipient
from appliance.ledger.sealed_file import (
    CHUNK_BYTES,
    TAG_BYTES,
    About,
    DamagedFileError,
    Header,
    OtherRecipientError,
    SealedFileError,
    open_content,
    recipient_id,
    seal_file,
)
from appliance.ledger.signers import Signers
from appliance.ledger.succession import SuccessionError, follow, sign_succession

HOLDER, DEVICE = Recipient.make(), SigningKey.make()
ABOUT = About(
    *("backup", "B113299900018", "madoguchi/1/B113299900018/box/1", 1, 7, 1_800_000_000_000),
    {"ledger": 5, "box": 4},
    recipient_id(HOLDER.public_bytes()),
)


def sealed(content: bytes, about: About = ABOUT) -> bytes:
    parts = [content[at : at + 1000] for at in range(0, len(content), 1000)]
    return b"".join(seal_file(about, HOLDER.public_bytes(), DEVICE, parts))


def opened(data: bytes, holder: Recipient = HOLDER) -> bytes:
    file = io.BytesIO(data)
    header = Header.read(file.read)
    header.verify(DEVICE.public)
    return b"".join(open_content(header, header.content_key(holder), file.read))


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_any_length_comes_back(size: int) -> None:
    content = random.Random(size).randbytes(size)
    data = sealed(content)
    assert opened(data) == content
    assert Header.read(io.BytesIO(data).read).about == ABOUT
    assert size < 64 or content[:64] not in data
    assert sealed(content) != data


@pytest.fixture(scope="module")
def three() -> tuple[int, list[bytes]]:
    """The length of what is before the chunks, and a header with four chunks."""
    data = sealed(os.urandom(3 * CHUNK_BYTES + 9))
    file = io.BytesIO(data)
    Header.read(file.read)
    start, step = file.tell(), CHUNK_BYTES + TAG_BYTES
    return start, [data[:start], *(data[at : at + step] for at in range(start, len(data), step))]


def test_chunks_stay_in_their_place(three: tuple[int, list[bytes]]) -> None:
    _, (header, first, second, third, last) = three
    other = sealed(os.urandom(3 * CHUNK_BYTES + 9))
    wrong: dict[str, tuple[list[bytes], int]] = {
        "swapped": ([header, second, first, third, last], 0),
        "left out": ([header, first, third, last], 1),
        "twice": ([header, first, first, second, third, last], 1),
        "cut off between two": ([header, first, second], 1),
        "cut off inside": ([header, first, second[:-1]], 1),
        "the last one left out": ([header, first, second, third], 2),
        "continued": ([header, first, second, third, last, last], 3),
        "nothing": ([header], 0),
        "of another file": ([header, first, second, third, other[-len(last) :]], 3),
    }
    for name, (parts, chunk) in wrong.items():
        with pytest.raises(DamagedFileError) as refused:
            opened(b"".join(parts))
        assert refused.value.fields == {"chunk": chunk}, name


def test_no_byte_can_be_changed(three: tuple[int, list[bytes]]) -> None:
    start, parts = three
    data = b"".join(parts)
    chosen = random.Random(3)
    places = [*range(60), *chosen.sample(range(start), 60), *chosen.sample(range(start, len(data)), 60), len(data) - 1]
    for at in places:
        changed = data[:at] + bytes([data[at] ^ 1 << chosen.randrange(8)]) + data[at + 1 :]
        with pytest.raises((SealedFileError, SignatureError, DamagedFileError, OtherRecipientError)):
            opened(changed)


def test_nobody_else_opens_it() -> None:
    data = sealed(b"content")
    with pytest.raises(OtherRecipientError) as refused:
        opened(data, Recipient.make())
    assert refused.value.fields == {"wanted": ABOUT.recipient.hex()}
    header = Header.read(io.BytesIO(data).read)
    with pytest.raises(SignatureError):
        header.verify(SigningKey.make().public)
    with pytest.raises(DamagedFileError):
        list(open_content(header, os.urandom(32), io.BytesIO(data[-23:]).read))


def test_what_is_no_such_file_is_told_by_its_reason() -> None:
    data = sealed(b"content")
    header = Header.read(io.BytesIO(data).read)

    def framed(raw: bytes) -> bytes:
        return data[:5] + len(raw).to_bytes(4) + raw + bytes(64)

    told = decode(header.raw)
    wrong = {
        b"": "kind",
        b"PK\x03\x04" + data[4:]: "kind",
        data[:4] + b"\x02" + data[5:]: "version",
        data[:5] + b"\xff\xff\xff\xff" + data[9:]: "header",
        data[:40]: "header",
        framed(b"\xff"): "header",
        framed(encode([1, 2])): "header",
        framed(encode([1, *told[1:]])): "header",
        framed(encode([*told[:3], -1, *told[4:]])): "header",
        framed(encode([*told[:6], {"box": "4"}, *told[7:]])): "header",
        framed(encode([*told[:-1], "key"])): "header",
    }
    for one, reason in wrong.items():
        with pytest.raises(SealedFileError) as refused:
            Header.read(io.BytesIO(one).read)
        assert refused.value.fields == {"reason": reason}
    other = dataclasses.replace(ABOUT, size=8)
    assert Header.read(io.BytesIO(sealed(b"content", other)).read).about == other


def test_the_header_leads_from_the_first_key_to_the_one_that_signed() -> None:
    second, third, origin = SigningKey.make(), SigningKey.make(), ABOUT.origin
    chain = [sign_succession(origin, 5, DEVICE, second), sign_succession(origin, 7, second, third)]

    def header(key: SigningKey, size: int, *successions: bytes) -> Header:
        about = dataclasses.replace(ABOUT, size=size)
        return Header.read(io.BytesIO(b"".join(seal_file(about, HOLDER.public_bytes(), key, [], successions))).read)

    for key, size in ((DEVICE, 4), (second, 4), (third, 4), (second, 6), (third, 6), (third, 7), (third, 9)):
        found = header(key, size, *chain)
        assert found.successions == tuple(chain)
        found.verify(DEVICE.public)
        found.verify(follow(Signers.of(DEVICE.public), chain, origin))
    for key, size, successions, error in (
        (DEVICE, 5, chain, SignatureError),  # beyond its end
        (second, 7, chain, SignatureError),
        (third, 9, chain[:1], SignatureError),
        (third, 9, chain[1:], SuccessionError),
        (third, 9, [], SignatureError),
        (SigningKey.make(), 9, chain, SignatureError),
    ):
        with pytest.raises(error):
            header(key, size, *successions).verify(DEVICE.public)


@pytest.mark.parametrize("more", [[], None, [1], b"", [None]])
def test_another_form_of_the_statements_is_no_header(more: object) -> None:
    file = Header.read(io.BytesIO(sealed(b"")).read)
    *told, key = decode(file.raw)
    raw = encode([*told, more, key])
    with pytest.raises(SealedFileError):
        Header.read(io.BytesIO(Header(ABOUT, file.sealed_key, raw, file.signature).to_bytes()).read)
