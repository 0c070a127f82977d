"""The card of today and the coming one: what is tested of the one is tested of the other."""

import hashlib
from dataclasses import dataclass

import pytest

from tests.sim.card.pki import LATEST

MESSAGE = b"what the person read"


@dataclass(frozen=True)
class Generation:
    """``digest`` is what such a card signs for ``MESSAGE``; lengths in bytes."""

    number: int
    digest: bytes
    certificate_bytes: int | None
    signature_bytes: int


@pytest.fixture(
    params=[
        Generation(LATEST, hashlib.sha256(MESSAGE).digest(), 1453, 256),
        Generation(4, hashlib.sha384(MESSAGE).digest(), None, 96),
    ],
    ids=["rsa-2048", "p-384"],
)
def generation(request: pytest.FixtureRequest) -> Generation:
    """RSA with 2048 bits and SHA-256, or ECDSA on P-384 with SHA-384."""
    found = request.param
    assert isinstance(found, Generation)
    return found
