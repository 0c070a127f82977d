"""Public keys as a text, with the size from which on each signs."""

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from hypothesis import given
from hypothesis import strategies as st

from appliance.ledger.key_file import read_keys, write_keys
from appliance.ledger.keys import KeyFormError
from appliance.ledger.signers import Signers
from tests.ledger import changed
from tests.ledger import material as m

PEMS = [key.public.pem() for key in (m.BOX, m.SECOND, m.THIRD)]


def test_one_key_is_its_pem_and_nothing_else() -> None:
    alone = Signers.of(m.BOX.public)
    assert write_keys(alone).encode() == m.BOX.public.pem()
    assert read_keys(m.BOX.public.pem()) == [m.BOX.public]


def test_a_history_comes_back_with_its_sizes() -> None:
    text = write_keys(changed.SIGNERS).encode()
    (found,) = read_keys(text)
    assert isinstance(found, Signers)
    assert found.joined(changed.SIGNERS).periods
    assert [(one.size, one.key) for one in found.periods] == [
        (0, m.BOX.public),
        (7, m.SECOND.public),
        (9, m.THIRD.public),
    ]
    assert load_pem_public_key(text[text.index(b"-----") :]) is not None  # as programs read it that know PEM only
    assert read_keys(text.replace(b"\n", b"\r\n")) == [found]


def test_keys_without_sizes_are_keys_by_themselves() -> None:
    assert read_keys(b"of two boxes\n" + PEMS[0] + PEMS[1]) == [m.BOX.public, m.SECOND.public]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"From: 0\n",
        m.BOX.pem(),
        PEMS[0][:60],
        b"From: 0\n" + PEMS[0] + PEMS[1],
        b"From: 1\n" + PEMS[0],
        b"From: 0\n" + PEMS[0] + b"From: 0\n" + PEMS[1],
        b"From: 0\n" + PEMS[0] + b"From: 9\n" + PEMS[0],
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(KeyFormError):
        read_keys(data)


@given(st.binary(max_size=200))
def test_bytes_are_no_keys(data: bytes) -> None:
    with pytest.raises(KeyFormError):
        read_keys(data)
