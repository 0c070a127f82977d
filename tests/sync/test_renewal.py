"""The messages of a renewal are read as they were written, and what is not of their form is refused."""

import pytest

from appliance.ledger.encoding import encode
from appliance.sync.renewal import ANSWER, MAX_PEM_BYTES, REQUEST, RenewalAnswer, RenewalRequest
from appliance.sync.wire import MalformedError, pack, unpack


@pytest.mark.parametrize("message", [RenewalRequest(b"pem"), RenewalAnswer(b"pem"), RenewalAnswer(b"", "hub.revoked")])
def test_it_comes_back(message: RenewalRequest | RenewalAnswer) -> None:
    assert unpack(pack(message)) == message


@pytest.mark.parametrize("message", [RenewalRequest(b"x" * (MAX_PEM_BYTES + 1)), RenewalAnswer(b"x" * 9000)])
def test_what_is_too_long_is_refused(message: RenewalRequest | RenewalAnswer) -> None:
    with pytest.raises(MalformedError):
        unpack(pack(message))


def test_the_numbers_of_the_kinds_stay() -> None:
    assert (REQUEST, ANSWER) == (16, 17)
    assert encode(RenewalRequest(b"x").to_value()) == encode([16, b"x"])
