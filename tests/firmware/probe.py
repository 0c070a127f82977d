"""Stands in for a program inside its unit and reports what the sandbox lets it see and do.

Started by a drop-in as ``python -I probe.py NAME``. A unit that is handed a socket answers with the report over HTTP
from a gunicorn worker, as the real sites do; one without prints it. Nothing of ``tests`` is importable there.
"""

import json
import mmap
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

from appliance.clock import SystemClock
from appliance.errors import MadoguchiError
from appliance.store.database import Database

KEY = bytes(32)
DATABASE = Path("/var/lib/appliance/probe.db")
OPEN: list[Database] = []


def attempt(act: Any) -> str:
    try:
        act()
    except OSError as error:
        return error.strerror or type(error).__name__
    except MadoguchiError as error:
        return str(error)
    return "done"


def reach(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(5)
        line.connect(path)


def ask_cardd() -> None:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(5)
        line.connect("/run/appliance/card.sock")
        line.sendall(b'{"op":"status"}\n')
        answer = line.recv(4096)
        if not answer.startswith(b'{"ok"'):
            raise OSError(0, f"answered {answer!r}")


def write_row(name: str) -> None:
    # Kept open: with the last connection gone SQLite removes -wal and -shm, and it is these that all must share.
    database = Database.create(DATABASE, KEY)
    OPEN.append(database)
    with database.transaction() as transaction:
        transaction.run("CREATE TABLE IF NOT EXISTS visit (program TEXT)")
        transaction.run("INSERT INTO visit VALUES (?)", (name,))


def report(name: str) -> dict[str, Any]:
    credentials = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/nowhere"))
    internet = (socket.AF_INET, socket.SOCK_STREAM)
    return {
        "name": name,
        "credentials": {one.name: one.read_text() for one in credentials.glob("*")},
        "capabilities": [
            line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("Cap")
        ],
        "interfaces": [one for _, one in socket.if_nameindex()] if name == "syncd" else None,
        "clock": attempt(SystemClock),
        "database": attempt(lambda: write_row(name)),
        "internet": attempt(lambda: socket.socket(*internet).close()),
        "cardd": attempt(ask_cardd),
        "pcscd": attempt(lambda: reach("/run/pcscd/pcscd.comm")),
        "etc": attempt(lambda: Path("/etc/appliance/probe").write_text("x")),
        "venv": attempt(lambda: Path("/opt/madoguchi/venv/probe").write_text("x")),
        "tmp": attempt(lambda: Path("/tmp/probe").write_text("x")),
        "sealed": attempt(lambda: Path("/etc/credstore.encrypted/database.key").read_bytes()),
        "shell": attempt(lambda: os.execv("/bin/sh", ["sh", "-c", "true"])),
        "code": attempt(lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()),
        "others": sorted(int(one.name) for one in Path("/proc").glob("[0-9]*") if one.name == "1"),
    }


def serve(name: str) -> None:
    from gunicorn.app.base import BaseApplication

    def site(environ: Any, start: Any) -> list[bytes]:
        start("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(report(name)).encode()]

    class Site(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
        def load_config(self) -> None:
            self.cfg.set("workers", 1)
            self.cfg.set("worker_class", "gthread")
            self.cfg.set("control_socket_disable", True)

        def load(self) -> Any:
            return site

    Site().run()


def stand(name: str) -> None:
    sys.stdout.write(f"report {json.dumps(report(name))}\n")
    sys.stdout.flush()
    if "NOTIFY_SOCKET" not in os.environ:  # a oneshot is done when it ends
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
        while True:
            line.sendto(b"WATCHDOG=1", os.environ["NOTIFY_SOCKET"])
            time.sleep(1)


if __name__ == "__main__":
    sys.argv, program = sys.argv[:1], sys.argv[1]
    serve(program) if "LISTEN_FDS" in os.environ else stand(program)
