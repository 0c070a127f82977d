"""``appliance receipt verify``: whose receipt it is, unchanged or not, confirmed by the hub or not, and when."""

import io
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.ledger.keys import SigningKey
from appliance.ledger.receipt import receipt_text
from appliance.programs.cli.receipt import MOST_BYTES
from tests.ledger.paper import BOX, HUB, HUB_NAME, ORIGIN, make_paper
from tests.programs.cli.conftest import Answer, CommandLine, HubCommand
from tests.school.small import CODE
from tests.sim.box import confirm
from tests.sim.photograph import draw, rotate, to_file

OTHERS = [SigningKey.make() for _ in range(3)]
JAPANESE, ENGLISH = "ja_JP.UTF-8", "C.UTF-8"
GOOD = make_paper(1_000_000, 654_321)
UNCONFIRMED = make_paper(confirmed=False)


class Desk:
    """A machine that is no box: no settings, no credentials, no database; only files that somebody gave."""

    def __init__(self, command: CommandLine) -> None:
        self.command, self.folder = command, command.folder / "desk"
        self.folder.mkdir()
        self.box, self.hub = self.key("box", BOX), self.key("hub", HUB)
        self.keys = ["--box-key", self.box, "--hub-key", self.hub]

    def key(self, name: str, key: SigningKey) -> str:
        path = self.folder / f"{name}.pem"
        path.write_bytes(key.public.pem())
        return str(path)

    def verify(self, data: bytes, *arguments: str) -> Answer:
        path = self.folder / "brought"
        path.write_bytes(data)
        return self.command.run("receipt", "verify", str(path), *arguments)


@pytest.fixture
def desk(bare: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    monkeypatch.setenv("APPLIANCE_SETTINGS", str(bare.folder / "absent.toml"))
    return Desk(bare)


@pytest.fixture
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("tokyo")
def test_a_receipt_is_verified_with_nothing_but_the_keys(desk: Desk) -> None:
    answer = desk.verify(GOOD.receipt, *desk.keys, "--json")
    assert answer.code == 0
    assert answer.last == {
        "verify": "ok",
        "issuer": ORIGIN,
        "issuer_known": True,
        "issuer_key": BOX.public.key_id.hex(),
        "issuer_key_file": desk.box,
        "unchanged": True,
        "number": "M-654321",
        "type": "guardian.authenticated",
        "recorded": "2026-11-18T20:06:40+09:00",
        "confirmation": "confirmed",
        "confirmed": "2026-11-18T20:06:45+09:00",
        "confirmed_by": HUB_NAME,
    }
    assert list(desk.folder.parent.glob("state")) == []


@pytest.mark.usefixtures("tokyo")
@pytest.mark.parametrize(
    ("language", "lines"),
    [
        (
            JAPANESE,
            [
                f"だれの受領証か: {ORIGIN} の受領証です。署名した鍵は登録されています（BOX）",
                "変わっていないか: 変わっていません（M-654321 guardian.authenticated）",
                "記録した時刻: 2026-11-18 20:06 JST（箱の時計）",
                f"県の受領: 受領ずみです。2026-11-18 20:06 JST（{HUB_NAME} の時計）",
            ],
        ),
        (
            ENGLISH,
            [
                f"Whose it is: a receipt of {ORIGIN}. The key that signed it is known (BOX)",
                "Unchanged: yes (M-654321 guardian.authenticated)",
                "Recorded: 2026-11-18 20:06 JST (by the clock of the box)",
                f"Received by the prefecture: yes, 2026-11-18 20:06 JST (by the clock of {HUB_NAME})",
            ],
        ),
    ],
)
def test_a_receipt_in_words(desk: Desk, language: str, lines: list[str]) -> None:
    desk.command.speak(language)
    said = desk.verify(GOOD.receipt, *desk.keys).out
    assert said.replace(desk.box, "BOX").splitlines() == lines


@pytest.mark.parametrize(
    ("language", "absent", "unknown"),
    [
        (
            JAPANESE,
            "県の受領: この受領証を作ったときは、まだでした",
            f"県の受領: 確かめられません。{HUB_NAME} が受領したと書いてありますが、"
            "署名した鍵（番号 KEY）がここに登録されていません",
        ),
        (
            ENGLISH,
            "Received by the prefecture: not yet when this receipt was made",
            f"Received by the prefecture: cannot be told. It says that {HUB_NAME} received it, but the key that signed"
            " that (id KEY) is not known here",
        ),
    ],
)
def test_not_yet_confirmed_and_not_known_are_told_apart(desk: Desk, language: str, absent: str, unknown: str) -> None:
    desk.command.speak(language)
    answer = desk.verify(UNCONFIRMED.receipt, *desk.keys)
    assert (answer.code, answer.out.splitlines()[-1]) == (0, absent)
    for keys in (desk.keys[:2], [*desk.keys[:2], "--hub-key", desk.key("other", OTHERS[0])]):
        answer = desk.verify(GOOD.receipt, *keys)
        assert (answer.code, answer.out.splitlines()[-1].replace(HUB.public.key_id.hex(), "KEY")) == (0, unknown)


def test_programs_can_tell_the_three_apart(desk: Desk) -> None:
    for data, keys, state in (
        (GOOD.receipt, desk.keys, "confirmed"),
        (UNCONFIRMED.receipt, desk.keys, "not_yet"),
        (GOOD.receipt, desk.keys[:2], "unknown_key"),
    ):
        answer = desk.verify(data, *keys, "--json")
        assert (answer.code, answer.last["confirmation"]) == (0, state)
        assert (answer.last["confirmed"] is not None) == (state == "confirmed")


@pytest.mark.parametrize(
    ("language", "first", "second"),
    [
        (
            JAPANESE,
            f"だれの受領証か: 分かりません。{ORIGIN} のものだと",
            "変わっていないか: 鍵がないため、確かめられません",
        ),
        (
            ENGLISH,
            f"Whose it is: not known. It says that it is of {ORIGIN},",
            "Unchanged: cannot be told without the key",
        ),
    ],
)
def test_a_key_that_is_not_known_is_said_to_be_that(desk: Desk, language: str, first: str, second: str) -> None:
    desk.command.speak(language)
    keys = ["--box-key", desk.key("other", OTHERS[0]), "--hub-key", desk.hub]
    answer = desk.verify(GOOD.receipt, *keys)
    assert answer.code == 1
    assert answer.out.startswith(first)
    assert answer.out.splitlines()[-1] == second
    assert {JAPANESE: "偽物だという意味ではありません", ENGLISH: "does not mean that it is forged"}[
        language
    ] in answer.out
    assert desk.verify(GOOD.receipt, *keys, "--json").last == {
        "verify": "unknown",
        "issuer": ORIGIN,
        "issuer_known": False,
        "issuer_key": BOX.public.key_id.hex(),
        "issuer_key_file": None,
        "unchanged": None,
    }


def test_the_right_one_of_several_keys_is_chosen(desk: Desk) -> None:
    boxes = [desk.key(f"box{number}", key) for number, key in enumerate(OTHERS)]
    hubs = [desk.key(f"hub{number}", key) for number, key in enumerate(OTHERS)]
    several = [one for file in [*boxes, desk.box] for one in ("--box-key", file)]
    several += [one for file in [desk.hub, *hubs] for one in ("--hub-key", file)]
    for box, file in (*zip(OTHERS, boxes, strict=True), (BOX, desk.box)):
        for hub in (*OTHERS, HUB):
            answer = desk.verify(make_paper(7, 2, box=box, hub=hub).receipt, *several, "--json")
            assert (answer.code, answer.last["issuer_key_file"], answer.last["confirmation"]) == (0, file, "confirmed")


def test_every_form_says_the_same(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    text = receipt_text(GOOD.receipt)
    code = draw(text)
    forms = [
        GOOD.receipt,
        f" {text}\r\n".encode(),
        to_file(code, "PNG"),
        to_file(rotate(code, 9)),
        to_file(code, "WEBP"),
    ]
    said = {desk.verify(form, *desk.keys, "--json").out for form in forms}
    for form in forms:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(form)))
        said.add(desk.command.run("receipt", "verify", "-", *desk.keys, "--json").out)
    assert len(said) == 1


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", "receipt.form"),
        (b"\x82" * 40, "ledger.checkpoint"),
        (b"MDG1:", "ledger.checkpoint"),
        (b"MDG1:ab", "receipt.text"),
        (to_file(draw("https://school.example/")), "receipt.other_code"),
        (to_file(draw("https://school.example/"))[:300], "photo.damaged"),
        (bytes(MOST_BYTES + 1), "receipt.length"),
    ],
    ids=["empty", "no list", "no bytes", "one letter", "other code", "half a photo", "large"],
)
def test_what_is_no_receipt_is_told_what_it_is(desk: Desk, data: bytes, error: str) -> None:
    answer = desk.verify(data, *desk.keys, "--json")
    assert (answer.code, answer.last["error"]) == (1, error)
    assert answer.err.startswith("appliance: ")


def test_no_flipped_byte_passes(desk: Desk) -> None:
    raw = GOOD.receipt
    verdicts = set()
    for at in range(0, len(raw), 7):
        answer = desk.verify(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :], *desk.keys, "--json")
        assert answer.code == 1 or answer.last["confirmation"] == "unknown_key", at
        verdicts.add(answer.last.get("verify"))
    assert {"failed", None} <= verdicts


@pytest.mark.parametrize(
    ("language", "issuer", "changed"),
    [
        (JAPANESE, "だれの受領証か: 確かめられません。", "変わっていないか: 正しい受領証ではありません。"),
        (ENGLISH, "Whose it is: not established.", "Unchanged: no. It was altered"),
    ],
)
def test_a_changed_receipt_proves_nothing(desk: Desk, language: str, issuer: str, changed: str) -> None:
    desk.command.speak(language)
    entry = GOOD.entry
    other = GOOD.receipt.replace(entry, entry[:-1] + bytes([entry[-1] ^ 1]))
    answer = desk.verify(other, *desk.keys)
    first, second, *_ = answer.out.splitlines()
    assert (answer.code, first.startswith(issuer), second.startswith(changed)) == (1, True, True)
    said = desk.verify(other, *desk.keys, "--json").last
    assert (said["verify"], said["unchanged"], said["error"]) == ("failed", False, "ledger.signature")


def test_a_type_of_a_newer_version_is_shown_by_its_number(desk: Desk) -> None:
    answer = desk.verify(make_paper(kind=9999).receipt, *desk.keys, "--json")
    assert (answer.code, answer.last["type"]) == (0, "unknown.9999")


def test_without_a_box_a_key_must_be_named(desk: Desk) -> None:
    answer = desk.verify(GOOD.receipt, "--json")
    assert (answer.code, answer.last) == (2, {"error": "receipt.no_key"})
    assert "--box-key" in answer.err


def test_files_that_are_missing_or_no_key_are_named(desk: Desk) -> None:
    absent = str(desk.folder / "absent")
    brought = str(desk.folder / "brought")
    desk.verify(GOOD.receipt)
    for arguments in ((absent, *desk.keys), (brought, "--box-key", absent), (brought, *desk.keys, "--hub-key", absent)):
        answer = desk.command.run("receipt", "verify", *arguments, "--json")
        assert (answer.code, answer.last["error"], answer.last["file"]) == (2, "cli.file", absent)
    answer = desk.verify(GOOD.receipt, "--box-key", desk.box, "--hub-key", brought, "--json")
    assert (answer.code, answer.last["error"], answer.last["file"]) == (2, "ledger.key_form", brought)


def test_a_box_knows_its_own_receipts(visited: CommandLine, receipt: Path) -> None:
    hub = ["--hub-key", str(visited.folder / "hub.pub")]
    answer = visited.run("receipt", "verify", str(receipt), "--json")
    said = answer.last
    assert (answer.code, said["issuer"], said["issuer_key_file"]) == (0, f"madoguchi/1/{CODE}/box/1", None)
    assert (said["number"], said["confirmation"]) == ("M-000004", "unknown_key")
    assert visited.run("receipt", "verify", str(receipt), *hub, "--json").last["confirmation"] == "confirmed"
    assert "(this box's own key)" in visited.run("receipt", "verify", str(receipt)).out


def test_a_box_does_not_know_others(visited: CommandLine, receipt: Path) -> None:
    receipt.write_bytes(GOOD.receipt)
    assert visited.run("receipt", "verify", str(receipt), "--json").last["verify"] == "unknown"


def test_the_printed_text_is_a_receipt_too(visited: CommandLine, receipt: Path) -> None:
    receipt.write_text(visited.run("ledger", "receipt", "4").out)
    assert visited.run("receipt", "verify", str(receipt)).code == 0


def test_the_keys_that_a_box_prints_verify_its_receipts(
    visited: CommandLine, hub: HubCommand, receipt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = visited.run("receipt", "key", "--json").last
    key = visited.folder / "printed.pub"
    key.write_text(visited.run("receipt", "key").out)
    assert key.read_text() == said["pem"]
    assert visited.run("receipt", "key", "--hub", "--json").last == {"error": "receipt.no_hub_key"}
    request, answered = visited.folder / "request.json", visited.folder / "answer.json"
    assert visited.run("enroll", "request", "--out", str(request)).code == 0
    assert hub.run("admit", "--request", str(request), "--out", str(answered)) == 0
    assert visited.run("enroll", "accept", str(answered)).code == 0
    hub_key = visited.folder / "hub_printed.pub"
    hub_key.write_text(visited.run("receipt", "key", "--hub").out)
    with visited.box() as box:
        confirm(box, box.ledger.head().size, SigningKey.from_pem((hub.folder / "keys/hub.key").read_bytes()))
    assert visited.run("ledger", "receipt", "5", "--out", str(receipt)).code == 0
    # The box itself knows the hub's key now, and so does whoever was given the two files.
    assert visited.run("receipt", "verify", str(receipt), "--json").last["confirmation"] == "confirmed"
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    keys = ["--box-key", str(key), "--hub-key", str(hub_key)]
    answer = visited.run("receipt", "verify", str(receipt), *keys, "--json").last
    assert (answer["issuer_key"], answer["confirmation"]) == (said["key"], "confirmed")
