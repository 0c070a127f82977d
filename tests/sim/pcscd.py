"""A pcscd of one's own, out of the way of the system's and of other runs.

pcscd has its socket compiled in as ``/run/pcscd/pcscd.comm``. Here it runs in a private mount namespace where another
directory lies over that place, so that the socket appears there; clients find it by ``PCSCLITE_CSOCK_NAME``.
It sees the two slots of the virtual reader and no USB device: the folder of drivers, which is compiled in too, is
overlaid with one that holds the virtual reader's alone.
"""

import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from tests.sim.server import Server

DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
SONAME = "libifdvpcd.so.0"
IN_DRIVERS = Path("/usr/lib/pcsc/drivers")
SLOTS = 2
READY_S = 15.0
SOCKET = "pcscd.comm"
LOG = "pcscd.log"
# A private /run hides the system's pcscd and udev alike. The directory is entered first: it may lie below /run itself.
IN_NAMESPACE = """
cd "$1" && mount -t tmpfs -o mode=755 tmpfs /run && mkdir /run/pcscd && mount --no-canonicalize --bind . /run/pcscd &&
mount --bind /run/pcscd/drivers /usr/lib/pcsc/drivers &&
exec setpriv --pdeathsig TERM env $2 pcscd --foreground --config /run/pcscd/reader.conf
"""


class PcscdMissingError(RuntimeError):
    """A program or driver is not installed; the text names the Debian package."""


class PcscdFailedError(RuntimeError):
    """pcscd did not become ready; the text holds the end of what it wrote."""


class PrivatePcscd(Server):
    """``directory`` must be short enough for a Unix socket in it (107 bytes); it is made if it does not exist.

    Use it as a context manager, or call ``start`` and ``stop``. It ends with the thread that started it.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = directory.absolute()
        self.port = 0

    @property
    def environment(self) -> dict[str, str]:
        """What a client needs in its environment."""
        return {"PCSCLITE_CSOCK_NAME": str(self.directory / SOCKET)}

    @property
    def ports(self) -> tuple[int, ...]:
        """The port of each slot; a ``VirtualReader`` goes on each."""
        return tuple(self.port + slot for slot in range(SLOTS))

    def start(self) -> None:
        """Returns when clients can connect and both slots wait for cards.

        Raises ``PcscdMissingError`` or ``PcscdFailedError``.
        """
        _check_installed()
        self.directory.mkdir(parents=True, exist_ok=True)
        for attempt in range(3):  # between choosing ports and binding them, somebody else may take one
            if not self.port or attempt:
                self.port = _free_ports()
            self._launch()
            if self._became_ready():
                return
            self.stop()
        raise PcscdFailedError(f"pcscd did not become ready within {READY_S:.0f} s: {self._last_words()}")

    def _launch(self) -> None:
        for name in (SOCKET, "pcscd.pid"):
            (self.directory / name).unlink(missing_ok=True)
        drivers = self.directory / "drivers"
        shutil.rmtree(drivers, ignore_errors=True)  # another one may have run in this directory
        drivers.mkdir()
        self._furnish(drivers)
        (self.directory / "reader.conf").write_text(self._serial_readers())
        namespace = ["unshare", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--mount"]
        with (self.directory / LOG).open("wb") as log:
            self._process = subprocess.Popen(
                [*namespace, "sh", "-c", IN_NAMESPACE, "pcscd", str(self.directory), self._settings()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _furnish(self, drivers: Path) -> None:
        """Fills the folder that pcscd will take for ``IN_DRIVERS``."""
        shutil.copyfile(DRIVER, drivers / SONAME)

    def _serial_readers(self) -> str:
        """The readers that are there from the start, as in reader.conf(5)."""
        return (
            f'FRIENDLYNAME "Virtual PCD"\nDEVICENAME /dev/null:{self.port:#x}\n'
            f"LIBPATH {IN_DRIVERS / SONAME}\nCHANNELID {self.port:#x}\n"
        )

    def _settings(self) -> str:
        """What is added to the environment of pcscd alone, as ``NAME=value NAME=value``."""
        return ""

    def _became_ready(self) -> bool:
        end = time.monotonic() + READY_S
        while time.monotonic() < end:
            if not self.running:
                return False
            if _accepts(self.directory / SOCKET):
                # The slots are opened before the socket: one that is not open now never will be.
                return listening(self.ports)
            time.sleep(0.02)
        return False

    def _last_words(self) -> str:
        return (self.directory / LOG).read_text(errors="replace")[-800:].strip() or "it said nothing"


def _check_installed() -> None:
    for program, package in (("pcscd", "pcscd"), ("unshare", "util-linux"), ("setpriv", "util-linux")):
        if shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None:
            raise PcscdMissingError(f"{program} is not installed: apt-get install {package}")
    if not DRIVER.exists():
        raise PcscdMissingError(f"the virtual reader's driver {DRIVER} is not there: apt-get install vsmartcard-vpcd")


def _free_ports() -> int:
    """The first of ``SLOTS`` neighbouring ports that nobody uses, below those the kernel hands out by itself."""
    choice = random.SystemRandom()
    for _ in range(200):
        first = choice.randrange(20000, 32000)
        if not any(_in_use(port) for port in range(first, first + SLOTS)):
            return first
    raise PcscdFailedError("no two neighbouring ports are free")


def _in_use(port: int) -> bool:
    with socket.socket() as trial:
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as trial:
        try:
            trial.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True


def listening(ports: Iterable[int]) -> bool:
    """Whether all ports are open, read from the kernel's table (proc(5)): a trial connection would be a card."""
    listen = "0A"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    found = {int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == listen}
    return found.issuperset(ports)
