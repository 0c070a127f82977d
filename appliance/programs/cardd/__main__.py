"""``cardd``: the only process that can reach a card. Everyone else asks it through ``<run_dir>/card.sock``.

Root, its own user and the members of its own group may connect; who is in that group is the unit's decision.
"""

import os
import signal
import sys

from appliance.card.desk import Desk
from appliance.card.guests import Peers
from appliance.card.pcsc import PcscReaders
from appliance.card.server import CardServer
from appliance.config import Settings, load_settings, settings_paths
from appliance.errors import ConfigError, Field
from appliance.log import EventLog, start_logging
from appliance.notify import Notifier
from appliance.programs.cardd.hardening import close_memory

SOCKET = "card.sock"
ROOT = 0
WARNINGS = frozenset(
    {
        "reader.absent",
        "reader.service",
        "card.mute",
        "client.refused",
        "client.cut_off",
        "card.not_cleared",
        "reader.held",
    }
)


class RunDirectoryError(ConfigError):
    """The socket cannot be made where the settings want it."""

    code = "config.run_dir"


def main() -> int:
    """Runs until SIGTERM or SIGINT. Returns 0, or 2 if it could not start."""
    close_memory()
    try:
        settings = load_settings(settings_paths())
        start_logging(settings.box.log_level)
        return serve(settings)
    except ConfigError as error:
        print(f"cardd: {error}", file=sys.stderr)  # noqa: T201 - the settings, and with them the log, may be what failed
        return 2


def serve(settings: Settings) -> int:
    """Builds the desk and its socket and serves until told to stop."""
    log = EventLog("cardd")

    def observe(event: str, **fields: Field) -> None:
        (log.warning if event in WARNINGS else log.info)(event, **fields)

    def trace(line: str) -> None:
        log.debug("card.exchange", apdu=line)

    notifier = Notifier()
    peers = Peers(uids=frozenset({ROOT, os.geteuid()}), gids=frozenset({os.getegid()}))
    readers = PcscReaders(settings.reader.name)
    with Desk(readers, observe, trace if settings.box.log_level == "debug" else None) as desk:
        try:
            server = CardServer(desk, settings.box.run_dir / SOCKET, peers, observe)
        except OSError as error:
            raise RunDirectoryError(path=str(settings.box.run_dir), reason=error.strerror) from error
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: server.stop())

        def tick() -> None:
            if desk.alive:
                notifier.alive()

        log.info("cardd.ready", reader=settings.reader.name)
        notifier.ready()
        server.serve(tick)
        notifier.stopping()
        server.close()
    log.info("cardd.ended")
    return 0


if __name__ == "__main__":
    sys.exit(main())
