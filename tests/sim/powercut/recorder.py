"""Runs a program and writes down what it does to the files below a folder."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.sim.powercut.log import FOLDER_VARIABLE, LOG_VARIABLE, Record, read_log

SOURCE: Final = Path(__file__).with_name("file_log.c")
LIBRARY: Final = "libfilelog.so"
LONGEST_S: Final = 100.0


class CompilerMissingError(RuntimeError):
    """The layer cannot be built; the text names the Debian package or what the compiler said."""


class ProgramFailedError(RuntimeError):
    """The program did not end by itself and well; the text is the end of what it said."""


class Recorder:
    """Builds the layer in ``workshop``, a folder of its own."""

    def __init__(self, workshop: Path) -> None:
        self._library = workshop / LIBRARY
        self._log = workshop / "log"
        build(SOURCE, self._library)

    def record(self, command: Sequence[str], folder: Path) -> list[Record]:
        """What the command did below the folder, which exists; raises ``ProgramFailedError``."""
        self._log.write_bytes(b"")
        layer = {LOG_VARIABLE: str(self._log), FOLDER_VARIABLE: str(folder), "LD_PRELOAD": str(self._library)}
        try:
            ended = subprocess.run(
                command, env={**os.environ, **layer}, capture_output=True, text=True, timeout=LONGEST_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise ProgramFailedError("it did not end") from error
        if ended.returncode != 0:
            raise ProgramFailedError(ended.stderr[-2000:])
        return read_log(self._log)


def build(source: Path, library: Path) -> None:
    """Makes a layer to preload from one C file; raises ``CompilerMissingError``."""
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
    try:
        subprocess.run(["cc", *flags, "-o", library, str(source)], check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise CompilerMissingError("no C compiler: apt-get install gcc libc6-dev") from error
    except subprocess.CalledProcessError as error:
        raise CompilerMissingError(error.stderr) from error
