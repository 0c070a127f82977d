"""The keys that a program holds to sign with, read from its credentials each time."""

from pathlib import Path

import pytest

from appliance.config import CredentialError
from appliance.ledger.keys import KeyFormError, SigningKey
from appliance.services.device_keys import DeviceKeys


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    return tmp_path


def ids() -> list[bytes]:
    return [one.public.key_id for one in DeviceKeys()()]


def test_the_key_and_for_a_while_its_successor(folder: Path) -> None:
    key, successor = SigningKey.make(), SigningKey.make()
    (folder / "device.key").write_bytes(key.pem())
    assert ids() == [key.public.key_id]
    (folder / "device.key.next").write_bytes(successor.pem())
    assert ids() == [key.public.key_id, successor.public.key_id]
    (folder / "device.key.next").replace(folder / "device.key")
    assert ids() == [successor.public.key_id]


def test_a_successor_that_is_no_key_is_none(folder: Path) -> None:
    key = SigningKey.make()
    (folder / "device.key").write_bytes(key.pem())
    (folder / "device.key.next").write_bytes(b"half a k")
    assert ids() == [key.public.key_id]


def test_without_a_key_there_is_nothing_to_sign_with(folder: Path) -> None:
    with pytest.raises(CredentialError):
        ids()
    (folder / "device.key").write_bytes(b"no key")
    with pytest.raises(KeyFormError):
        ids()
