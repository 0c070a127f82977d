"""Two implementations of FIPS 204 agree: the library that the box signs with, and one in plain numbers."""

import hashlib

import pytest

from appliance.ledger.archive_keys import SIGNATURE_BYTES, ArchiveSigningKey
from tests.ledger.ml_dsa import key_from, signed

SEEDS = [hashlib.sha256(bytes([number])).digest() for number in range(3)]


@pytest.mark.parametrize("seed", SEEDS, ids=range(3))
def test_the_same_seed_makes_the_same_key_and_signatures_that_hold(seed: bytes) -> None:
    key = ArchiveSigningKey.from_seed(seed)
    assert key.public.spki.endswith(key_from(seed).public)
    for message in (b"", b"tree", bytes(5000)):
        signature = signed(seed, message)
        assert len(signature) == SIGNATURE_BYTES
        key.public.verify(signature, message)


def test_a_signature_repeats() -> None:
    assert key_from(SEEDS[0]).sign(b"tree") == signed(SEEDS[0], b"tree")
    assert signed(SEEDS[0], b"tree") != signed(SEEDS[1], b"tree")
