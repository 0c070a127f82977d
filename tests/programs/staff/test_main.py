"""The staff site's program: built from settings and credentials, or not at all."""

from pathlib import Path

import pytest

from appliance.clock import SystemClock
from appliance.config import Box, Settings
from appliance.ledger.keys import SigningKey
from appliance.programs.staff.__main__ import form_secret, main, make_staff_site
from appliance.services.founding import make_credentials
from appliance.services.opening import OpenBox, found_box
from appliance.store.faults import DatabaseMissingError
from tests.school.small import CODE
from tests.sim.box import SCHOOL_NAME
from tests.sim.logged import Logged


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    make_credentials(tmp_path / "keys")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "keys"))
    return Settings(box=Box(state_dir=tmp_path / "state"))


def test_the_site_is_built_from_settings_and_credentials(settings: Settings, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    device_key = SigningKey.from_pem((keys / "device.key").read_bytes())
    key = (keys / "database.key").read_bytes()
    found_box(settings.box.state_dir, key, device_key, SystemClock(), str(CODE), SCHOOL_NAME).database.close()
    site = make_staff_site(settings)
    client = site.test_client()
    answer = client.get("/sign-in", base_url="https://madoguchi.local")
    assert answer.status_code == 200
    assert SCHOOL_NAME in answer.get_data(as_text=True)
    assert client.get("/", base_url="https://madoguchi.local").location == "/sign-in"
    again = make_staff_site(settings)  # the second worker
    assert again.secret_key == site.secret_key


def test_without_a_box_there_is_no_site(settings: Settings) -> None:
    with pytest.raises(DatabaseMissingError):
        make_staff_site(settings)


def test_both_workers_share_the_secret_of_the_forms(box: OpenBox) -> None:
    assert form_secret(box) == form_secret(box)
    assert len(form_secret(box)) == 32


@pytest.mark.parametrize(
    ("text", "code"), [("[staff]\nport = 0\n", "config.value"), ("[staff]\nnames = []\n", "config.credential")]
)
def test_what_is_wrong_ends_it_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: Logged, text: str, code: str
) -> None:
    (tmp_path / "site.toml").write_text(text)
    monkeypatch.setenv("APPLIANCE_SETTINGS", str(tmp_path / "site.toml"))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert main() == 2
    assert [(line["event"], line["code"]) for line in logged()] == [("staff.stopped", code)]
