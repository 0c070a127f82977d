"""The credential that takes the place of another: durable beside it before it is used, and in one step over it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.config import CredentialSource, credential_path, successor_of
from appliance.errors import BusyError, ConfigError


class RotationRunningError(BusyError):
    """Somebody else is changing a key at this moment."""

    code = "keys.running"


class SuccessorAbsentError(ConfigError):
    """The keys are sealed, and whoever seals them has given no successor; ``command`` is what they have to run."""

    code = "keys.no_successor"


class Successor:
    """Of the credential ``name`` in ``$CREDENTIALS_DIRECTORY``."""

    def __init__(self, name: str) -> None:
        self.source = CredentialSource(name)
        self._file, self._path = credential_path(name), credential_path(successor_of(name))

    @property
    def sealed(self) -> bool:
        """Whether somebody else keeps the keys and handed them in, as systemd does."""
        return not os.access(self._file.parent, os.W_OK)

    def left_in(self, folder: Path) -> bool:
        """Whether a successor is there and nobody is at work on it; ``folder`` is the one of ``alone``."""
        if len(self.source()) == 1:
            return False
        try:
            with alone(folder):
                return True
        except RotationRunningError:
            return False

    def keep(self, key: bytes) -> None:
        """Makes it durable; raises ``SuccessorAbsentError`` where the keys are sealed."""
        if self.sealed:
            whose, _, which = self.source.name.removesuffix(".key").rpartition("-")  # the hub's begin with "hub-"
            raise SuccessorAbsentError(command=f"{whose} keys rotate {which}".strip())
        making = self._path.with_suffix(".making")
        making.unlink(missing_ok=True)  # of one that was killed here
        with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        # In one step: nobody ever reads half a key, and a program that finds it can rely on it.
        making.rename(self._path)
        _sync(self._file.parent)

    def take_over(self) -> None:
        """Gives it the name of the key; sealed ones are replaced by who sealed them."""
        if not self.sealed:
            self._path.replace(self._file)
            _sync(self._file.parent)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """The lock of the folder itself: it ends with the process, and leaves nothing behind.

    Raises ``RotationRunningError``.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RotationRunningError() from None
        yield
    finally:
        os.close(handle)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
