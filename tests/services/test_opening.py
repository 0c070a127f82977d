"""A box is founded once and opens with its own two keys only."""

from pathlib import Path

import pytest

from appliance.errors import ConfigError
from appliance.ledger.entry import type_label
from appliance.ledger.keys import SigningKey
from appliance.services.opening import (
    DATABASE_NAME,
    AlreadyFoundedError,
    NotFoundedError,
    OpenBox,
    box_origin,
    found_box,
    open_box,
)
from appliance.store.database import Database
from appliance.store.faults import DatabaseMissingError, WrongKeyError
from appliance.store.ledger import OwnLedger
from appliance.store.migrate import SchemaTooOldError, migrate
from appliance.store.schema import BOX_FAMILIES, LEDGER
from tests.school.small import CODE
from tests.sim.box import DATABASE_KEY, SCHOOL_NAME
from tests.sim.clock import ManualClock


def opened(box: OpenBox, device_key: SigningKey, clock: ManualClock, key: bytes = DATABASE_KEY) -> OpenBox:
    return open_box(box.database.path.parent, key, device_key, clock)


def test_a_new_box_begins_with_one_signed_entry(box: OpenBox, device_key: SigningKey, clock: ManualClock) -> None:
    assert (box.school.code, box.school.name) == (str(CODE), SCHOOL_NAME)
    assert box.school.origin == box_origin(str(CODE), 1) == "madoguchi/1/B113299900018/box/1"
    head = box.ledger.head()
    assert (head.size, head.checkpoint is not None) == (1, True)
    assert type_label(box.ledger.entry(0).type) == "ledger.opened"
    body = box.ledger.body(0)
    assert body is not None
    assert body.read() == {
        "origin": box.school.origin,
        "school": box.school.code,
        "boot_id": clock.boot_id,
        "key_id": device_key.public.key_id,
    }


def test_it_opens_again_as_it_was(box: OpenBox, device_key: SigningKey, clock: ManualClock) -> None:
    again = opened(box, device_key, clock)
    assert again.school == box.school
    assert again.school_key == box.school_key
    assert again.ledger.head() == box.ledger.head()
    again.database.close()


def test_pseudonyms_are_the_schools_own(box: OpenBox, tmp_path: Path, device_key: SigningKey) -> None:
    other = found_box(tmp_path / "other", DATABASE_KEY, device_key, ManualClock(), str(CODE), SCHOOL_NAME)
    assert box.pseudonym("guardian:mother") == box.pseudonym("guardian:mother")
    assert (
        len({box.pseudonym("guardian:mother"), box.pseudonym("staff:mother"), other.pseudonym("guardian:mother")}) == 3
    )
    assert len(box.pseudonym("guardian:mother")) == 16
    other.database.close()


def test_a_box_is_founded_once(box: OpenBox, device_key: SigningKey, clock: ManualClock) -> None:
    with pytest.raises(AlreadyFoundedError):
        found_box(box.database.path.parent, DATABASE_KEY, device_key, clock, str(CODE), "別の学校")
    assert opened(box, device_key, clock).school == box.school
    assert box.ledger.head().size == 1


def test_other_keys_do_not_open_it(box: OpenBox, device_key: SigningKey, clock: ManualClock) -> None:
    with pytest.raises(WrongKeyError):
        opened(box, device_key, clock, b"x" * 32)
    with pytest.raises(ConfigError, match="device key"):
        opened(box, SigningKey.make(), clock)


def test_what_is_missing_is_named(tmp_path: Path, device_key: SigningKey, clock: ManualClock) -> None:
    with pytest.raises(DatabaseMissingError):
        open_box(tmp_path, DATABASE_KEY, device_key, clock)
    with Database.create(tmp_path / DATABASE_NAME, DATABASE_KEY) as database:
        migrate(database, (LEDGER,))
        with pytest.raises(SchemaTooOldError):
            open_box(tmp_path, DATABASE_KEY, device_key, clock)
        migrate(database, BOX_FAMILIES)
    with pytest.raises(NotFoundedError):
        open_box(tmp_path, DATABASE_KEY, device_key, clock)


def test_founding_that_was_cut_short_goes_on(tmp_path: Path, device_key: SigningKey, clock: ManualClock) -> None:
    with Database.create(tmp_path / DATABASE_NAME, DATABASE_KEY) as database:
        migrate(database, BOX_FAMILIES)
        OwnLedger.add(database, box_origin(str(CODE), 1), device_key.public)
    box = found_box(tmp_path, DATABASE_KEY, device_key, clock, str(CODE), SCHOOL_NAME)
    assert box.ledger.head().size == 1
    box.database.close()
