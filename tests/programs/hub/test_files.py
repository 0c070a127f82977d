"""A file that cannot be used is named with the reason."""

from pathlib import Path

import pytest

from appliance.programs.hub.files import HubFileError, read_file, write_file


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_file(tmp_path / "file", b"content")
    assert read_file(tmp_path / "file") == b"content"


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(HubFileError) as refused:
        read_file(tmp_path / "missing")
    assert refused.value.fields == {"file": str(tmp_path / "missing"), "reason": "No such file or directory"}
    with pytest.raises(HubFileError) as refused:
        write_file(tmp_path, b"content")
    assert refused.value.fields["reason"] == "Is a directory"
