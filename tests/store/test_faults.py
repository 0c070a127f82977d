"""What the words of SQLite and SQLCipher mean."""

import pytest

from appliance.store.faults import fault_of


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("file is not a database", "store.wrong_key"),
        ("file is encrypted or is not a database", "store.wrong_key"),
        ("database is locked", "store.busy"),
        ("database table is locked", "store.busy"),
        ("database or disk is full", "store.disk_full"),
        ("attempt to write a readonly database", "store.read_only"),
        ("unable to open database file", "store.read_only"),
        ("disk I/O error", "store.fault"),
        ("database disk image is malformed", "store.fault"),
    ],
)
def test_each_fault_is_told_apart(text: str, code: str) -> None:
    assert fault_of(text).code == code


def test_words_that_nobody_knows_are_kept_for_the_log() -> None:
    assert fault_of("sql error").fields == {"reason": "sql error"}
