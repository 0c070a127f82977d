"""Keeps the memory of the program to itself: no core file, no debugger, nothing to read in /proc/PID/mem."""

import ctypes
import os
import resource
from contextlib import suppress
from typing import Final

PR_SET_DUMPABLE: Final = 4  # linux/prctl.h


def close_memory() -> None:
    """Makes the process non-dumpable and allows core files of no bytes. Raises ``OSError`` if the kernel refuses."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    with suppress(OSError):  # the unit's system call filter may forbid it: then the unit itself set the limit
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
