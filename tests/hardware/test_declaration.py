"""Only a card that its holder declared is one, and what they wrote stays with them."""

import hashlib
import stat
from pathlib import Path

import pytest

from tests.hardware.declaration import SUFFIX, Declaration, DeclarationError, draft, load
from tests.source import ROOT

CERTIFICATE = b"\x30\x03abc"
DIGEST = hashlib.sha256(CERTIFICATE).hexdigest()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / f"mine{SUFFIX}"


def write(file: Path, *lines: str) -> Path:
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def test_a_draft_declares_nothing_until_the_holder_says_so(file: Path) -> None:
    draft(CERTIFICATE, file)
    with pytest.raises(DeclarationError, match="declared_by_holder"):
        load(file)
    write(file, file.read_text().replace("declared_by_holder = false", "declared_by_holder = true"))
    declared = load(file)
    assert declared.names(CERTIFICATE)
    assert not declared.names(CERTIFICATE + b"\xff")
    assert not declared.wrong_pins


def test_a_draft_is_for_its_holder_alone(file: Path, tmp_path: Path) -> None:
    draft(CERTIFICATE, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        draft(CERTIFICATE, file)
    with pytest.raises(DeclarationError, match=SUFFIX):
        draft(CERTIFICATE, tmp_path / "mine.toml")


def test_git_sees_neither_declarations_nor_reports() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert f"*{SUFFIX}" in ignored
    assert "card-report*.json" in ignored


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["declared_by_holder = true"],
        [f'authentication_sha256 = "{DIGEST}"'],
        [f'authentication_sha256 = "{DIGEST}"', "declared_by_holder = false"],
        [f'authentication_sha256 = "{DIGEST}"', 'declared_by_holder = "true"'],
        [f'authentication_sha256 = "{DIGEST}"', "declared_by_holder = 1"],
        [f'authentication_sha256 = "{DIGEST[:-1]}"', "declared_by_holder = true"],
        [f'authentication_sha256 = "{DIGEST[:-1]}x"', "declared_by_holder = true"],
        ["authentication_sha256 = 5", "declared_by_holder = true"],
        [f'authentication_sha256 = "{DIGEST}"', "declared_by_holder = true", "wrong_pins = 1"],
        [f'authentication_sha256 = "{DIGEST}"', "declared_by_holder = true", 'pin = "1234"'],
        [f'authentication_sha256 = "{DIGEST}', "declared_by_holder = true"],
    ],
)
def test_whatever_is_unclear_declares_nothing_and_is_not_quoted(file: Path, lines: list[str]) -> None:
    with pytest.raises(DeclarationError) as caught:
        load(write(file, *lines))
    assert DIGEST[:8] not in str(caught.value)
    assert "1234" not in str(caught.value)


def test_a_file_that_is_not_there(file: Path) -> None:
    with pytest.raises(DeclarationError):
        load(file)


def test_the_digest_is_not_shown() -> None:
    assert DIGEST[:8] not in repr(Declaration(bytes.fromhex(DIGEST))).lower()
    assert "authentication_sha256" not in repr(Declaration(bytes.fromhex(DIGEST)))
