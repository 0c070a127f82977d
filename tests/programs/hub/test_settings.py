"""The hub's settings: shipped, chosen, and refused by name."""

from pathlib import Path

import pytest

from appliance.config import SettingError, UnknownSettingError
from appliance.programs.hub.settings import VARIABLE, HubSettings, load_hub_settings

SHIPPED = Path(__file__).parents[3] / "firmware-config" / "hub.toml"


def load(*files: Path) -> HubSettings:
    return load_hub_settings({VARIABLE: ":".join(map(str, files))})


def test_the_shipped_file_says_the_defaults() -> None:
    assert load(SHIPPED) == HubSettings()


def test_what_the_prefecture_chose_wins(tmp_path: Path) -> None:
    chosen = tmp_path / "hub.toml"
    chosen.write_text('[hub]\nname = "hub.example"\n[boxes]\nhost = "hub.example"\n', encoding="utf-8")
    settings = load(SHIPPED, chosen)
    assert (settings.hub.name, settings.boxes.host, settings.broker.host) == ("hub.example",) * 2 + ("localhost",)


def test_a_mistake_is_named(tmp_path: Path) -> None:
    chosen = tmp_path / "hub.toml"
    chosen.write_text("[page]\nprot = 1\n")
    with pytest.raises(UnknownSettingError) as unknown:
        load(chosen)
    assert unknown.value.fields["key"] == "page.prot"
    chosen.write_text("[boxes]\nport = 0\n")
    with pytest.raises(SettingError) as wrong:
        load(chosen)
    assert wrong.value.fields["key"] == "boxes.port"
