"""The hub as a process, and its page as another."""

import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sim.prefecture import Prefecture, until

pytestmark = pytest.mark.scenario


@pytest.fixture
def prefecture(tmp_path: Path) -> Iterator[Prefecture]:
    with Prefecture(tmp_path) as prefecture:
        yield prefecture


def answers(prefecture: Prefecture, path: str = "/alive") -> bytes | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{prefecture.page_port}{path}", timeout=5) as page:
            return bytes(page.read())
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None


def children(pid: int) -> list[int]:
    """Processes that this one started, from proc(5)."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_the_page_is_there_and_comes_back_and_goes_with_its_hub(prefecture: Prefecture) -> None:
    until("the page", lambda: answers(prefecture) == b"ok\n")
    assert json.loads(answers(prefecture, "/schools.json") or b"") == []
    hub = prefecture.hub.pid
    (page,) = children(hub)
    os.kill(page, signal.SIGKILL)
    until("another page", lambda: children(hub) not in ([], [page]))
    until("its answer", lambda: answers(prefecture) == b"ok\n")
    prefecture.hub.kill(alone=True)
    until("the end of the page", lambda: answers(prefecture) is None)
    prefecture.hub.start()
    until("the page of the new hub", lambda: answers(prefecture) == b"ok\n")
    prefecture.hub.stop()
    assert answers(prefecture) is None
    assert len(prefecture.hub.said("hub.ended")) == 1


def test_a_hub_without_its_broker_waits_for_it(prefecture: Prefecture) -> None:
    until("the connection", lambda: len(prefecture.hub.said("hub.connected")) == 1)
    prefecture.broker.kill()
    until("the loss", lambda: bool(prefecture.hub.said("hub.disconnected")))
    until("the page", lambda: answers(prefecture) is not None)
    prefecture.broker.start()
    until("the connection again", lambda: len(prefecture.hub.said("hub.connected")) == 2)
