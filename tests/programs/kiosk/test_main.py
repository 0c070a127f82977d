"""The kiosk's program: what it needs before it serves anybody."""

from pathlib import Path

import pytest

from appliance.errors import MadoguchiError
from appliance.programs.kiosk.__main__ import main, read_anchors, refuse
from appliance.trust.anchors import AnchorFileError
from tests.sim.card.hierarchy import Hierarchy
from tests.sim.card.pki import Use
from tests.sim.logged import Logged
from tests.trust.material import anchors_of


def test_every_anchor_file_of_the_folder_is_read(tmp_path: Path, hierarchy: Hierarchy) -> None:
    assert read_anchors(tmp_path) == []
    pem = hierarchy.anchors_pem(Use.AUTHENTICATION)
    for name in ("a.pem", "b.crt", "c.cer"):
        (tmp_path / name).write_bytes(pem)
    (tmp_path / "README").write_text("no anchor")
    assert read_anchors(tmp_path) == [*anchors_of(hierarchy)] * 3
    (tmp_path / "d.pem").write_text("no certificate")
    with pytest.raises(AnchorFileError):
        read_anchors(tmp_path)


def test_what_is_not_public_is_nobodys() -> None:
    with pytest.raises(MadoguchiError):
        refuse()


def test_wrong_settings_end_it_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: Logged) -> None:
    settings = tmp_path / "site.toml"
    settings.write_text("[kiosk]\nport = 0\n")
    monkeypatch.setenv("APPLIANCE_SETTINGS", str(settings))
    assert main() == 2
    (line,) = logged()
    assert (line["event"], line["code"]) == ("kiosk.stopped", "config.value")
    assert "kiosk.port" in str(line["detail"])
