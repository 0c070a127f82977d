"""The prefecture releases a backup to a box that asks, and only one whose box it knows."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.ledger.recipient import Recipient
from appliance.ledger.release import Release, RestoreRequest
from appliance.programs.hub.__main__ import main
from appliance.programs.hub.backup import UnknownBoxError
from appliance.services.backup import Made
from tests.programs.hub.conftest import FoundedBox, FoundedHub
from tests.sim.backup import back_up, header_of

CODE = "B113299900018"
BOX = Recipient.make()
MakeBox = Callable[[str, str], FoundedBox]
Run = Callable[..., int]


@pytest.fixture
def box(make_box: MakeBox) -> FoundedBox:
    return make_box(CODE, "見本小学校")


@pytest.fixture
def holder(hub: FoundedHub, tmp_path: Path) -> Recipient:
    assert hub.registry.codes() == []
    return Recipient.from_bytes((tmp_path / "hub-keys" / "hub-backup.key").read_bytes())


@pytest.fixture
def made(box: FoundedBox, holder: Recipient, tmp_path: Path) -> Made:
    return back_up(box.box, holder, tmp_path / "out")


@pytest.fixture
def hub_settings(hub: FoundedHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings = tmp_path / "hub.toml"
    settings.write_text(f'[hub]\nname = "hub.test"\nstate_dir = "{hub.settings.hub.state_dir}"\n', encoding="utf-8")
    monkeypatch.setenv("APPLIANCE_HUB_SETTINGS", str(settings))
    return settings


@pytest.fixture
def release(hub_settings: Path, tmp_path: Path) -> Run:
    assert hub_settings.exists()
    request = tmp_path / "request.json"
    request.write_bytes(RestoreRequest(BOX.public_bytes()).to_json())

    def run(backup: Path, keys: Path, *more: str) -> int:
        files = ["--backup", str(backup), "--keys", str(keys), "--request", str(request)]
        return main(["release", *files, "--out", str(tmp_path / "release.json"), "--json", *more])

    return run


def test_a_release_opens_for_the_box_that_asked(
    hub: FoundedHub,
    box: FoundedBox,
    holder: Recipient,
    made: Made,
    release: Run,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    hub.admit(box)
    assert release(made.backup, made.keys) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["school"], told["origin"], told["records"]) == (CODE, box.box.school.origin, 1)
    assert told["number"] == RestoreRequest(BOX.public_bytes()).number
    backup, keys = header_of(made.backup), header_of(made.keys)
    found = Release.from_json((tmp_path / "release.json").read_bytes()).open(BOX, backup, keys)
    assert found == (backup.content_key(holder), keys.content_key(holder))
    # Nothing of the content is read: the beginning of the files is enough.
    for path, header in ((made.backup, backup), (made.keys, keys)):
        path.write_bytes(header.to_bytes())
    assert release(made.backup, made.keys) == 0


def test_a_file_of_somebody_else_is_not_released(
    hub: FoundedHub,
    box: FoundedBox,
    make_box: MakeBox,
    holder: Recipient,
    made: Made,
    release: Run,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert release(made.backup, made.keys) == 1
    assert UnknownBoxError.code in capsys.readouterr().err
    assert release(made.backup, made.keys, "--not-admitted") == 0
    (tmp_path / "release.json").unlink()
    hub.admit(box)
    other = make_box(CODE, "見本小学校")  # of the same name, with another device key
    forged = back_up(other.box, holder, tmp_path / "forged")
    foreign = back_up(box.box, Recipient.make(), tmp_path / "foreign")
    for backup, keys, code in (
        (forged.backup, forged.keys, "ledger.signature"),
        (made.backup, forged.keys, "ledger.signature"),
        (foreign.backup, foreign.keys, "backup.recipient"),
        (made.keys, made.backup, "backup.form"),
        (tmp_path / "hub.toml", made.keys, "backup.form"),
    ):
        assert release(backup, keys, "--not-admitted") == 1
        assert code in capsys.readouterr().err
    assert release(tmp_path / "absent", made.keys) == 2
    assert not (tmp_path / "release.json").exists()


def test_a_hub_from_before_gets_a_key_of_backups_later(
    hub: FoundedHub, hub_settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hub_settings.exists()
    keys, public = tmp_path / "hub-keys", hub.settings.hub.state_dir / "backup.pub"
    (keys / "hub-backup.key").unlink()
    public.unlink()
    assert main(["backup-key", "--json"]) == 2
    assert "hub-backup.key" in capsys.readouterr().err
    for made in (True, False):
        assert main(["backup-key", "--credentials", str(keys), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["made"] is made
    holder = Recipient.from_bytes((keys / "hub-backup.key").read_bytes())
    assert public.read_bytes() == holder.public_bytes()
