"""What systemd is told (sd_notify(3)): that a program is ready, and that it still lives."""

import os
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress


class Notifier:
    """Sends to the socket that systemd names; does nothing where there is none, as in the demo."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        watchdog_us = environment.get("WATCHDOG_USEC", "")
        self.interval_s = int(watchdog_us) / 3_000_000 if watchdog_us.isdigit() else None
        """How often ``alive`` is due: a third of what the unit allows; None if nobody watches."""

    def ready(self) -> None:
        self._send("READY=1")

    # A systemd that does not take its mail must not hold the program up: these two never wait.

    def alive(self) -> None:
        self._send("WATCHDOG=1", socket.MSG_DONTWAIT)

    def stopping(self) -> None:
        self._send("STOPPING=1", socket.MSG_DONTWAIT)

    def _send(self, text: str, flags: int = 0) -> None:
        if not self._address:
            return
        # An address that begins with @ is an abstract one (unix(7)).
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to_systemd, suppress(OSError):
            # systemd may be restarting itself; what it misses, the watchdog of the unit covers.
            to_systemd.sendto(text.encode(), flags, address)


def keep_alive(notifier: Notifier, healthy: Callable[[], bool]) -> None:
    """Reports ``alive`` in a thread for as long as ``healthy`` says so; afterwards systemd restarts the program."""
    interval_s = notifier.interval_s
    if interval_s is None:
        return

    def ping() -> None:
        pause = threading.Event()
        while healthy():
            notifier.alive()
            pause.wait(interval_s)

    threading.Thread(target=ping, name="watchdog", daemon=True).start()
