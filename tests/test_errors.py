"""Errors are data: a code, a family with its status, and fields that are safe to show."""

import pytest

from appliance.errors import BusyError, ConfigError, MadoguchiError, RefusedError, UnavailableError, UntrustedError


@pytest.mark.parametrize(
    ("family", "status"),
    [(RefusedError, 422), (BusyError, 409), (UnavailableError, 503), (UntrustedError, 403), (ConfigError, 500)],
)
def test_a_family_has_its_status(family: type[MadoguchiError], status: int) -> None:
    assert family.status == status
    assert issubclass(family, MadoguchiError)


def test_the_text_is_code_and_fields_in_order() -> None:
    class TooSmallError(RefusedError):
        code = "test.too_small"

    error = TooSmallError(least=3, found=None)
    assert str(error) == "test.too_small least=3 found=None"
    assert error.fields == {"least": 3, "found": None}
    assert str(TooSmallError()) == "test.too_small"


def test_a_field_may_have_any_name() -> None:
    assert RefusedError(self=1, code=2).fields == {"self": 1, "code": 2}


def test_an_error_takes_no_free_text() -> None:
    with pytest.raises(TypeError):
        RefusedError("what a person typed")  # type: ignore[call-arg]  # that it is refused is the point
