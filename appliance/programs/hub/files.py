"""The files that an operator names on the hub's command line."""

from pathlib import Path

from appliance.errors import ConfigError


class HubFileError(ConfigError):
    """A file of the hub that cannot be read or written."""

    code = "hub.file"


def read_file(path: Path) -> bytes:
    """Raises ``HubFileError``."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise HubFileError(file=str(path), reason=error.strerror) from error


def write_file(path: Path, data: bytes) -> None:
    """Raises ``HubFileError``."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise HubFileError(file=str(path), reason=error.strerror) from error
