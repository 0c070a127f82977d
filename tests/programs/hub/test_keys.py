"""``hub keys rotate database``: a new key while the hub works on, and wherever it is interrupted one key opens."""

import json
from pathlib import Path

import pytest

from appliance.config import CredentialSource
from appliance.programs.hub import keys as module
from appliance.programs.hub.__main__ import main
from appliance.programs.hub.keys import finish_rotation
from appliance.programs.hub.registry import Registry
from appliance.programs.hub.settings import DATABASE_KEY, DATABASE_NAME
from appliance.services.key_rotation import Stage
from appliance.services.successor import Successor
from appliance.store.database import Database
from appliance.store.faults import WrongKeyError
from tests.programs.hub.conftest import FoundedHub

ROTATE = ("keys", "rotate", "database")


class PulledError(Exception):
    """What a test raises where the power goes."""


@pytest.fixture
def keys(hub: FoundedHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the hub's keys, with the settings that its commands read."""
    settings = tmp_path / "hub.toml"
    settings.write_text(f'[hub]\nname = "hub.test"\nstate_dir = "{hub.settings.hub.state_dir}"\n', encoding="utf-8")
    monkeypatch.setenv("APPLIANCE_HUB_SETTINGS", str(settings))
    return tmp_path / "hub-keys"


def opening(hub: FoundedHub, keys: Path) -> list[str]:
    """Which of the keys that are there open the database."""
    found = []
    for file in sorted(keys.glob(f"{DATABASE_KEY}*")):
        try:
            Database.open(hub.settings.hub.state_dir / DATABASE_NAME, file.read_bytes()).close()
        except WrongKeyError:
            continue
        found.append(file.name)
    return found


def test_a_new_key_takes_the_place_of_the_old_one_under_a_hub_that_runs(
    hub: FoundedHub, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, path = (keys / DATABASE_KEY).read_bytes(), hub.settings.hub.state_dir / DATABASE_NAME
    with Database.open(path, CredentialSource(DATABASE_KEY)) as running:
        assert Registry(running).codes() == []
        assert main([*ROTATE, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == {"rotated": "database", "sealed": False}
        assert Registry(running).codes() == []
        Registry(running).note_all_offline()  # it writes as well
    assert (keys / DATABASE_KEY).read_bytes() != old
    assert opening(hub, keys) == [DATABASE_KEY]
    with pytest.raises(WrongKeyError):
        Database.open(path, old)
    assert main(["schools", "--json"]) == 0


def test_no_key_is_ever_printed(hub: FoundedHub, keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = (keys / DATABASE_KEY).read_bytes()
    assert main(ROTATE) == 0
    out, err = capsys.readouterr()
    assert out == "The key of the hub's database was changed. The old key opens nothing any more.\n"
    assert err == "The database is under the new key.\nEvery page is being checked.\n"
    for key in (old, (keys / DATABASE_KEY).read_bytes()):
        assert key.hex() not in out + err
    assert opening(hub, keys) == [DATABASE_KEY]


@pytest.mark.parametrize("stage", [Stage.MADE, Stage.REWRITTEN, Stage.EMPTIED, Stage.CHECKED])
def test_wherever_it_is_interrupted_one_key_opens_and_the_same_command_ends_it(
    hub: FoundedHub, keys: Path, monkeypatch: pytest.MonkeyPatch, stage: Stage
) -> None:
    def pull(reached: Stage, _: int) -> None:
        if reached is stage:
            raise PulledError

    with monkeypatch.context() as power:
        power.setattr(module, "_tell", pull)
        with pytest.raises(PulledError):
            main(ROTATE)
    successor = (keys / f"{DATABASE_KEY}.next").read_bytes()
    assert opening(hub, keys) == [DATABASE_KEY if stage is Stage.MADE else f"{DATABASE_KEY}.next"]
    assert main(["schools"]) == 0
    assert main(ROTATE) == 0
    assert opening(hub, keys) == [DATABASE_KEY]
    assert (keys / DATABASE_KEY).read_bytes() == successor
    assert not (keys / f"{DATABASE_KEY}.next").exists()


def test_a_start_of_the_hub_ends_what_was_rewritten_already(hub: FoundedHub, keys: Path) -> None:
    finish_rotation(hub.settings)
    (keys / f"{DATABASE_KEY}.next").write_bytes(b"n" * 32)
    finish_rotation(hub.settings)  # nothing was rewritten: nothing to end
    assert opening(hub, keys) == [DATABASE_KEY]
    hub.database.rekey(b"n" * 32)
    assert opening(hub, keys) == [f"{DATABASE_KEY}.next"]
    finish_rotation(hub.settings)
    assert (keys / DATABASE_KEY).read_bytes() == b"n" * 32
    assert not (keys / f"{DATABASE_KEY}.next").exists()


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("ja_JP.UTF-8", "root で appliance-admin hub keys rotate database を実行してください。"),
        ("en_US.UTF-8", "Run appliance-admin hub keys rotate database as root."),
    ],
)
def test_sealed_keys_are_for_who_seals_them(
    hub: FoundedHub,
    keys: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    language: str,
    sentence: str,
) -> None:
    monkeypatch.setattr(Successor, "sealed", property(lambda _: True))
    monkeypatch.setenv("LC_ALL", language)
    assert main(ROTATE) == 2
    assert sentence in " ".join(capsys.readouterr().err.split())
    assert opening(hub, keys) == [DATABASE_KEY]
    assert not (keys / f"{DATABASE_KEY}.next").exists()


def test_a_hub_that_is_not_founded_has_no_key_to_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "hub.toml"
    settings.write_text(f'[hub]\nstate_dir = "{tmp_path}"\n', encoding="utf-8")
    monkeypatch.setenv("APPLIANCE_HUB_SETTINGS", str(settings))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert main(ROTATE) == 2
    assert "config.credential" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [settings]
