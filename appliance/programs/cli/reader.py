"""The reader as the command line reaches it: through ``cardd`` where it runs, else directly."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from appliance.card.connection import CardAbsentError, ReaderAbsentError
from appliance.card.desk import Desk
from appliance.card.ipc import CardClient, CarddAbsentError
from appliance.card.pcsc import PcscReaders
from appliance.card.service import CardService
from appliance.config import load_settings, settings_paths

SOCKET: Final = "card.sock"
SETTLE_S: Final = 1.5  # pcscd needs a moment for a card that was put on, or a reader plugged in, just before
LOOK_AGAIN_S: Final = 0.1
T = TypeVar("T")


@contextmanager
def card_service(name: str, *, watching: bool = False) -> Iterator[CardService]:
    """The service for the reader whose name begins with ``name``; empty for the one in the settings.

    ``cardd`` holds one reader: another one that was named is opened directly. ``watching`` is needed for ``watch``. A
    session that is still open at the end is left. Raises ``ConfigError`` for wrong settings, and what
    ``CardService.status`` raises.
    """
    settings = load_settings(settings_paths())
    with CardClient(settings.box.run_dir / SOCKET) as client:
        if _answers(client, name):
            yield client
            return
    desk = Desk(PcscReaders(name or settings.reader.name))
    try:
        if watching:
            desk.start()
        yield desk.client()
    finally:
        desk.close()


def settled(work: Callable[[], T]) -> T:
    """The result of ``work``, tried again for ``SETTLE_S`` while there is no card or no reader."""
    end = time.monotonic() + SETTLE_S
    while True:
        try:
            return work()
        except (CardAbsentError, ReaderAbsentError):
            if time.monotonic() >= end:
                raise
        time.sleep(LOOK_AGAIN_S)


def _answers(client: CardClient, name: str) -> bool:
    try:
        return client.status().reader.startswith(name)
    except CarddAbsentError:
        return False
