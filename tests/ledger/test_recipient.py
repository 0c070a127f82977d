"""What is sealed for one recipient and one thing opens for that recipient and as that thing."""

import pytest

from appliance.ledger.recipient import EvidenceError, EvidenceKeyError, Recipient, seal_for

SOMEBODY = Recipient.make()


def test_a_recipient_opens_what_was_sealed_for_it() -> None:
    message = seal_for(SOMEBODY.public_bytes(), b"secret", b"thing")
    again = Recipient.from_bytes(SOMEBODY.to_bytes())
    assert again.unseal(message, b"thing") == b"secret"
    assert len(message) - len(b"secret") == 1136
    assert seal_for(SOMEBODY.public_bytes(), b"secret", b"thing") != message


def test_nobody_else_does_and_not_as_another_thing() -> None:
    message = seal_for(SOMEBODY.public_bytes(), b"secret", b"thing")
    changed = bytes([message[0] ^ 1, *message[1:]])
    for who, what, info in (
        (Recipient.make(), message, b"thing"),
        (SOMEBODY, message, b"other thing"),
        (SOMEBODY, changed, b"thing"),
        (SOMEBODY, message[:-1], b"thing"),
        (SOMEBODY, b"", b"thing"),
    ):
        with pytest.raises(EvidenceError):
            who.unseal(what, info)


def test_other_bytes_are_no_key() -> None:
    for raw in (b"", b"\0" * 31, SOMEBODY.public_bytes()[:-1]):
        with pytest.raises(EvidenceKeyError):
            seal_for(raw, b"secret", b"thing")
        with pytest.raises(EvidenceKeyError):
            Recipient.from_bytes(raw)
