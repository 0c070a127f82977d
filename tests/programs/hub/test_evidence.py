"""The verifier at the prefecture: opens one act, says what holds, and shows it to one auditor."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.ledger.disclosure import Auditor, Disclosure
from appliance.ledger.evidence import EvidenceOpener, open_statement
from appliance.ledger.evidence_file import EvidenceFile
from appliance.ledger.recipient import EvidenceError
from appliance.programs.hub.__main__ import main
from appliance.programs.hub.settings import EVIDENCE_KEY
from tests.sim.card.hierarchy import Hierarchy
from tests.sim.evidence import Epoch, make_statement
from tests.trust.material import issued

VERIFIER, AUDITOR = EvidenceOpener.make(), Auditor.make()


class Desk:
    """A verifier's desk: a key, anchors, evidence of two acts; no hub, no settings, no database."""

    def __init__(self, folder: Path, hierarchy: Hierarchy, output: pytest.CaptureFixture[str]) -> None:
        self.folder, self._output = folder, output
        epoch, card = Epoch(VERIFIER), issued(hierarchy)
        self.first = epoch.act(card, make_statement("一つめ。"))
        self.second = epoch.act(card, make_statement("二つめ。"))
        self.write("first", self.first.to_bytes())
        self.write("anchors.pem", hierarchy.anchors_pem())
        self.write("auditor.pub", AUDITOR.public_file())
        self.key = self.write("verifier.key", VERIFIER.to_bytes())

    def write(self, name: str, data: bytes) -> str:
        (self.folder / name).write_bytes(data)
        return str(self.folder / name)

    def run(self, *words: str) -> tuple[int, str, str]:
        self._output.readouterr()
        status = main(["evidence", *words])
        return status, *self._output.readouterr()

    def show(self, file: str = "first", *more: str, key: str = "") -> tuple[int, str, str]:
        anchors = str(self.folder / "anchors.pem")
        return self.run("show", str(self.folder / file), "--anchors", anchors, "--key", key or self.key, *more)

    def disclose(self, file: str = "first", *more: str, auditor: str = "auditor.pub") -> tuple[int, str, str]:
        out = str(self.folder / "shown")
        words = ["--auditor", str(self.folder / auditor), "--out", out, "--key", self.key]
        return self.run("disclose", str(self.folder / file), *words, *more)


@pytest.fixture
def desk(
    tmp_path: Path, hierarchy: Hierarchy, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Desk:
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    return Desk(tmp_path, hierarchy, capsys)


@pytest.mark.parametrize(
    ("locale", "verdict", "read"),
    [
        ("C", "The evidence is good.", "What the person read and signed"),
        ("ja_JP.UTF-8", "証拠は本物です。", "本人が読んで署名した文"),
    ],
)
def test_good_evidence_is_shown(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, locale: str, verdict: str, read: str
) -> None:
    monkeypatch.setenv("LC_ALL", locale)
    status, out, err = desk.show()
    assert (status, err) == (0, "")
    assert out.startswith(verdict)
    assert read in out
    assert out.endswith("\n  一つめ。\n")


def test_a_program_is_answered_in_json(desk: Desk) -> None:
    status, out, _ = desk.show("first", "--json")
    found = json.loads(out)
    assert (status, found["verdict"], found["entry"]) == (0, "good", 1)
    assert found["statement"]["lines"] == ["一つめ。"]


def test_the_key_may_be_a_credential(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write(EVIDENCE_KEY, VERIFIER.to_bytes())
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(desk.folder))
    words = ["show", str(desk.folder / "first"), "--anchors", str(desk.folder / "anchors.pem")]
    assert desk.run(*words)[0] == 0
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    status, _, err = desk.run(*words)
    assert (status, "config.credential" in err) == (2, True)


def test_another_key_a_changed_byte_and_a_swapped_item_are_refused_in_words(desk: Desk) -> None:
    other = desk.write("other.key", EvidenceOpener.make().to_bytes())
    status, out, _ = desk.show(key=other)
    assert (status, out.startswith("This is no evidence: check 2 failed. It was not sealed for this key")) == (1, True)
    claim = desk.first.claim
    spoilt = replace(claim.act, sealed=claim.act.sealed[:-1] + bytes([claim.act.sealed[-1] ^ 1]))
    desk.write("spoilt", replace(desk.first, claim=replace(claim, act=spoilt)).to_bytes())
    status, out, _ = desk.show("spoilt")
    assert (status, "  1. FAILED" in out) == (1, True)
    swapped = replace(desk.first, claim=replace(claim, act=desk.second.claim.act))
    desk.write("swapped", swapped.to_bytes())
    status, out, _ = desk.show("swapped", "--json")
    assert (status, json.loads(out)["error"]) == (1, "evidence.other_statement")


def test_what_is_no_evidence_file_is_refused(desk: Desk) -> None:
    desk.write("none", b"%PDF-1.7")
    for status, out, err in (desk.show("none"), desk.disclose("none")):
        assert (status, out) == (1, "")
        assert err.startswith("appliance hub: This cannot be read as a file of evidence. Check")
    assert desk.show("missing")[0] == 2
    status, _, err = desk.show(key=desk.write("bad.key", b"short"))
    assert (status, "evidence.key_form" in err) == (2, True)


def test_an_auditor_is_given_one_act(desk: Desk) -> None:
    status, out, _ = desk.disclose()
    assert (status, "no other" in out, "M-000001" in out) == (0, True, True)
    shown = Disclosure.from_bytes((desk.folder / "shown").read_bytes())
    keys = shown.keys(AUDITOR)
    assert open_statement(keys.act, shown.claim.act).statement == make_statement("一つめ。").canonical()
    with pytest.raises(EvidenceError):
        open_statement(keys.act, desk.second.claim.act)
    status, out, _ = desk.disclose("first", "--json")
    assert json.loads(out) == {"origin": shown.claim.origin, "entry": 1, "file": str(desk.folder / "shown")}


def test_nothing_is_disclosed_for_what_is_no_auditor_or_does_not_open(desk: Desk) -> None:
    desk.write("private", AUDITOR.private_file())
    status, _, err = desk.disclose(auditor="private")
    assert (status, err.startswith("appliance hub: This is not the right key of an auditor.")) == (2, True)
    foreign = replace(desk.first, act_message=Epoch(EvidenceOpener.make()).sealer.message)
    desk.write("foreign", EvidenceFile.to_bytes(foreign))
    assert desk.disclose("foreign")[0] == 1
    assert not (desk.folder / "shown").exists()


def test_no_key_and_no_certificate_is_printed(desk: Desk, hierarchy: Hierarchy) -> None:
    secrets = (VERIFIER.to_bytes(), AUDITOR.to_bytes())
    for _, out, err in (desk.show(), desk.show("first", "--json"), desk.disclose(), desk.disclose("first", "--json")):
        for secret in secrets:
            assert secret.hex() not in out + err
        assert "serial" not in out + err
