"""gunicorn as a library: one process manager for both sites, sockets from systemd when it gives them."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

STREAMS_AND_PAGES = 12


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """Serves ``make`` (called in each worker, after the fork: neither PC/SC nor the database may cross it)."""

    def __init__(self, make: Callable[[], Flask], **options: Any) -> None:
        self._make = make
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

    def load_config(self) -> None:
        for name, value in self._options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._make()
