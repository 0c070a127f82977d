"""The disk keeps what was synced and nothing else, and every state that it leaves is one that its rules allow."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sim.powercut.disk import SECTOR, Cut, Disk, NotReplayableError, leave
from tests.sim.powercut.log import Kind, Record

OLD, NEW = b"o", b"n"


class Story:
    """Records as a program would leave them; inodes are given by hand."""

    def __init__(self, folder: Path) -> None:
        self.disk = Disk(folder)
        self.root = folder.stat().st_ino

    def play(self, kind: Kind, inode: int = 0, path: str = "", offset: int = 0, data: bytes = b"") -> None:
        self.disk.play(Record(kind, inode, offset, path, data))

    def make(self, path: str, inode: int, data: bytes, *, named: bool = True) -> None:
        """A file that is wholly durable; without its name unless ``named``."""
        self.play(Kind.CREATE, inode, path)
        self.play(Kind.WRITE, inode, path, 0, data)
        self.play(Kind.SYNC, inode, path)
        if named:
            self.play(Kind.SYNC, self.root)

    def states(self, *cuts: Cut) -> Iterator[dict[str, bytes | None]]:
        for seed in range(40):
            for cut in cuts or Cut:
                yield self.disk.after(cut, random.Random(seed))


@pytest.fixture
def story(folder: Path) -> Story:
    return Story(folder)


def sectors(data: bytes) -> list[bytes]:
    return [data[at : at + SECTOR] for at in range(0, len(data), SECTOR)]


def test_what_was_synced_is_there_whatever_happens(story: Story) -> None:
    story.make("a", 1, OLD * 5000)
    assert all(one == {"a": OLD * 5000} for one in story.states())


def test_what_was_there_at_the_beginning_is_durable(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "a").write_bytes(OLD * 700)
    assert all(one == {"sub": None, "sub/a": OLD * 700} for one in Story(folder).states())


def test_a_file_without_a_durable_name_may_be_gone(story: Story) -> None:
    story.make("a", 1, OLD, named=False)
    assert next(iter(story.states(Cut.NOTHING))) == {}
    assert next(iter(story.states(Cut.EVERYTHING))) == {"a": OLD}
    assert {one.get("a") for one in story.states(Cut.SOME)} == {None, OLD}
    story.play(Kind.SYNC, story.root)
    assert all(one == {"a": OLD} for one in story.states())


def test_a_sector_is_old_or_new_and_any_may_be_either(story: Story) -> None:
    story.make("a", 1, OLD * SECTOR * 8)
    story.play(Kind.WRITE, 1, "a", 0, NEW * SECTOR * 8)
    seen = [sectors(one["a"] or b"") for one in story.states(Cut.TORN)]
    assert {sector for one in seen for sector in one} == {OLD * SECTOR, NEW * SECTOR}
    assert any(one[0] != one[-1] for one in seen)
    assert all({one[number] for one in seen} == {OLD * SECTOR, NEW * SECTOR} for number in range(8))
    story.play(Kind.SYNC, 1, "a")
    assert all(one == {"a": NEW * SECTOR * 8} for one in story.states())


def test_a_sector_never_has_a_later_write_without_the_one_before(story: Story) -> None:
    story.make("a", 1, OLD * SECTOR)
    story.play(Kind.WRITE, 1, "a", 0, b"1")
    story.play(Kind.WRITE, 1, "a", 1, b"2")
    assert {one["a"] for one in story.states()} == {begin + OLD * (SECTOR - len(begin)) for begin in (b"", b"1", b"12")}


def test_writes_may_arrive_in_any_order(story: Story) -> None:
    story.make("a", 1, OLD * SECTOR * 2)
    story.play(Kind.WRITE, 1, "a", 0, NEW * SECTOR)
    story.play(Kind.WRITE, 1, "a", SECTOR, NEW * SECTOR)
    for cut in (Cut.END, Cut.SOME):
        assert OLD * SECTOR + NEW * SECTOR in {one["a"] for one in story.states(cut)}
    ordered = {one["a"] for one in story.states(Cut.BEGINNING)}
    assert ordered == {OLD * SECTOR * 2, NEW * SECTOR + OLD * SECTOR, NEW * SECTOR * 2}


def test_a_file_that_grew_may_have_its_size_without_its_bytes(story: Story) -> None:
    story.make("a", 1, OLD * 100)
    story.play(Kind.WRITE, 1, "a", 100, NEW * 2000)
    seen = {one["a"] for one in story.states(Cut.TORN)}
    assert {len(one or b"") for one in seen} == {100, 2100}
    assert any(bytes(SECTOR) in (one or b"") for one in seen)
    assert all(one is not None and one.startswith(OLD * 100) for one in seen)
    strange = b"".join(one["a"] or b"" for one in story.states(Cut.STALE))
    assert set(strange) - set(OLD + NEW + b"\0")


def test_a_file_that_was_cut_off_may_still_be_long(story: Story) -> None:
    story.make("a", 1, OLD * 1000)
    story.play(Kind.TRUNCATE, 1, "a", 0)
    assert {len(one["a"] or b"") for one in story.states()} == {0, 1000}
    story.play(Kind.SYNC, 1, "a")
    assert {one["a"] for one in story.states()} == {b""}


def test_a_file_that_is_replaced_is_the_old_or_the_new_one(story: Story) -> None:
    story.make("a", 1, OLD)
    story.make("fresh", 2, NEW, named=False)
    story.play(Kind.RENAME, 0, "fresh", 0, b"a")
    assert {one["a"] for one in story.states()} == {OLD, NEW}
    story.play(Kind.SYNC, story.root)
    assert all(one == {"a": NEW} for one in story.states())


def test_a_removed_file_may_be_there_again_beside_one_with_its_inode(story: Story) -> None:
    story.make("a", 1, OLD)
    story.play(Kind.UNLINK, 0, "a")
    story.make("b", 1, NEW, named=False)
    seen = {tuple(sorted(one.items())) for one in story.states(Cut.SOME)}
    assert seen == {(), (("a", OLD),), (("a", OLD), ("b", NEW)), (("b", NEW),)}


def test_two_names_are_one_file(story: Story) -> None:
    story.make("a", 1, OLD)
    story.play(Kind.LINK, 0, "a", 0, b"b")
    story.play(Kind.SYNC, story.root)
    story.play(Kind.UNLINK, 0, "a")
    story.play(Kind.SYNC, story.root)
    assert all(one == {"b": OLD} for one in story.states())


def test_a_folder_takes_along_what_lies_in_it(story: Story) -> None:
    story.play(Kind.MKDIR, 9, "sub")
    story.play(Kind.CREATE, 1, "sub/a")
    story.play(Kind.SYNC, 1, "sub/a")
    story.play(Kind.SYNC, 9, "sub")
    assert next(iter(story.states(Cut.NOTHING))) == {}
    story.play(Kind.SYNC, story.root)
    assert all(one == {"sub": None, "sub/a": b""} for one in story.states())


def test_a_name_that_moves_needs_both_folders(story: Story) -> None:
    story.play(Kind.MKDIR, 9, "sub")
    story.make("a", 1, OLD)
    story.play(Kind.RENAME, 0, "a", 0, b"sub/a")
    story.play(Kind.SYNC, story.root)
    assert next(iter(story.states(Cut.NOTHING))) == {"sub": None, "a": OLD}
    story.play(Kind.SYNC, 9, "sub")
    assert all(one == {"sub": None, "sub/a": OLD} for one in story.states())


def test_what_the_disk_does_not_know_is_not_played(story: Story) -> None:
    story.play(Kind.NOTE, data=b"anything")
    story.play(Kind.MKDIR, 9, "sub")
    for record in (
        Record(Kind.UNKNOWN, 0, 0, "a", b"sendfile"),
        Record(Kind.WRITE, 5, 0, "a", b"x"),
        Record(Kind.RENAME, 0, 0, "sub", b"other"),
    ):
        with pytest.raises(NotReplayableError):
            story.disk.play(record)


def test_what_is_left_lies_in_a_folder_again(tmp_path: Path) -> None:
    leave({"sub": None, "sub/a": OLD, "b": NEW}, tmp_path)
    assert (tmp_path / "sub" / "a").read_bytes() == OLD
    assert (tmp_path / "b").read_bytes() == NEW
