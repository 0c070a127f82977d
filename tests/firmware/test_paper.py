"""The recovery text on the paper in the safe: what it opens, where it is shown, and whom it does not let in."""

import os
import pty
import shutil
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.ledger.archive_keys import ArchiveSigningKey
from appliance.programs.cli.keys import KeysPresentError, NotPrivateError, OtherPaperError
from appliance.services.founding import ARCHIVE_KEY
from appliance.services.recovery import OLD_LINES, read_keys, write_lines
from appliance.services.sealing import (
    BOX_KEYS,
    NoKeysError,
    read_seal,
)
from appliance.services.tpm import Tpm
from tests.firmware.conftest import SECURE_BOOT, Installation
from tests.sim.tpm import VirtualTpm

pytestmark = [
    pytest.mark.scenario,
    pytest.mark.timeout(120),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: systemd-creds keeps this installation's secret as root"),
]


def test_the_paper_opens_the_box_with_new_hardware(here: Installation, tpm: VirtualTpm, tmp_path: Path) -> None:
    here.found()
    before, paper = here.opened(), tmp_path / "paper"
    assert here.run("print", "--out", str(paper)) == 0
    assert stat.S_IMODE(paper.stat().st_mode) == 0o600
    assert here.run("restore", str(paper)) == 1
    assert KeysPresentError.code in here.said
    with VirtualTpm(tmp_path / "new-board") as board:
        here.put_beside(board)
        assert here.run("restore", str(paper)) == 0, here.said
        assert here.opened() == before
        assert read_seal(here.status) == SECURE_BOOT
        assert Tpm(board.address).bears_power_cuts
    # The old ones are still there, should the old board come back.
    here.put_beside(tpm)
    (here.keys / "line.key.previous").replace(here.keys / "line.key")
    assert here.store().open("line.key") == before["line.key"]


def test_the_paper_opens_the_box_with_a_new_disk(here: Installation, tmp_path: Path, tpm: VirtualTpm) -> None:
    here.found()
    before, paper = here.opened(), tmp_path / "paper"
    assert here.run("print", "--out", str(paper)) == 0
    shutil.rmtree(here.keys)
    (here.folder / "secret").unlink()
    # The TPM still has its limits, and an authorization that nobody knows any more: it need not be cleared.
    assert here.run("restore", str(paper)) == 0
    assert here.opened() == before
    assert sorted(path.name for path in here.keys.iterdir()) == sorted(BOX_KEYS)
    assert Tpm(tpm.address).bears_power_cuts


def without_archive_key(here: Installation) -> dict[str, bytes]:
    """As a box is that was founded before there was one; its keys."""
    (here.keys / ARCHIVE_KEY).unlink()
    here.store().tell()
    return here.opened()


def test_a_paper_from_before_there_was_an_archive_key(here: Installation, tpm: VirtualTpm, tmp_path: Path) -> None:
    here.found()
    lines = write_lines(here.opened())[:OLD_LINES]
    before = without_archive_key(here)
    (here.folder / "paper").write_text("\n".join(lines))
    with VirtualTpm(tmp_path / "new-board") as board:
        here.put_beside(board)
        assert here.run("restore", str(here.folder / "paper")) == 0, here.said
        assert "A new key was made and sealed: archive.key" in here.said
        after = here.opened()
        assert {name: key for name, key in after.items() if name != ARCHIVE_KEY} == before
        ArchiveSigningKey.from_pem(after[ARCHIVE_KEY])


@pytest.mark.parametrize("opens", [True, False])
def test_an_archive_key_that_opens_outlasts_an_old_paper_and_another_makes_way(
    here: Installation, tpm: VirtualTpm, opens: bool
) -> None:
    here.found()
    before = here.opened()
    (here.keys / "staff.key").write_text("torn")
    if not opens:
        (here.keys / ARCHIVE_KEY).write_text("torn")
    (here.folder / "paper").write_text("\n".join(write_lines(before)[:OLD_LINES]))
    assert here.run("restore", str(here.folder / "paper")) == 0, here.said
    after = here.opened()
    assert (after[ARCHIVE_KEY] == before[ARCHIVE_KEY]) == opens
    assert (here.keys / f"{ARCHIVE_KEY}.previous").exists() != opens
    assert after | {ARCHIVE_KEY: b""} == before | {ARCHIVE_KEY: b""}


def test_a_box_founded_without_an_archive_key_is_completed_once(here: Installation, tpm: VirtualTpm) -> None:
    assert here.run("complete") == 2
    assert NoKeysError.code in here.said
    here.found()
    before = without_archive_key(here)
    assert here.run("complete") == 0
    assert "A new key was made and sealed: archive.key" in here.said
    after = here.opened()
    assert set(after) - set(before) == {ARCHIVE_KEY}
    assert here.store().seal_of(ARCHIVE_KEY) == SECURE_BOOT
    assert here.run("complete") == 0
    assert "All keys are there." in here.said
    assert here.opened() == after


def test_a_key_that_is_there_and_does_not_open_is_never_made_anew_by_itself(
    here: Installation, tpm: VirtualTpm
) -> None:
    here.found()
    torn = (here.keys / ARCHIVE_KEY).read_bytes()[:-40]
    (here.keys / ARCHIVE_KEY).write_bytes(torn)
    assert here.run("complete") == 0
    assert (here.keys / ARCHIVE_KEY).read_bytes() == torn


def test_a_paper_is_printed_with_all_keys_also_where_one_was_missing(
    here: Installation, tpm: VirtualTpm, tmp_path: Path
) -> None:
    here.found()
    without_archive_key(here)
    assert here.run("print", "--out", str(tmp_path / "paper")) == 0
    assert read_keys((tmp_path / "paper").read_text()) == here.opened()


def test_the_paper_of_another_box_replaces_no_key_that_opens(here: Installation, tpm: VirtualTpm) -> None:
    here.found()
    before = here.opened()
    (here.keys / "staff.key").write_text("torn")
    other = write_lines({name: key if name != "device.key" else before["line.key"] for name, key in before.items()})
    (here.folder / "other").write_text("\n".join(other))
    assert here.run("restore", str(here.folder / "other")) == 1
    assert f"{OtherPaperError.code} name=device.key" in here.said
    (here.folder / "paper").write_text("\n".join(write_lines(before)))
    assert here.run("restore", str(here.folder / "paper")) == 0
    assert here.opened() == before


def test_a_mistyped_line_is_named_and_nothing_is_changed(here: Installation, tpm: VirtualTpm) -> None:
    here.found()
    lines = write_lines(here.opened())
    shutil.rmtree(here.keys)
    lines[4] = lines[4][:-1] + ("0" if lines[4][-1] != "0" else "2")
    (here.folder / "typed").write_text("\n".join(lines))
    assert here.run("restore", str(here.folder / "typed")) == 1
    assert "Something in line 5 is mistyped" in here.said
    assert not here.keys.exists()


def test_the_text_goes_into_no_pipe_and_over_no_file(here: Installation, tpm: VirtualTpm, tmp_path: Path) -> None:
    here.found()
    assert here.run("print") == 2
    assert NotPrivateError.code in here.said
    assert "1: " not in here.said
    there = tmp_path / "there"
    there.write_text("something")
    assert here.run("print", "--out", str(there)) == 2
    assert there.read_text() == "something"
    (tmp_path / "link").symlink_to(tmp_path / "target")
    assert here.run("print", "--out", str(tmp_path / "link")) == 2
    assert not (tmp_path / "target").exists()


def at_terminal(answer: Callable[[str], str | None], *arguments: str) -> tuple[int, str]:
    """Runs ``appliance keys`` at a terminal; ``answer`` is asked with all that is on the screen. Exit code, screen."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-m", "appliance.programs.cli", "keys", *arguments])
    screen = b""
    try:
        while piece := _read(terminal):
            screen += piece
            if (line := answer(screen.decode(errors="replace"))) is not None:
                os.write(terminal, f"{line}\n".encode())
    finally:
        os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), screen.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""  # the other side of a terminal ends like this


def test_a_terminal_shows_the_text_and_takes_it_back_line_by_line(here: Installation, tpm: VirtualTpm) -> None:
    here.found()
    before = here.opened()
    code, screen = at_terminal(lambda _: None, "print")
    assert code == 0
    lines = [line for line in screen.splitlines() if line[:1].isdigit()]
    assert lines == write_lines(before)
    shutil.rmtree(here.keys)
    typed = [lines[0][3:], lines[1][3:], lines[2][3:-2], lines[2], *(line[3:] for line in lines[3:])]
    asked = 0

    def answer(screen: str) -> str | None:
        nonlocal asked
        last = screen.splitlines()[-1]
        if last[:-2].isdigit() and last.endswith(": ") and asked < len(typed):
            asked += 1
            return typed[asked - 1]
        return None

    code, screen = at_terminal(answer, "restore")
    assert code == 0, screen
    assert "Line 3 has 28 characters instead of 29" in screen
    assert here.opened() == before


def test_an_old_paper_ends_at_the_terminal_with_an_empty_line(here: Installation, tpm: VirtualTpm) -> None:
    here.found()
    before = here.opened()
    shutil.rmtree(here.keys)
    typed = [*(line[3:] for line in write_lines(before)[:OLD_LINES]), ""]

    def answer(screen: str) -> str | None:
        last = screen.splitlines()[-1]
        return typed.pop(0) if last[:-2].isdigit() and last.endswith(": ") and typed else None

    code, screen = at_terminal(answer, "restore")
    assert code == 0, screen
    assert "If the paper ends here, press Enter" in screen
    assert {**here.opened(), ARCHIVE_KEY: b""} == {**before, ARCHIVE_KEY: b""}
