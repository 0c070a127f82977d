"""Settings are checked where they are written: file, key and reason are named. Secrets come from elsewhere."""

from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.config import (
    CredentialError,
    CredentialSource,
    SettingError,
    Settings,
    UnknownSettingError,
    changed_settings,
    credential_path,
    load_settings,
    read_credential,
    settings_paths,
    successor_of,
)
from tests.source import ROOT

WriteFile = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> WriteFile:
    def write(text: str, name: str = "site.toml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_later_files_win_key_by_key(write: WriteFile) -> None:
    first = write('[box]\nlog_level = "debug"\n[kiosk]\nport = 1\nidle_s = 60\n', "a.toml")
    second = write('[kiosk]\nport = 8081\n[staff]\nnames = ["a.example", "b.example"]\n', "b.toml")
    settings = load_settings([first, second])
    assert (settings.box.log_level, settings.kiosk.port, settings.kiosk.idle_s) == ("debug", 8081, 60)
    assert settings.staff.names == ("a.example", "b.example")
    assert settings.reader == Settings().reader


def test_without_files_everything_is_as_shipped() -> None:
    assert load_settings([]) == Settings()


@pytest.mark.parametrize("name", ["appliance.toml", "site.toml"])
def test_the_shipped_files_are_understood_and_change_nothing(name: str) -> None:
    assert changed_settings(load_settings([ROOT / "firmware-config" / name])) == {}


@pytest.mark.parametrize(
    ("text", "key", "known"),
    [
        ("[box]\nstate_dri = '/x'\n", "box.state_dri", "state_dir, run_dir, trust_dir, log_level"),
        ("[boxx]\n", "boxx", "box, reader, kiosk, staff, sync, retention, keys"),
        ("[kiosk.port]\nx = 1\n", "kiosk.port", None),
    ],
)
def test_an_unknown_key_is_named_with_those_there_are(text: str, key: str, known: str | None, write: WriteFile) -> None:
    path = write(text)
    with pytest.raises(SettingError if known is None else UnknownSettingError) as refused:
        load_settings([path])
    assert (refused.value.fields["file"], refused.value.fields["key"]) == (str(path), key)
    assert refused.value.fields.get("known") == known


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        ("kiosk = 1", "kiosk", "must be a table"),
        ("[kiosk]\nport = '80'", "kiosk.port", "must be a whole number"),
        ("[kiosk]\nport = true", "kiosk.port", "must be a whole number"),
        ("[kiosk]\nport = 80.0", "kiosk.port", "must be a whole number"),
        ("[kiosk]\nport = 0", "kiosk.port", "must be between 1 and 65535"),
        ("[kiosk]\nport = 65536", "kiosk.port", "must be between 1 and 65535"),
        ("[kiosk]\nidle_s = 9", "kiosk.idle_s", "must be between 10 and 600"),
        ("[reader]\nname = 1", "reader.name", "must be a text"),
        ("[reader]\nallow_test_cards = 1", "reader.allow_test_cards", "must be true or false"),
        ("[box]\nlog_level = 'loud'", "box.log_level", "must be one of debug, info, warning, error"),
        ("[box]\nstate_dir = ''", "box.state_dir", "must be a path"),
        ("[box]\nstate_dir = 3", "box.state_dir", "must be a path"),
        ("[staff]\nnames = 'a'", "staff.names", "must be a list of texts"),
        ("[staff]\nnames = ['a', 1]", "staff.names", "must be a list of texts"),
        ("[sync]\nlesson_days = [1, true]", "sync.lesson_days", "must be a list of whole numbers"),
        ("[keys]\npcrs = [7, 24]", "keys.pcrs", "must be one or more numbers between 0 and 23"),
        ("[keys]\npcrs = []", "keys.pcrs", "must be one or more numbers between 0 and 23"),
        ("[keys]\ntpm = 'always'", "keys.tpm", "must be one of auto, never"),
    ],
)
def test_a_wrong_value_is_named_with_the_rule(text: str, key: str, reason: str, write: WriteFile) -> None:
    path = write(text)
    with pytest.raises(SettingError) as refused:
        load_settings([path])
    assert refused.value.fields == {"file": str(path), "key": key, "reason": reason}


@pytest.mark.parametrize(("text", "edge"), [("port = 1", 1), ("port = 65535", 65535)], ids=["least", "most"])
def test_the_limits_themselves_are_allowed(text: str, edge: int, write: WriteFile) -> None:
    assert load_settings([write(f"[kiosk]\n{text}\n")]).kiosk.port == edge


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, write: WriteFile) -> None:
    for path in (tmp_path / "absent.toml", tmp_path):
        with pytest.raises(SettingError) as refused:
            load_settings([path])
        assert refused.value.fields["file"] == str(path)
    broken = write("[box\n")
    with pytest.raises(SettingError, match="line 1"):
        load_settings([broken])
    broken.write_bytes(b'[box]\nlog_level = "\xff"\n')
    with pytest.raises(SettingError, match=r"broken|site\.toml"):
        load_settings([broken])


def test_changes_are_told_with_the_default(write: WriteFile) -> None:
    settings = load_settings([write("[kiosk]\nidle_s = 60\ngrace_s = 20\n[sync]\nlesson_days = [1]\n")])
    assert changed_settings(settings) == {
        "kiosk.idle_s": ("45", "60"),
        "sync.lesson_days": ("(1, 2, 3, 4, 5)", "(1,)"),
    }


def test_the_files_are_those_of_the_variable_or_those_installed(tmp_path: Path) -> None:
    there, absent = tmp_path / "there.toml", tmp_path / "absent.toml"
    there.touch()
    assert settings_paths({}, installed=(absent, there)) == [there]
    named = {"APPLIANCE_SETTINGS": f"{absent}::{there}"}
    assert settings_paths(named, installed=(there,)) == [absent, there]
    assert settings_paths({"OTHER": str(absent)}, "OTHER", ()) == [absent]


def test_a_credential_is_a_file_in_the_folder_systemd_names(tmp_path: Path) -> None:
    (tmp_path / "device.key").write_bytes(b"\x00secret\n")
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert credential_path("device.key", environment) == tmp_path / "device.key"
    assert read_credential("device.key", environment) == b"\x00secret\n"


def test_a_credential_may_have_a_successor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    source = CredentialSource("device.key")
    with pytest.raises(CredentialError, match=r"device\.key"):
        source()
    (tmp_path / "device.key").write_bytes(b"now")
    assert source() == [b"now"]
    successor = tmp_path / successor_of("device.key")
    assert successor.name == "device.key.next"
    successor.write_bytes(b"then")
    assert source() == [b"now", b"then"]
    successor.replace(tmp_path / "device.key")
    assert source() == [b"then"]


def test_a_missing_credential_is_named(tmp_path: Path) -> None:
    with pytest.raises(CredentialError) as refused:
        read_credential("device.key", {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert refused.value.fields == {"name": "device.key", "reason": "No such file or directory"}
    for environment in ({}, {"CREDENTIALS_DIRECTORY": ""}):
        with pytest.raises(CredentialError) as refused:
            credential_path("device.key", environment)
        assert refused.value.fields == {"name": "device.key", "reason": "CREDENTIALS_DIRECTORY is not set"}
