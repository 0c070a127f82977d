"""gunicorn as a library: one process manager for both sites, sockets from systemd when it gives them."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer

from appliance.errors import MadoguchiError
from appliance.log import EventLog

STREAMS_AND_PAGES = 12


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """Serves ``make`` (called in each worker, after the fork: neither PC/SC nor the database may cross it).

    If ``make`` raises one of our errors, its code is logged as ``<program>.stopped`` and the whole program ends.
    """

    def __init__(self, make: Callable[[], Flask], log: EventLog, **options: Any) -> None:
        self._make, self._log = make, log
        self._options = {
            "worker_class": "gthread",
            "threads": STREAMS_AND_PAGES,
            "workers": 1,
            "timeout": 60,
            "graceful_timeout": 2,
            "loglevel": "warning",
            "control_socket_disable": True,
            **options,
        }
        super().__init__()

    def run(self) -> None:
        try:
            super().run()
        except HaltServer as halt:  # a second worker failed while the master was ending because of the first
            raise SystemExit(halt.exit_status) from halt

    def load_config(self) -> None:
        for name, value in self._options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        try:
            return self._make()
        except MadoguchiError as error:
            self._log.error(f"{self._log.program}.stopped", code=error.code, detail=str(error))
            # By this code the master knows that another worker would fare no better.
            raise SystemExit(Arbiter.WORKER_BOOT_ERROR) from error
