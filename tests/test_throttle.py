"""A flood of the same event is told now and then, with how often it happened."""

import pytest

from appliance import throttle as module
from appliance.throttle import Throttled
from tests.card.test_desk import Log


def test_the_first_of_each_kind_is_told_at_once() -> None:
    log = Log()
    told = Throttled(log)
    for code in ("cardd.peer", "cardd.crowded"):
        for _ in range(3):
            told("client.refused", code=code)
    told("client.lost", reason="TimeoutError")
    assert log.events == [
        ("client.refused", {"code": "cardd.peer"}),
        ("client.refused", {"code": "cardd.crowded"}),
        ("client.lost", {"reason": "TimeoutError"}),
    ]


def test_later_ones_stand_for_those_that_were_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log()
    told = Throttled(log)
    for _ in range(1000):
        told("client.refused", code="cardd.crowded")
    monkeypatch.setattr(module, "QUIET_S", 0.0)
    told("client.refused", code="cardd.crowded")
    told("client.refused", code="cardd.crowded")
    assert [fields.get("times") for _, fields in log.events] == [None, 1000, None]
