"""The form of PIN and password: what cannot be right never reaches the card."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.card.key import Key, PasswordFormError, PinFormError, ready_password, ready_pin
from tests.card.table import quietly


@quietly
@given(st.binary(max_size=8))
def test_four_digits_and_nothing_else_are_a_pin(typed: bytes) -> None:
    pin = bytearray(typed)
    try:
        ready_pin(pin)
    except PinFormError:
        assert not (len(typed) == 4 and typed.isdigit())
    else:
        assert len(typed) == 4
        assert typed.isdigit()
    assert pin == typed


@pytest.mark.parametrize(
    ("typed", "sent"),
    [("abc123", "ABC123"), ("ABC123", "ABC123"), ("aBcDeFgHiJ123456", "ABCDEFGHIJ123456"), ("123456", "123456")],
)
def test_a_password_goes_out_in_capitals_where_it_lies(typed: str, sent: str) -> None:
    password = bytearray(typed.encode())
    ready_password(password)
    assert password == sent.encode()


@pytest.mark.parametrize("typed", ["", "abc12", "abcdefghij1234567", "abc 123", "abc-123", "ＡＢＣ１２３", "abc12é"])
def test_what_is_no_password_is_refused(typed: str) -> None:
    with pytest.raises(PasswordFormError) as caught:
        ready_password(bytearray(typed.encode()))
    assert caught.value.fields == {"least": 6, "most": 16}


@quietly
@given(st.binary(max_size=20))
def test_only_capitals_and_digits_are_ever_sent(typed: bytes) -> None:
    password = bytearray(typed)
    try:
        ready_password(password)
    except PasswordFormError:
        return
    text = password.decode("ascii")
    assert 6 <= len(text) <= 16
    assert text.isalnum()
    assert text == text.upper()


def test_each_key_speaks_of_its_own_secret() -> None:
    codes = {key: [kind.code for kind in (key.secret.wrong, key.secret.last_try, key.secret.locked)] for key in Key}
    assert codes[Key.AUTHENTICATION] == ["card.wrong_pin", "card.last_try", "card.locked"]
    assert codes[Key.SIGNATURE] == ["card.wrong_password", "card.password_last_try", "card.password_locked"]
    assert [key.secret.tries for key in Key] == [3, 5]
