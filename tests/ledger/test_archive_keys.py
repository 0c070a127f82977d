"""The archive's keys: what is accepted as one, what comes back from disk and paper, and which signatures hold."""

import hashlib

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from appliance.ledger.archive_keys import (
    SEED_BYTES,
    SIGNATURE_BYTES,
    ArchiveKeyFormError,
    ArchiveSigningKey,
    ArchiveVerifyingKey,
)
from appliance.ledger.keys import SignatureError, SigningKey

KEY = ArchiveSigningKey.make()
# RFC 9881 section 4: id-ml-dsa-65 without parameters, and a bit string of 1,952 bytes.
SPKI_START = bytes.fromhex("308207b2300b0609608648016503040312038207a100")


def test_a_key_comes_back_from_its_pem_and_from_its_seed() -> None:
    assert ArchiveSigningKey.from_pem(KEY.pem()).public.spki == KEY.public.spki
    assert len(KEY.seed()) == SEED_BYTES
    assert ArchiveSigningKey.from_seed(KEY.seed()).pem() == KEY.pem()
    assert ArchiveVerifyingKey.from_pem(KEY.public.pem()).spki == KEY.public.spki
    assert ArchiveVerifyingKey.from_spki(KEY.public.spki).key_id == KEY.public.key_id


def test_the_form_of_a_public_key() -> None:
    assert KEY.public.spki.startswith(SPKI_START)
    assert len(KEY.public.spki) == len(SPKI_START) + 1952
    assert KEY.public.fingerprint == hashlib.sha256(KEY.public.spki).digest()
    assert KEY.public.key_id == KEY.public.fingerprint[:8]


def test_a_signature_is_of_this_message_and_this_key() -> None:
    first, second = KEY.sign(b"tree"), KEY.sign(b"tree")
    assert len(first) == SIGNATURE_BYTES
    assert first != second
    for one in (first, second):
        KEY.public.verify(one, b"tree")
    bent = bytes([first[0] ^ 1]) + first[1:]
    others = ((first, b"other tree"), (first[:-1], b"tree"), (b"", b"tree"), (first + b"\0", b"tree"), (bent, b"tree"))
    for signature, message in others:
        with pytest.raises(SignatureError):
            KEY.public.verify(signature, message)
    with pytest.raises(SignatureError):
        ArchiveSigningKey.make().public.verify(first, b"tree")


def smaller() -> bytes:
    return MLDSA44PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.parametrize(
    "pem",
    [b"", b"no key", SigningKey.make().pem(), KEY.public.pem(), smaller()],
    ids=["nothing", "no PEM", "P-256", "public", "ML-DSA-44"],
)
def test_what_is_no_private_key_of_the_archive(pem: bytes) -> None:
    with pytest.raises(ArchiveKeyFormError):
        ArchiveSigningKey.from_pem(pem)


@pytest.mark.parametrize("seed", [b"", bytes(31), bytes(33)])
def test_what_is_no_seed(seed: bytes) -> None:
    with pytest.raises(ArchiveKeyFormError):
        ArchiveSigningKey.from_seed(seed)


@pytest.mark.parametrize(
    "pem",
    [b"", b"no key", SigningKey.make().public.pem(), KEY.pem()],
    ids=["nothing", "no PEM", "P-256", "private"],
)
def test_what_is_no_public_key_in_pem(pem: bytes) -> None:
    with pytest.raises(ArchiveKeyFormError):
        ArchiveVerifyingKey.from_pem(pem)


@pytest.mark.parametrize(
    "spki",
    [b"", SigningKey.make().public.spki, KEY.public.spki[:-1], KEY.public.spki + b"\0", b"\x30" * 1974],
    ids=["nothing", "P-256", "cut", "more", "nonsense"],
)
def test_what_is_no_public_key_in_der(spki: bytes) -> None:
    with pytest.raises(ArchiveKeyFormError):
        ArchiveVerifyingKey.from_spki(spki)
