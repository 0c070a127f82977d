"""What the hub knows of its schools."""

from collections.abc import Callable

import pytest

from appliance.ledger.merkle import EMPTY_ROOT, Frontier
from appliance.ledger.verify import Batch, verify_batch
from appliance.programs.hub.registry import UnknownSchoolError
from appliance.store.mirror import MirrorLedger
from appliance.sync.wire import State
from tests.programs.hub.conftest import FoundedBox, FoundedHub

CODE, OTHER = "B113299900018", "C113299900028"


def test_schools_are_known_by_their_code(hub: FoundedHub, make_box: Callable[[str, str], FoundedBox]) -> None:
    assert hub.registry.codes() == []
    with pytest.raises(UnknownSchoolError):
        hub.registry.school(CODE)
    for code in (OTHER, CODE):
        hub.admit(make_box(code, "学校"))
    assert hub.registry.codes() == [CODE, OTHER]
    school = hub.registry.school(CODE)
    assert (school.box_origin, school.feed_origin) == (f"madoguchi/1/{CODE}/box/1", f"madoguchi/1/{CODE}/feed/1")


def test_the_last_word_of_each_school_is_kept(hub: FoundedHub, make_box: Callable[[str, str], FoundedBox]) -> None:
    for code in (CODE, OTHER):
        hub.admit(make_box(code, "学校"))
    registry = hub.registry
    registry.note_state(CODE, State(True, 10, 4, 0), 1000)
    registry.note_seen(CODE, 2000)
    registry.note_refusal(OTHER, "sync.gap", 3000)
    first, second = registry.overview()
    assert (first.online, first.pending, first.seen_ms, first.refused_code) == (True, 6, 2000, None)
    assert (second.online, second.pending, second.seen_ms, second.refused_code) == (False, None, 3000, "sync.gap")
    registry.note_offline(CODE)
    assert (registry.overview()[0].online, registry.overview()[0].pending) == (False, 6)
    registry.note_state(CODE, State(True, 10, 10, 0), 4000)
    registry.note_all_offline()
    assert (registry.overview()[0].online, registry.overview()[0].pending) == (False, 0)


def test_the_head_is_the_root_of_what_is_mirrored(hub: FoundedHub, make_box: Callable[[str, str], FoundedBox]) -> None:
    made = make_box(CODE, "学校")
    hub.admit(made)
    (before,) = hub.registry.overview()
    assert (before.mirrored, before.root) == (0, EMPTY_ROOT)
    ledger = made.box.ledger
    size, origin = ledger.head().size, made.box.school.origin
    batch = Batch(origin, 0, tuple(ledger.items(0, size)), ledger.checkpoint_at(size))
    verified = verify_batch(batch, origin, Frontier(), 0, ledger.public_key)
    MirrorLedger.find(hub.database, origin).store(verified, b"cosignature", 1)
    (after,) = hub.registry.overview()
    assert (after.mirrored, after.root) == (size, ledger.root_at(size))
