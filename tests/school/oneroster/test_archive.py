"""The ZIP: same files same bytes, and nothing larger, stranger or more broken than it should be gets in."""

import io
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.school.oneroster import RosterError, archive
from appliance.school.oneroster.archive import ArchiveError, ArchiveSizeError, MemberError, pack, unpack

FILES = {"a.csv": b'"x"\r\n' * 50, "b.csv": b""}


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as made:
        for name, content in members:
            made.writestr(name, content)
    return buffer.getvalue()


def test_what_is_packed_unpacks_and_packs_to_the_same_bytes() -> None:
    data = pack(FILES)
    assert unpack(data) == FILES
    assert pack(unpack(data)) == data
    with zipfile.ZipFile(io.BytesIO(data)) as made:
        assert {one.date_time for one in made.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize("data", [b"", b"PK", b"not a zip at all", pack(FILES)[:-30], pack(FILES)[40:]])
def test_what_is_no_whole_zip_is_damaged(data: bytes) -> None:
    with pytest.raises(ArchiveError) as caught:
        unpack(data)
    assert caught.value.fields == {"reason": "damaged"}


def test_a_flipped_byte_inside_a_file_is_noticed() -> None:
    data = bytearray(zipped(("a.csv", b"x" * 100), method=zipfile.ZIP_STORED))
    data[data.index(b"xxxx")] ^= 1
    with pytest.raises(ArchiveError):
        unpack(bytes(data))


@pytest.mark.parametrize("name", ["roster/users.csv", "..\\users.csv", "/etc/passwd", "folder/"])
def test_folders_are_refused(name: str) -> None:
    with pytest.raises(MemberError) as caught:
        unpack(zipped((name, b"")))
    assert caught.value.fields["reason"] == "folder"


def test_one_name_twice_is_refused() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = zipped(("users.csv", b"1"), ("users.csv", b"2"))
    with pytest.raises(MemberError) as caught:
        unpack(data)
    assert caught.value.fields == {"file": "users.csv", "reason": "twice"}


def test_encrypted_and_exotic_members_are_refused() -> None:
    data = bytearray(zipped(("users.csv", b"text")))
    for offset, header in ((6, b"PK\x03\x04"), (8, b"PK\x01\x02")):
        data[data.index(header) + offset] |= 1
    with pytest.raises(ArchiveError) as caught:
        unpack(bytes(data))
    assert caught.value.fields == {"reason": "encrypted"}
    with pytest.raises(ArchiveError) as caught:
        unpack(zipped(("users.csv", b"text"), method=zipfile.ZIP_LZMA))
    assert caught.value.fields == {"reason": "method"}


def test_a_bomb_is_stopped_while_it_unpacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_UNPACKED_BYTES", 1_000_000)
    bomb = zipped(("users.csv", bytes(600_000)), ("roles.csv", bytes(600_000)))
    assert len(bomb) < 3_000
    with pytest.raises(ArchiveSizeError) as caught:
        unpack(bomb)
    assert caught.value.fields == {"what": "unpacked", "limit": 1_000_000}


def test_a_bomb_that_lies_about_its_size_is_refused_too() -> None:
    honest = zipped(("users.csv", bytes(1_000_000)))
    at = honest.index(b"PK\x01\x02") + 24  # the unpacked size in the directory
    with pytest.raises(ArchiveError):
        unpack(honest[:at] + (10).to_bytes(4, "little") + honest[at + 4 :])


def test_too_many_files_and_too_many_bytes_are_refused() -> None:
    with pytest.raises(ArchiveSizeError) as caught:
        unpack(zipped(*((f"{number}.csv", b"") for number in range(archive.MAX_FILES + 1))))
    assert caught.value.fields["what"] == "files"
    with pytest.raises(ArchiveSizeError) as caught:
        unpack(bytes(archive.MAX_ZIP_BYTES + 1))
    assert caught.value.fields["what"] == "zip"


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_zip_is_refused_or_gives_the_same_files(data: st.DataObject) -> None:
    whole = bytearray(pack(FILES))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        files = unpack(bytes(whole))
    except RosterError:
        return
    # Names and counts stand in the directory without a checksum; contents are protected by theirs.
    sums = {zlib.crc32(content) for content in FILES.values()}
    assert {zlib.crc32(content) for content in files.values()} <= sums
