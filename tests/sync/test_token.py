"""What a person types: every slip is noticed, and what looks alike is taken as meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sync.token import ALPHABET, Token, TokenFormError, TokenMessage, transcript

TOKEN = Token(b"0123456789", b"f" * 16, "hub.example", 8884)


@given(st.binary(min_size=10, max_size=10), st.integers(1, 65535), st.from_regex(r"[a-z0-9.:-]{1,60}", fullmatch=True))
def test_a_token_comes_back_as_it_was_made(secret: bytes, port: int, host: str) -> None:
    token = Token(secret, b"f" * 16, host, port)
    assert Token.from_text(token.to_text()) == token


def test_small_letters_spaces_and_letters_like_digits_are_taken() -> None:
    text = TOKEN.to_text()
    assert all(len(group) == 5 for group in text.split("-")[:-1])
    assert Token.from_text(f"  {text.lower().replace('-', ' ')}\n") == TOKEN
    assert Token.from_text(text.replace("0", "O").replace("1", "l")) == TOKEN


def test_a_wrong_symbol_is_noticed_wherever_it_is() -> None:
    text = TOKEN.to_text().replace("-", "")
    taken = 0
    for at, symbol in enumerate(text):
        other = ALPHABET[(ALPHABET.index(symbol) + 1) % 32]
        try:
            Token.from_text(text[:at] + other + text[at + 1 :])
        except TokenFormError:
            continue
        taken += 1
    assert taken == 0


@pytest.mark.parametrize("text", ["", "-", "U" * 20, "あ", "0" * 70, "Z" * 5000, TOKEN.to_text()[:-1]])
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(TokenFormError):
        Token.from_text(text)


def test_the_secret_is_in_no_traceback() -> None:
    assert repr(TOKEN) == "Token(hub.example:8884)"


def test_what_is_signed_names_the_request_and_the_server() -> None:
    signed = {transcript(request, server) for request in (b"a", b"b") for server in (b"x", b"y")}
    assert len(signed) == 4


def test_a_message_comes_back_as_it_was_sent() -> None:
    message = TokenMessage(b"v" * 32, b"p" * 64, b"{}")
    assert TokenMessage.from_json(message.to_json()) == message


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b"\xff", b"[" * 50_000, b'{"form": "madoguchi enrolment by token 1", "verifier": 1}']
)
def test_another_message_is_refused(data: bytes) -> None:
    with pytest.raises(TokenFormError):
        TokenMessage.from_json(data)
