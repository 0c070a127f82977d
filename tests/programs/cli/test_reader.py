from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.card.connection import CardAbsentError, CardMuteError
from appliance.card.desk import DeskClient
from appliance.programs.cli import reader as reader_module
from appliance.programs.cli.reader import settled


def failing(*errors: Exception) -> Callable[[], str]:
    left = list(errors)

    def work() -> str:
        if left:
            raise left.pop(0)
        return "read"

    return work


def test_a_card_that_was_just_put_on_is_waited_for() -> None:
    assert settled(failing(CardAbsentError(), CardAbsentError())) == "read"


def test_waiting_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "SETTLE_S", 0.05)
    with pytest.raises(CardAbsentError):
        settled(failing(*[CardAbsentError()] * 100))


def test_other_failures_are_not_waited_for() -> None:
    work = failing(CardMuteError())
    with pytest.raises(CardMuteError):
        settled(work)


def test_without_cardd_the_reader_is_opened_directly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = tmp_path / "box.toml"
    settings.write_text(f'[box]\nrun_dir = "{tmp_path}"\n')
    monkeypatch.setenv("APPLIANCE_SETTINGS", str(settings))
    with reader_module.card_service("") as service:
        assert isinstance(service, DeskClient)
