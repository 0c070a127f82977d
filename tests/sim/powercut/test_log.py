"""The log's form: what ``file_log.c`` writes and a program adds."""

from pathlib import Path

import pytest

from tests.sim.powercut.log import HEADER, LOG_VARIABLE, Kind, Record, read_log, write_note


def test_a_note_stands_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    log.write_bytes(HEADER.pack(Kind.WRITE.value, 7, 512, 4, 3) + b"a.db" + b"xyz")
    monkeypatch.setenv(LOG_VARIABLE, str(log))
    write_note(b"done")
    written = Record(Kind.WRITE, 7, 512, "a.db", b"xyz")
    assert read_log(log) == [written, Record(Kind.NOTE, 0, 0, "", b"done")]


@pytest.mark.parametrize("missing", [1, 3, 4, 7, 8, 20, 46])
def test_half_a_record_is_an_error(tmp_path: Path, missing: int) -> None:
    log = tmp_path / "log"
    log.write_bytes((HEADER.pack(Kind.WRITE.value, 7, 512, 4, 3) + b"a.db" + b"xyz")[:-missing])
    with pytest.raises(ValueError, match="in the middle"):
        read_log(log)
