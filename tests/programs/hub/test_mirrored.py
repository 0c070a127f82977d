"""Evidence is compared with the entry in the mirror: only what the entry itself names is the evidence of that act."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.ledger.entry import EntryType
from appliance.ledger.evidence import EvidenceOpener
from appliance.ledger.evidence_file import Claim, EvidenceFile
from appliance.ledger.keys import SigningKey
from appliance.programs.hub.__main__ import main
from appliance.programs.hub.mirrored import Mirrored, look_up
from appliance.store.appending import Draft
from appliance.store.ledger import OwnLedger
from tests.programs.hub.conftest import FoundedHub
from tests.sim.card.hierarchy import Hierarchy
from tests.sim.evidence import ORIGIN, Epoch, make_statement
from tests.trust.material import issued

VERIFIER = EvidenceOpener.make()


class Recorded:
    """A ledger in the hub's database that names the evidence of one act; another act is named nowhere."""

    def __init__(self, hub: FoundedHub, hierarchy: Hierarchy) -> None:
        key, self.database = SigningKey.make(), hub.database
        epoch, card = Epoch(VERIFIER), issued(hierarchy)
        act, self.other = epoch.act(card, make_statement("一つめ。")), epoch.act(card, make_statement("二つめ。"))
        self.ledger = OwnLedger.add(hub.database, ORIGIN, key.public).attach(key, hub.clock)
        with self.ledger.append() as appending:
            appending.add(Draft(EntryType.LEDGER_OPENED, {"boot_id": bytes(16)}))
            self.certificate = appending.add(
                Draft(EntryType.CARD_CERTIFICATE, {"evidence": act.claim.certificate.digest})
            )
            content = {"statement": act.claim.statement, "evidence": act.claim.act.digest}
            kind = EntryType.GUARDIAN_AUTHENTICATED
            self.entry = appending.add(Draft(kind, content, refs=(self.certificate,)))
            self.bare = appending.add(Draft(kind, content))
        self.file = replace(act, claim=replace(act.claim, entry=self.entry))

    @property
    def claim(self) -> Claim:
        return self.file.claim

    def erase(self, index: int) -> None:
        with self.ledger.append() as appending:
            appending.erase([index], "visit.three_years")


@pytest.fixture
def recorded(hub: FoundedHub, hierarchy: Hierarchy) -> Recorded:
    return Recorded(hub, hierarchy)


def test_the_entry_names_exactly_this_evidence(recorded: Recorded) -> None:
    assert look_up(recorded.database, recorded.claim) is Mirrored.COMMITTED


def test_other_evidence_is_not_that_of_the_entry(recorded: Recorded) -> None:
    claim, other = recorded.claim, recorded.other.claim
    for wrong in (
        replace(claim, statement=other.statement),
        replace(claim, act=other.act),
        replace(claim, certificate=other.act),
        replace(claim, entry=0),
        replace(claim, entry=recorded.bare),
    ):
        assert look_up(recorded.database, wrong) is Mirrored.OTHER


def test_what_the_mirror_does_not_have_is_said(recorded: Recorded) -> None:
    claim = recorded.claim
    size = recorded.ledger.head().size
    for absent in (replace(claim, origin=ORIGIN + "7"), replace(claim, entry=size), replace(claim, entry=1 << 70)):
        assert look_up(recorded.database, absent) is Mirrored.ABSENT


@pytest.mark.parametrize("whose", ["certificate", "entry"])
def test_what_was_erased_proves_nothing_any_more(recorded: Recorded, whose: str) -> None:
    recorded.erase(getattr(recorded, whose))
    assert look_up(recorded.database, recorded.claim) is Mirrored.ERASED


def test_the_command_says_it_and_fails_for_other_evidence(
    recorded: Recorded,
    hub: FoundedHub,
    hierarchy: Hierarchy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = tmp_path / "hub.toml"
    settings.write_text(f'[hub]\nname = "hub.test"\nstate_dir = "{hub.settings.hub.state_dir}"\n', encoding="utf-8")
    monkeypatch.setenv("APPLIANCE_HUB_SETTINGS", str(settings))
    monkeypatch.setenv("LC_ALL", "C")
    (tmp_path / "anchors.pem").write_bytes(hierarchy.anchors_pem())
    (tmp_path / "verifier.key").write_bytes(VERIFIER.to_bytes())

    def show(file: EvidenceFile, *more: str) -> tuple[int, str]:
        (tmp_path / "file").write_bytes(file.to_bytes())
        keys = ["--anchors", str(tmp_path / "anchors.pem"), "--key", str(tmp_path / "verifier.key")]
        capsys.readouterr()
        return main(["evidence", "show", str(tmp_path / "file"), *keys, *more]), capsys.readouterr().out

    status, out = show(recorded.file, "--mirror", "--json")
    assert (status, json.loads(out)["mirror"]) == (0, "committed")
    assert "is the one that the mirrored record names" in show(recorded.file, "--mirror")[1]
    forged = replace(recorded.other, claim=replace(recorded.other.claim, entry=recorded.entry))
    status, out = show(forged, "--mirror", "--json")
    assert (status, json.loads(out)["verdict"], json.loads(out)["mirror"]) == (1, "good", "other")
    assert "does not name this evidence" in show(forged, "--mirror")[1]
    status, out = show(forged, "--json")
    assert (status, "mirror" in json.loads(out)) == (0, False)
