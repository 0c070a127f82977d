"""What a token says of itself."""

import pytest

from appliance.card.key import Key
from appliance.card.token import Kind, available_in, kind_in


@pytest.mark.parametrize(("token", "kind"), [(one.value, one) for one in Kind if one.value])
def test_kinds_are_known_by_their_name(token: str, kind: Kind) -> None:
    assert kind_in(token.encode().ljust(32)) is kind
    assert kind_in(token.encode().ljust(160, b"\x00")) is kind


@pytest.mark.parametrize("info", [b"", b"\xff" * 32, b"JPKIAPICCTOKEN3".ljust(32), b" JPKIAPICCTOKEN2".ljust(32)])
def test_another_name_is_of_unknown_kind(info: bytes) -> None:
    assert kind_in(info) is Kind.UNKNOWN


@pytest.mark.parametrize(
    ("content", "keys"),
    [
        ("8F8F00", {Key.SIGNATURE, Key.AUTHENTICATION}),
        ("8F0000", {Key.SIGNATURE}),
        ("008F00", {Key.AUTHENTICATION}),
        ("000000", set()),
        ("8080FF", {Key.SIGNATURE, Key.AUTHENTICATION}),
    ],
)
def test_the_first_byte_is_for_signatures(content: str, keys: set[Key]) -> None:
    assert available_in(bytes.fromhex(content)) == frozenset(keys)


@pytest.mark.parametrize("content", ["", "8F8F", "8F8F0000"])
def test_another_length_says_nothing(content: str) -> None:
    assert available_in(bytes.fromhex(content)) is None
