"""A TPM 2.0 of one's own: a real swtpm on loopback, whose power can be cut.

Clients reach it as they reach a chip through the kernel's resource manager (``/dev/tpmrm0``): what one client leaves in
the chip's few slots is gone for the next. systemd 252 leaves a session behind each time, so without that the fourth
use would fail. Over a network each command has a connection of its own; a new client of systemd is known by its first
command, TPM2_Startup.
"""

import contextlib
import os
import random
import select
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.sim.broker import accepts, free_port

READY_S = 15.0
FIRMWARE = bytes(range(32))
"""What the firmware of an ordinary box measures about Secure Boot into PCR 7 at each start."""

PIECE_BYTES = 4096
NO_SESSIONS, HEADER = 0x8001, struct.Struct(">HII")
STARTUP, GET_CAPABILITY, FLUSH_CONTEXT, CAP_HANDLES = 0x144, 0x17A, 0x165, 1
LOADED_SESSIONS, SAVED_SESSIONS, TRANSIENT = 0x02000000, 0x03000000, 0x80000000


class TpmMissingError(RuntimeError):
    """A program is not installed; the text names the Debian package."""


class TpmFailedError(RuntimeError):
    """The TPM did not become ready; the text holds the end of what it wrote."""


class VirtualTpm:
    """``directory`` holds the chip's memory, which outlives power cuts. ``firmware`` is what is measured at a start;
    nothing where the firmware measures nothing, as on a board whose chip was added later. Clients come to ``port`` (and
    the one after it), or to any that is free."""

    def __init__(self, directory: Path, firmware: bytes = FIRMWARE, port: int = 0) -> None:
        self.directory = directory.absolute()
        self.firmware = firmware
        self._process: subprocess.Popen[bytes] | None = None
        self._manager = ResourceManager(port)

    @property
    def address(self) -> str:
        """The chip as the TPM2 software stack names it (a TCTI string)."""
        return f"swtpm:host=127.0.0.1,port={self._manager.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a client needs in its environment."""
        return {"SYSTEMD_TPM2_DEVICE": self.address, "TPM2TOOLS_TCTI": self.address}

    @property
    def lockout_counter(self) -> int:
        """How many guesses it believes to have seen."""
        return self._number("TPM2_PT_LOCKOUT_COUNTER")

    @property
    def is_locked(self) -> bool:
        return self._number("inLockout") == 1

    def start(self) -> None:
        """Power on. Returns when it answers; raises ``TpmMissingError`` or ``TpmFailedError``."""
        for attempts_left in (2, 1, 0):  # between choosing ports and binding them, somebody else may take one
            if self._power_on():
                break
            self.cut_power()
            if not attempts_left:
                raise TpmFailedError((self.directory / "swtpm.out").read_text(errors="replace")[-800:])
        if self.firmware:
            self.extend(7, self.firmware)

    def _power_on(self) -> bool:
        for program, package in (("swtpm", "swtpm"), ("tpm2_pcrextend", "tpm2-tools")):
            if shutil.which(program) is None:
                raise TpmMissingError(f"{program} is not installed: apt-get install {package}")
        self.directory.mkdir(parents=True, exist_ok=True)
        port, control = free_port(), free_port()
        command = ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.directory}"]
        command += ["--server", f"type=tcp,port={port},bindaddr=127.0.0.1"]
        command += ["--ctrl", f"type=tcp,port={control},bindaddr=127.0.0.1", "--flags", "not-need-init,startup-clear"]
        with (self.directory / "swtpm.out").open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + READY_S
        while not (listening := accepts(control)) and self._process.poll() is None and time.monotonic() < end:
            time.sleep(0.005)
        if listening:
            self._manager.connect(port, control)
        return listening

    def stop(self) -> None:
        """An orderly end: the kernel tells the chip before it goes."""
        if self._process is not None:
            self.run("tpm2_shutdown", "--clear")
        self.cut_power()

    def cut_power(self) -> None:
        self._manager.disconnect()
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def close(self) -> None:
        """Nothing of it is left but its memory."""
        self.cut_power()
        self._manager.close()

    def extend(self, register: int, digest: bytes) -> None:
        """Measures something else into a PCR, as changed firmware would."""
        self.run("tpm2_pcrextend", f"{register}:sha256={digest.hex()}")

    def run(self, *command: str) -> str:
        """Runs one of the tpm2-tools on it; returns what it printed."""
        environment = os.environ | self.environment
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
        if done.returncode != 0:
            raise TpmFailedError(f"{command[0]}: {done.stderr[-800:]}")
        return done.stdout

    def _number(self, name: str) -> int:
        for line in self.run("tpm2_getcap", "properties-variable").splitlines():
            key, _, value = line.strip().partition(":")
            if key == name:
                return int(value, 0)
        raise TpmFailedError(f"it does not tell {name}")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ResourceManager:
    """Two neighbouring ports, for commands and for control, that stay the same while the chip behind comes and goes."""

    def __init__(self, port: int) -> None:
        self._commands, self._control = _neighbours(port)
        self.port: int = self._commands.getsockname()[1]
        self._chip: tuple[int, int] | None = None
        for server, index, serve in ((self._commands, 0, _carry_commands), (self._control, 1, _carry_control)):
            threading.Thread(target=self._accept, args=(server, index, serve), name="tpm", daemon=True).start()

    def connect(self, port: int, control: int) -> None:
        self._chip = (port, control)

    def disconnect(self) -> None:
        self._chip = None

    def close(self) -> None:
        for server in (self._commands, self._control):
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            server.close()

    def _accept(self, server: socket.socket, index: int, serve: Callable[[socket.socket, socket.socket], None]) -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return  # closed
            # Either end may go at any moment, as in a power cut; the other then sees it.
            with client, contextlib.suppress(OSError):
                if (chip := self._chip) is not None:
                    with socket.create_connection(("127.0.0.1", chip[index]), 5) as behind:
                        serve(client, behind)


def _carry_commands(client: socket.socket, chip: socket.socket) -> None:
    while command := _frame(client):
        if HEADER.unpack_from(command)[2] == STARTUP:
            _free(chip)
        client.sendall(_ask(chip, command))


def _free(chip: socket.socket) -> None:
    """Drops every session and object that is loaded."""
    for kind in (LOADED_SESSIONS, SAVED_SESSIONS, TRANSIENT):
        listed = _ask(chip, _command(GET_CAPABILITY, CAP_HANDLES, kind, 64))
        (count,) = struct.unpack_from(">I", listed, 15)
        for handle in struct.unpack_from(f">{count}I", listed, 19):
            _ask(chip, _command(FLUSH_CONTEXT, handle))


def _carry_control(client: socket.socket, chip: socket.socket) -> None:
    while True:
        for source in select.select([client, chip], [], [])[0]:
            if not (piece := source.recv(PIECE_BYTES)):
                return
            (chip if source is client else client).sendall(piece)


def _command(code: int, *parameters: int) -> bytes:
    body = struct.pack(f">{len(parameters)}I", *parameters)
    return HEADER.pack(NO_SESSIONS, HEADER.size + len(body), code) + body


def _ask(chip: socket.socket, command: bytes) -> bytes:
    chip.sendall(command)
    if not (answer := _frame(chip)):
        raise ConnectionResetError
    return answer


def _frame(source: socket.socket) -> bytes:
    """One command or response, nothing if the other side is gone. Both begin with the same header (TPM 2.0, part 1)."""
    frame = b""
    while len(frame) < HEADER.size or len(frame) < HEADER.unpack_from(frame)[1]:
        if not (piece := source.recv(PIECE_BYTES)):
            return b""
        frame += piece
    return frame


def _neighbours(port: int) -> tuple[socket.socket, socket.socket]:
    """Servers on two ports in a row, below those that the kernel gives to clients: each command takes one of these,
    and keeps it for a minute."""
    choice = random.SystemRandom()
    for _ in range(200):
        wanted = port or choice.randrange(20000, 32000)
        with contextlib.ExitStack() as stack:
            try:
                pair = [stack.enter_context(socket.create_server(("127.0.0.1", wanted + offset))) for offset in (0, 1)]
            except OSError:
                continue
            stack.pop_all()
            return pair[0], pair[1]
    raise TpmFailedError("no two neighbouring ports are free")


def main() -> None:
    """A TPM for a box in a network of its own: ``python -m tests.sim.tpm DIRECTORY PORT``, until its input ends.

    Each line of the input is a power cut, answered when the TPM is on again.
    """
    with VirtualTpm(Path(sys.argv[1]), port=int(sys.argv[2])) as tpm:
        print("on", flush=True)
        for _ in sys.stdin:
            tpm.cut_power()
            tpm.start()
            print("on", flush=True)


if __name__ == "__main__":
    main()
