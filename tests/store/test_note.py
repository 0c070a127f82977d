"""The note of the last head: written, read, damaged, and never in the way."""

from pathlib import Path

import pytest

from appliance.errors import UntrustedError
from appliance.ledger.checkpoint import sign_checkpoint
from appliance.ledger.keys import SigningKey
from appliance.store.note import HeadNote, NoteDamagedError, NotedHead

KEY = SigningKey.make()


def head(size: int, origin: str = "box") -> NotedHead:
    root = bytes([size]) * 32
    return NotedHead(origin, size, root, sign_checkpoint(origin, size, root, 1, KEY))


def test_the_last_one_counts(tmp_path: Path) -> None:
    note = HeadNote(tmp_path / "head")
    assert note.read() is None
    for one in (head(3, "a much longer origin"), head(4)):
        note.write(one)
        assert note.read() == one
    assert (tmp_path / "head").stat().st_mode & 0o007 == 0


def test_it_is_one_sector_from_the_beginning_on(tmp_path: Path) -> None:
    """A file that grows can have its new size without its new bytes after a power cut."""
    path = tmp_path / "head"
    for one in (head(3), head(4, "a much longer origin"), head(200)):
        HeadNote(path).write(one)
        assert path.stat().st_size == 512
    assert [one.name for one in tmp_path.iterdir()] == ["head"]


def test_only_what_the_ledgers_key_signed_is_believed() -> None:
    assert head(7).open(KEY.public).size == 7
    forged = NotedHead("box", 9, bytes(32), head(7).checkpoint)
    for noted, key in ((forged, KEY), (head(7), SigningKey.make())):
        with pytest.raises(UntrustedError):
            noted.open(key.public)


def test_every_flipped_byte_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "head"
    HeadNote(path).write(head(3))
    raw = path.read_bytes()
    for at in range(len(raw)):
        path.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
        with pytest.raises(NoteDamagedError):
            HeadNote(path).read()
    for cut in (0, 1, 5, 6, len(raw) - 1):
        path.write_bytes(raw[:cut])
        with pytest.raises(NoteDamagedError):
            HeadNote(path).read()


def test_where_no_note_can_be_written_nothing_fails(tmp_path: Path) -> None:
    HeadNote(tmp_path / "missing" / "head").write(head(3))
    assert not (tmp_path / "missing").exists()
