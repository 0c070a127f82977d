"""A password comes from a descriptor, as one line of text."""

import pytest

from appliance.programs.cli.password import MOST_BYTES, PasswordSourceError, read_password
from tests.programs.cli.conftest import piped


@pytest.mark.parametrize(
    ("given", "password"),
    [
        ("ひみつの合言葉\n".encode(), "ひみつの合言葉"),
        (b"secret\r\nmore\n", "secret"),
        (b"no end of line", "no end of line"),
        (b"", ""),
    ],
)
def test_the_first_line_is_the_password(given: bytes, password: str) -> None:
    with piped(given) as descriptor:
        assert read_password(descriptor) == password


def test_an_endless_line_is_not_read_to_its_end() -> None:
    with piped(b"x" * 4 * MOST_BYTES) as descriptor:
        assert read_password(descriptor) == "x" * MOST_BYTES


def test_what_is_no_text_is_not_quoted() -> None:
    with piped(b"\xff\xfesecret\n") as descriptor, pytest.raises(PasswordSourceError) as refused:
        read_password(descriptor)
    assert refused.value.fields == {"descriptor": descriptor, "reason": "not UTF-8"}
    assert "secret" not in str(refused.value)


def test_a_descriptor_that_is_not_open_is_named() -> None:
    with pytest.raises(PasswordSourceError) as refused:
        read_password(987)
    assert refused.value.fields == {"descriptor": 987, "reason": "Bad file descriptor"}
