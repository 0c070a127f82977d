"""From a visit on the box through the prefecture to an auditor, each by the command that a person types."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.ledger.disclosure import Auditor
from appliance.ledger.evidence_file import EvidenceFile
from appliance.programs.hub.settings import EVIDENCE_FILE
from appliance.school.roster import write_roster
from appliance.services.check_in import CheckIn
from appliance.services.link_codes import LinkCodes
from appliance.services.opening import OpenBox
from appliance.services.roster import ImportRoster
from appliance.store.cards import CardStore
from appliance.store.evidence import EvidenceStore
from appliance.store.people import PeopleStore
from appliance.store.visits import VisitStore
from appliance.trust.policy import card_policy
from tests.programs.cli.conftest import Answer, CommandLine, HubCommand
from tests.school.small import make_small
from tests.services.conftest import LINES, STAFF, Visitor
from tests.sim.card.hierarchy import Hierarchy
from tests.sim.fixtures import MakeCard
from tests.trust.material import anchors_of


@dataclass
class Case:
    """A box with two visits of one guardian, a hub, and an auditor, who has only what was given to them."""

    command: CommandLine
    hub: HubCommand
    folder: Path
    visits: list[int]

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def export(self, visit: int, name: str) -> Answer:
        return self.command.run("ledger", "evidence", f"M-{visit:06d}", "--out", self.path(name))

    def disclose(self, name: str, out: str, auditor: str = "auditor") -> int:
        words = ["--auditor", self.path(f"{auditor}/auditor.pub"), "--out", self.path(out)]
        return self.hub.run("evidence", "disclose", self.path(name), *words)

    def audit(self, name: str, *more: str, key: str = "auditor/auditor.key") -> Answer:
        words = ["--key", self.path(key), "--anchors", self.path("anchors.pem"), *more]
        return self.command.run("evidence", "audit", self.path(name), *words)


def visit_twice(box: OpenBox, visitor_card: object, hierarchy: Hierarchy, verifier: bytes) -> list[int]:
    cards, people = CardStore(box.database), PeopleStore(box.database)
    ImportRoster(box, people, cards).run(write_roster(make_small()))
    check_in = CheckIn(
        box,
        cards,
        VisitStore(box.database),
        EvidenceStore(box.database),
        anchors_of(hierarchy),
        card_policy(allow_test_cards=True),
        lambda: verifier,
    )
    visitor = Visitor(check_in, visitor_card)  # type: ignore[arg-type]  # a virtual card, as its maker gives it
    code = LinkCodes(box, cards, people).issue("mother", STAFF).code
    return [visitor.visit(check_in.accept_code(code.digits, 0)), visitor.visit()]


@pytest.fixture
def case(command: CommandLine, hub: HubCommand, tmp_path: Path, hierarchy: Hierarchy, make_card: MakeCard) -> Case:
    folder = tmp_path / "case"
    folder.mkdir()
    (folder / "anchors.pem").write_bytes(hierarchy.anchors_pem())
    verifier = (hub.folder / "state" / EVIDENCE_FILE).read_bytes()
    with command.box() as box:
        visits = visit_twice(box, make_card(), hierarchy, verifier)
    case = Case(command, hub, folder, visits)
    assert command.run("evidence", "auditor-key", "--out", case.path("auditor")).code == 0
    return case


def test_an_act_reaches_the_auditor(case: Case) -> None:
    answer = case.export(case.visits[1], "evidence")
    assert (answer.code, f"M-{case.visits[1]:06d}" in answer.out) == (0, True)
    anchors = case.path("anchors.pem")
    assert case.hub.run("evidence", "show", case.path("evidence"), "--anchors", anchors) == 0
    assert case.disclose("evidence", "shown") == 0
    answer = case.audit("shown")
    assert answer.code == 0
    assert answer.out.startswith("The evidence is good.")
    assert [line.strip() for line in answer.out.splitlines()[-2:]] == list(LINES)
    found = case.audit("shown", "--json").last
    assert (found["verdict"], found["entry"], found["test_card"]) == ("good", case.visits[1], True)


def test_an_auditor_needs_no_box(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    case.export(case.visits[0], "evidence")
    case.disclose("evidence", "shown")
    monkeypatch.setenv("APPLIANCE_SETTINGS", case.path("nothing.toml"))
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    assert case.audit("shown").code == 0
    assert case.command.run("evidence", "auditor-key", "--out", case.path("other")).code == 0


@pytest.mark.parametrize(
    ("locale", "words"),
    [("ja_JP.UTF-8", "証拠として認められません。2 番が不合格です。この鍵のために"), ("C", "This is no evidence: ")],
)
def test_nobody_else_is_shown_anything(case: Case, locale: str, words: str) -> None:
    case.export(case.visits[0], "evidence")
    case.disclose("evidence", "shown")
    case.command.run("evidence", "auditor-key", "--out", case.path("other"))
    case.command.speak(locale)
    answer = case.audit("shown", key="other/auditor.key")
    assert answer.code == 1
    assert answer.out.startswith(words)
    assert LINES[0] not in answer.out


def test_what_was_swapped_or_changed_is_refused(case: Case) -> None:
    for visit, name in zip(case.visits, ("first", "second"), strict=True):
        case.export(visit, name)
        case.disclose(name, f"{name}.shown")
    shown = {name: (case.folder / f"{name}.shown").read_bytes() for name in ("first", "second")}
    at = len(shown["first"]) - 1
    (case.folder / "changed").write_bytes(shown["first"][:at] + bytes([shown["first"][at] ^ 1]))
    assert case.audit("changed", "--json").last["error"] == "evidence.sealed"
    # The sealed keys of the first with everything else of the second: the last element is the HPKE message.
    keys = 3 + 1136 + 64
    (case.folder / "swapped").write_bytes(shown["second"][:-keys] + shown["first"][-keys:])
    answer = case.audit("swapped", "--json")
    assert (answer.code, answer.last["error"]) == (1, "evidence.sealed")
    answer = case.audit("first")
    assert (answer.code, "evidence.file" in answer.err) == (1, True)


def test_the_file_holds_nothing_that_can_be_read(case: Case) -> None:
    case.export(case.visits[0], "evidence")
    data = (case.folder / "evidence").read_bytes()
    assert EvidenceFile.from_bytes(data).claim.entry == case.visits[0]
    assert LINES[0].encode() not in data
    assert "見本".encode() not in data


def test_a_record_without_evidence_is_told(case: Case) -> None:
    answer = case.command.run("ledger", "evidence", "0", "--out", case.path("none"))
    assert (answer.code, answer.err.startswith("appliance: This record has no evidence.")) == (1, True)
    assert case.command.run("ledger", "evidence", "999", "--out", case.path("none")).code == 1
    assert case.command.run("ledger", "evidence", "x", "--out", case.path("none"), "--json").last == {
        "error": "receipt.number"
    }
    assert not (case.folder / "none").exists()


def test_the_auditor_s_key_is_nobody_else_s_and_never_replaced(case: Case) -> None:
    private, public = case.folder / "auditor/auditor.key", case.folder / "auditor/auditor.pub"
    assert (private.stat().st_mode & 0o777, private.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert Auditor.from_file(private.read_bytes()).public_file() == public.read_bytes()
    before = private.read_bytes()
    answer = case.command.run("evidence", "auditor-key", "--out", case.path("auditor"), "--json")
    assert (answer.code, answer.last) == (1, {"error": "evidence.key_exists", "file": str(private)})
    assert private.read_bytes() == before
    for left, gone in ((public, private), (private, public)):
        kept, other = left.read_bytes(), gone.read_bytes()
        gone.unlink()
        answer = case.command.run("evidence", "auditor-key", "--out", case.path("auditor"), "--json")
        assert (answer.code, answer.last["file"]) == (1, str(left))
        assert (left.read_bytes(), gone.exists()) == (kept, False)
        gone.write_bytes(other)
    answer = case.command.run("evidence", "auditor-key", "--out", case.path("more"), "--json")
    assert answer.last == {"private": case.path("more/auditor.key"), "public": case.path("more/auditor.pub")}
    assert json.dumps(before.hex())[1:-1] not in answer.out


def test_the_public_key_opens_nothing(case: Case) -> None:
    case.export(case.visits[0], "evidence")
    case.disclose("evidence", "shown")
    answer = case.audit("shown", key="auditor/auditor.pub")
    assert (answer.code, "evidence.auditor_key" in answer.err) == (2, True)


def test_evidence_of_an_earlier_ledger_is_written_and_opened(case: Case) -> None:
    visit = f"M-{case.visits[1]:06d}"
    case.export(case.visits[1], "before")
    case.command.begin_generation()
    out = ["--out", case.path("after"), "--json"]
    for words in ([f"{visit}/1"], [visit, "--generation", "1"]):
        answer = case.command.run("ledger", "evidence", *words, *out)
        assert (answer.code, answer.last["number"]) == (0, f"{visit}/1")
        assert Path(case.path("after")).read_bytes() == Path(case.path("before")).read_bytes()
    assert case.hub.run("evidence", "show", case.path("after"), "--anchors", case.path("anchors.pem")) == 0
    assert case.command.run("ledger", "evidence", visit, *out).code == 1
    answer = case.command.run("ledger", "receipt", f"{visit}/1", "--json")
    assert (answer.code, answer.last["number"]) == (0, f"{visit}/1")
