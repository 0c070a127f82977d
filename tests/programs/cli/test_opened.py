"""The box behind a sub-command: opened from settings and credentials, closed whatever happens."""

import pytest

from appliance.config import CredentialError, SettingError
from appliance.ledger.keys import KeyFormError
from appliance.programs.cli.opened import opened_box, settings
from appliance.services.opening import OpenBox
from appliance.store.faults import WrongKeyError
from tests.programs.cli.conftest import NAME, CommandLine


def test_the_box_is_closed_again(command: CommandLine) -> None:
    opened: list[OpenBox] = []

    def fail() -> None:
        with opened_box() as box:
            opened.append(box)
            assert box.school.name == NAME
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert opened[0].database._all == []


def test_settings_come_from_the_files_of_the_variable(bare: CommandLine) -> None:
    bare.write_settings("[kiosk]\nidle_s = 77\n")
    assert (settings().kiosk.idle_s, settings().box.state_dir) == (77, bare.state)
    bare.settings.unlink()
    with pytest.raises(SettingError):
        settings()


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("device.key", None, CredentialError),
        ("device.key", b"no key", KeyFormError),
        ("database.key", None, CredentialError),
        ("database.key", b"short", WrongKeyError),
    ],
)
def test_a_missing_or_wrong_key_is_told(
    command: CommandLine, name: str, content: bytes | None, error: type[Exception]
) -> None:
    (command.keys / name).unlink()
    if content is not None:
        (command.keys / name).write_bytes(content)
    with pytest.raises(error), opened_box():
        raise AssertionError("opened")
