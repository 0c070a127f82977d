"""The hub's commands as a person types them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.programs.hub.__main__ import main
from appliance.programs.hub.founding import MAKERS
from appliance.services.enrolment import make_request
from appliance.sync.enrolment import EnrolmentBundle
from tests.programs.hub.conftest import FoundedBox

CODE = "B113299900018"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with settings, in which nothing is founded."""
    settings = tmp_path / "hub.toml"
    settings.write_text(f'[hub]\nname = "hub.test"\nstate_dir = "{tmp_path / "state"}"\n', encoding="utf-8")
    monkeypatch.setenv("APPLIANCE_HUB_SETTINGS", str(settings))
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    # ``init`` sets it for itself; here it has to be gone again afterwards.
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "")
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(arguments)
    out, err = capsys.readouterr()
    return status, out, err


def init(folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str, str]:
    return run(capsys, "init", "--credentials", str(folder / "keys"), *more)


def test_from_nothing_to_an_admitted_school(
    folder: Path, capsys: pytest.CaptureFixture[str], make_box: Callable[[str, str], FoundedBox]
) -> None:
    status, out, _ = init(folder, capsys, "--json")
    assert status == 0
    assert json.loads(out)["hub"] == "hub.test"
    assert "hub-database.key" in json.loads(out)["made"]
    assert run(capsys, "schools")[:2] == (0, "No school is admitted yet.\n")
    box = make_box(CODE, "見本小学校")
    request, answer = folder / "request.json", folder / "enrolment.json"
    request.write_bytes(make_request(box.box, box.line_key).to_json())
    status, out, _ = run(capsys, "admit", "--request", str(request), "--out", str(answer), "--json")
    assert (status, json.loads(out)["school"]) == (0, CODE)
    assert EnrolmentBundle.from_json(answer.read_bytes()).hub_name == "hub.test"
    status, out, _ = run(capsys, "schools", "--json")
    (school,) = json.loads(out)
    assert (status, school["school"], school["pending"], school["online"]) == (0, CODE, None, False)
    status, out, _ = run(capsys, "schools")
    assert CODE in out
    assert "見本小学校" in out


def test_a_second_init_is_refused_and_makes_no_keys(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert init(folder, capsys)[0] == 0
    status, out, err = run(capsys, "init", "--credentials", str(folder / "others"))
    assert (status, out) == (1, "")
    assert "hub.already_founded" in err
    assert not (folder / "others").exists()


def test_keys_alone_are_made_for_whoever_seals_them_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = [json.loads(run(capsys, "init", "--json", "--make-keys", str(folder / "keys"))[1])["made"] for _ in range(2)]
    assert made == [list(MAKERS), []]
    before = {file.name: file.read_bytes() for file in (folder / "keys").iterdir()}
    assert sorted(one.name for one in folder.iterdir() if one.is_dir()) == ["keys"]
    assert init(folder, capsys)[0] == 0
    assert {file.name: file.read_bytes() for file in (folder / "keys").iterdir()} == before


def test_what_is_missing_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["schools"], ["serve"], ["init"]):
        status, _, err = run(capsys, *command)
        assert (status, "config.credential" in err) == (2, True)
    init(folder, capsys)
    missing, answer = folder / "missing.json", folder / "out.json"
    status, _, err = run(capsys, "admit", "--request", str(missing), "--out", str(answer))
    assert status == 2
    assert "missing.json" in err
    missing.write_text("{}")
    status, _, err = run(capsys, "admit", "--request", str(missing), "--out", str(answer))
    assert (status, "enrolment.document" in err) == (1, True)
    assert not answer.exists()


def test_no_key_is_ever_printed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, err = init(folder, capsys, "--json")
    for path in (folder / "keys").iterdir():
        secret = path.read_bytes()
        assert secret.hex() not in out + err
        assert secret.decode("latin-1") not in out + err
