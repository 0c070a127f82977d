"""The token of a box that takes another's place."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.programs.hub.__main__ import main
from appliance.programs.hub.revocation import Revocations
from appliance.programs.hub.settings import REVOKED_FILE
from appliance.sync.token import Token
from tests.programs.hub.conftest import FoundedBox, FoundedHub

CODE = "B113299900018"


@pytest.fixture
def settings(hub: FoundedHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "hub.toml"
    text = f'[hub]\nstate_dir = "{hub.settings.hub.state_dir}"\n[enrolment]\nport = 8890\n'
    path.write_text(text, encoding="utf-8")
    monkeypatch.setenv("APPLIANCE_HUB_SETTINGS", str(path))
    return path


def test_the_old_box_is_shut_out_and_a_token_lets_a_later_ledger_in(
    hub: FoundedHub, settings: Path, make_box: Callable[[str, str], FoundedBox], capsys: pytest.CaptureFixture[str]
) -> None:
    assert settings.exists()
    box = make_box(CODE, "架空小学校")
    hub.admit(box)
    assert main(["replace", CODE, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert Token.from_text(told["token"]).port == 8890
    assert (told["before"], told["entries"]) == (box.box.school.origin, 0)
    assert Revocations(hub.database).schools() == {CODE}
    assert (hub.settings.hub.state_dir / REVOKED_FILE).exists()
    assert hub.database.rows("SELECT school, new_generation FROM enrolment_token") == [(CODE, 1)]
    assert main(["replace", CODE]) == 0
    assert box.box.school.origin in capsys.readouterr().out


def test_a_school_that_is_unknown_is_not_replaced(
    hub: FoundedHub, settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replace", CODE]) == 1
    assert "hub.unknown_school" in capsys.readouterr().err
    settings.write_text(settings.read_text(encoding="utf-8").replace("8890", "0"), encoding="utf-8")
    assert main(["replace", CODE]) == 2
    assert hub.database.rows("SELECT 1 FROM revoked_school") == []
