"""``appliance keys rotate device``, and what receipts, exports, backups and enrolment make of it."""

import json
import shutil
from pathlib import Path

import pytest

from appliance.ledger.checkpoint import sign_checkpoint
from appliance.ledger.key_file import read_keys, write_keys
from appliance.ledger.keys import SigningKey
from appliance.ledger.merkle import inclusion_proof
from appliance.ledger.receipt import make_receipt
from appliance.ledger.recipient import Recipient
from appliance.ledger.release import RestoreRequest
from appliance.ledger.signers import Signers
from appliance.store.ledger import OwnLedger
from tests.programs.cli.conftest import CommandLine, HubCommand


def rotate(command: CommandLine) -> dict[str, object]:
    answer = command.run("keys", "rotate", "device", "--json")
    assert (answer.code, answer.err) == (0, "")
    return answer.last


def verified(command: CommandLine) -> object:
    answer = command.run("ledger", "verify", "--json")
    assert answer.code == 0, answer.out
    return answer.last["verify"]


def codes(command: CommandLine) -> list[str]:
    problems = command.run("doctor", "--json").last["problems"]
    assert isinstance(problems, list)
    return [one["code"] for one in problems]


def signing_size(command: CommandLine) -> int:
    with command.box() as box:
        return box.ledger.head().size


def test_the_key_is_changed_and_all_is_there(visited: CommandLine) -> None:
    old, size = (visited.keys / "device.key").read_bytes(), signing_size(visited)
    answer = rotate(visited)
    new = SigningKey.from_pem((visited.keys / "device.key").read_bytes())
    assert answer == {"rotated": "device", "sealed": False, "key": new.public.key_id.hex(), "from": size + 2}
    assert old != new.pem()
    assert not (visited.keys / "device.key.next").exists()
    assert verified(visited) == "ok"
    assert visited.run("ledger", "show", "--last", "1", "--json").last["type"] == "device_key.changed"
    rotate(visited)
    assert verified(visited) == "ok"
    assert "health.device_rotation_unfinished" not in codes(visited)


@pytest.mark.parametrize(
    ("language", "done", "paper"),
    [("ja", "署名する鍵を替えました", "印刷し直して"), ("en", "was changed", "Print it anew")],
)
def test_it_says_what_is_to_be_done_next(command: CommandLine, language: str, done: str, paper: str) -> None:
    command.speak(f"{language}_JP.UTF-8" if language == "ja" else language)
    answer = command.run("keys", "rotate", "device")
    assert done in answer.out
    assert paper in answer.out
    assert "PRIVATE" not in answer.out + answer.err


def test_an_interrupted_change_is_told_and_ended(command: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    (command.keys / "device.key.next").write_bytes(SigningKey.make().pem())
    assert "health.device_rotation_unfinished" in codes(command)
    assert command.run("migrate").code == 0  # it has not begun, so a start leaves it alone
    assert "health.device_rotation_unfinished" in codes(command)
    with command.box() as box:
        successor = SigningKey.from_pem((command.keys / "device.key.next").read_bytes())
        box.ledger.hand_over(successor)
    assert verified(command) == "ok"  # with the two files as they are
    assert "health.device_rotation_unfinished" in codes(command)
    assert command.run("migrate").code == 0
    assert (command.keys / "device.key").read_bytes() == successor.pem()
    assert "health.device_rotation_unfinished" not in codes(command)

    def refuse(*_: object) -> None:
        raise AssertionError("a second change")

    (command.keys / "device.key.next").write_bytes(successor.pem())  # as sealed keys are between two steps
    monkeypatch.setattr(OwnLedger, "hand_over", refuse)
    assert rotate(command)["key"] == successor.public.key_id.hex()


def test_a_box_that_is_not_founded_has_no_key_to_change(bare: CommandLine) -> None:
    assert bare.run("keys", "rotate", "device").code == 2


def test_a_box_whose_key_is_another_ones_is_told_so(command: CommandLine) -> None:
    (command.keys / "device.key").write_bytes(SigningKey.make().pem())
    for arguments in (("keys", "rotate", "device"), ("doctor",)):
        answer = command.run(*arguments, "--json")
        assert (answer.code, answer.last["error"]) == (2, "ledger.signing_key")
    assert not (command.keys / "device.key.next").exists()


@pytest.fixture
def rotated(visited: CommandLine, receipt: Path) -> CommandLine:
    """Receipts and key files from before the change, between two of them, and after."""
    folder = visited.folder
    (folder / "before").write_bytes(receipt.read_bytes())
    for name in ("between", "after"):
        rotate(visited)
        assert visited.run("ledger", "receipt", "5", "--out", str(folder / name)).code == 0
    (folder / "keys.pub").write_text(visited.run("receipt", "key").out, encoding="utf-8")
    return visited


def test_receipts_from_before_and_after_verify(rotated: CommandLine) -> None:
    for name in ("before", "between", "after"):
        for more in ((), ("--box-key", str(rotated.folder / "keys.pub"))):
            answer = rotated.run("receipt", "verify", str(rotated.folder / name), *more, "--json")
            assert (answer.code, answer.last["verify"]) == (0, "ok"), (name, answer.last)
    # Whoever has the first key alone believes what that one signed.
    first = ("--box-key", str(rotated.folder / "box.pub"))
    assert rotated.run("receipt", "verify", str(rotated.folder / "before"), *first).code == 0
    answer = rotated.run("receipt", "verify", str(rotated.folder / "after"), *first, "--json")
    assert (answer.code, answer.last["verify"]) == (1, "unknown")


def test_the_keys_are_printed_with_the_sizes_from_which_they_sign(rotated: CommandLine) -> None:
    with rotated.box() as box:
        periods = box.ledger.keys.periods
    said = rotated.run("receipt", "key", "--json").last
    assert said["key"] == periods[-1].key.key_id.hex()
    assert said["pem"] == periods[-1].key.pem().decode()
    assert said["keys"] == [
        {"key": one.key.key_id.hex(), "from": one.size, "pem": one.key.pem().decode()} for one in periods
    ]
    (found,) = read_keys((rotated.folder / "keys.pub").read_bytes())
    assert isinstance(found, Signers)
    assert [(one.size, one.key) for one in found.periods] == [(one.size, one.key) for one in periods]


def test_a_stolen_key_signs_no_receipt_any_more(rotated: CommandLine) -> None:
    stolen = SigningKey.make()
    with rotated.box() as box:
        origin, entry = box.school.origin, box.ledger.entry(0).encode()
        box.ledger.hand_over(stolen)
        for _ in range(2):  # the first of them is the last that the stolen key may sign
            box.ledger.hand_over(SigningKey.make())
        beyond = box.ledger.head().size
        path = inclusion_proof(0, beyond, box.ledger._tree.node)
        forged = sign_checkpoint(origin, beyond, box.ledger.root_at(beyond), 1, stolen)
        keys = write_keys(box.ledger.keys)
    (rotated.folder / "forged").write_bytes(make_receipt(entry, 0, beyond, path, forged, None))
    (rotated.folder / "keys.pub").write_text(keys, encoding="utf-8")
    answer = rotated.run(
        "receipt", "verify", str(rotated.folder / "forged"), "--box-key", str(rotated.folder / "keys.pub"), "--json"
    )
    assert (answer.code, answer.last["verify"], answer.last["error"]) == (1, "failed", "ledger.key_ended")


def test_an_export_verifies_with_the_first_key(rotated: CommandLine) -> None:
    out = rotated.folder / "ledger.export"
    assert rotated.run("ledger", "export", "--out", str(out)).code == 0
    hub = ("--hub-key", str(rotated.folder / "hub.pub"))
    for name in ("box.pub", "keys.pub"):
        answer = rotated.run("export", "verify", str(out), "--box-key", str(rotated.folder / name), *hub, "--json")
        assert (answer.code, answer.last["verify"], answer.last["unchanged"]) == (0, "ok", True)
        issuers = answer.last["issuer_keys"]
        assert isinstance(issuers, list)
        assert len(issuers) == 3
    part = rotated.folder / "part.export"
    assert rotated.run("ledger", "export", "--out", str(part), "--first", "2").code == 0
    assert rotated.run("export", "verify", str(part), "--box-key", str(rotated.folder / "box.pub"), *hub).code == 0


def test_a_hub_that_was_not_reached_since_renews_and_releases(
    command: CommandLine, hub: HubCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    request, answer = command.folder / "request.json", command.folder / "answer.json"

    def enrol() -> int:
        assert command.run("enroll", "request", "--out", str(request)).code == 0
        return hub.run("admit", "--request", str(request), "--out", str(answer))

    assert enrol() == 0
    assert "history" not in json.loads(request.read_text())
    assert command.run("enroll", "accept", str(answer)).code == 0
    old = request.read_bytes()
    for _ in range(2):
        rotate(command)
    out = command.folder / "backups"
    out.mkdir()
    made = command.run("backup", "--out", str(out), "--json").last
    asked, released = command.folder / "restore.json", command.folder / "release.json"
    asked.write_bytes(RestoreRequest(Recipient.make().public_bytes()).to_json())
    files = ("--backup", str(made["backup"]), "--keys", str(made["keys"]), "--request", str(asked))
    assert hub.run("release", *files, "--out", str(released)) == 0
    assert enrol() == 0
    assert command.run("enroll", "accept", str(answer)).code == 0
    assert len(json.loads(request.read_text())["history"]["successions"]) == 2
    request.write_bytes(old)  # the key that was given up asks again
    assert hub.run("admit", "--request", str(request), "--out", str(command.folder / "stolen.json")) == 1
    shutil.rmtree(out)
