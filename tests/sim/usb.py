"""Readers that are plugged and unplugged while pcscd runs, as those with a USB cable are.

pcscd is the real one and goes the whole way of a hot-plugged device, from udev's message to the driver; only the bus is
played, by ``usb_reader.c``. A reader of one slot each: ``Alpha Reader 00 00`` and ``Beta Reader 01 00`` if they are
plugged in this order.
"""

import plistlib
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.sim.card.card import VirtualCard
from tests.sim.card.vpcd import VirtualReader
from tests.sim.pcscd import IN_DRIVERS, LOG, SONAME, PrivatePcscd, listening

MODELS = ("Alpha Reader", "Beta Reader")
VENDOR = "0x1209"
SOURCE = Path(__file__).with_name("usb_reader.c")
LIBRARY = "libusbreader.so"
IN_BUNDLE = Path("usb_reader.bundle/Contents/Linux") / LIBRARY
NOTICED_S = 10.0


class CompilerMissingError(RuntimeError):
    """The readers cannot be built; the text names the Debian packages or what the compiler said."""


class UsbReader(VirtualReader):
    """One reader with its cable, unplugged when made. A card may lie on it also while it is unplugged.

    ``watched`` says whether a pcscd runs that takes notice.
    """

    def __init__(self, device: Path, port: int, watched: Callable[[], bool]) -> None:
        super().__init__(port)
        self._device = device
        self._watched = watched
        self._waiting: VirtualCard | None = None

    @property
    def plugged(self) -> bool:
        return self._device.exists()

    def plug(self) -> None:
        """Returns when the driver waits for a card, and a card that lay on the reader lies there again."""
        new = self._device.with_name(f"new.{self._device.name}")
        new.write_text(f"{self.port}\n")
        new.rename(self._device)
        if self._watched():
            self._wait_for_driver(True)
            self.lay_back()

    def unplug(self) -> None:
        """Returns when the driver let go of it; an exchange with a card fails at once."""
        card = self.card
        self._device.unlink()
        super().remove()
        self._waiting = card
        if self._watched():
            self._wait_for_driver(False)

    def insert(self, card: VirtualCard, mute: bool = False) -> None:
        """A ``mute`` one lies there and does not answer, as one that lies the wrong way round."""
        mark = self._device.with_name(f"mute.{self._device.name}")
        if mute:
            mark.touch()
        else:
            mark.unlink(missing_ok=True)
        if self.plugged and self._watched():
            super().insert(card)
        else:
            self._waiting = card

    def remove(self) -> None:
        self._waiting = None
        super().remove()

    def lay_back(self) -> None:
        """The card that was put on while there was no reader for it is seen now."""
        card, self._waiting = self._waiting, None
        if card is not None:
            self.insert(card)

    def _wait_for_driver(self, there: bool) -> None:
        end = time.monotonic() + NOTICED_S
        while listening([self.port]) != there:
            assert time.monotonic() < end, f"pcscd did not notice; it said: {self._last_words()}"
            time.sleep(0.01)

    def _last_words(self) -> str:
        return (self._device.parents[1] / LOG).read_text(errors="replace")[-2000:]


class UsbPcscd(PrivatePcscd):
    """A pcscd without any reader at first; ``readers`` are of its ``MODELS``. A restart finds those plugged in then.

    Starting it may raise ``CompilerMissingError`` too.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._bus = self.directory / "bus"
        self.readers: tuple[UsbReader, ...] = ()

    @property
    def ports(self) -> tuple[int, ...]:
        return tuple(one.port for one in self.readers if one.plugged)

    def _launch(self) -> None:
        if not self.readers or self.readers[0].port != self.port:
            shutil.rmtree(self._bus, ignore_errors=True)
            self._bus.mkdir(parents=True)
            self.readers = tuple(
                UsbReader(self._bus / f"{number:04}", self.port + number - 1, lambda: self.running)
                for number in range(1, len(MODELS) + 1)
            )
        super()._launch()

    def start(self) -> None:
        super().start()
        for reader in self.readers:
            reader.lay_back()

    def _furnish(self, drivers: Path) -> None:
        super()._furnish(drivers)
        library = drivers / IN_BUNDLE
        library.parent.mkdir(parents=True, exist_ok=True)
        (library.parents[1] / "Info.plist").write_bytes(_bundle())
        _compile(library)

    def _serial_readers(self) -> str:
        return ""

    def _settings(self) -> str:
        return f"USB_BUS=/run/pcscd/bus LD_PRELOAD={IN_DRIVERS / IN_BUNDLE}"


def _bundle() -> bytes:
    """What pcscd must know of a driver, with a vendor, a product and a name for each model."""
    numbers = range(1, len(MODELS) + 1)
    return plistlib.dumps(
        {
            "CFBundleExecutable": LIBRARY,
            "ifdCapabilities": "0x00000000",
            "ifdVendorID": [VENDOR for _ in numbers],
            "ifdProductID": [f"0x{number:04}" for number in numbers],
            "ifdFriendlyName": list(MODELS),
        }
    )


def _compile(library: Path) -> None:
    driver = f'-DDRIVER="{IN_DRIVERS / SONAME}"'
    flags = ["-shared", "-fPIC", "-Wall", "-Werror", "-I/usr/include/PCSC", driver]
    try:
        subprocess.run(["cc", *flags, "-o", library, str(SOURCE)], check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise CompilerMissingError("no C compiler: apt-get install gcc libpcsclite-dev") from error
    except subprocess.CalledProcessError as error:
        raise CompilerMissingError(error.stderr) from error
