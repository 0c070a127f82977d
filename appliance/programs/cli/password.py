"""Takes a password from a descriptor: never from an argument, which every process can read."""

import os
from typing import Final

from appliance.errors import ConfigError

MOST_BYTES: Final = 1024


class PasswordSourceError(ConfigError):
    """The descriptor that should give the password cannot be read, or gives no text; ``reason`` quotes nothing."""

    code = "cli.password"


def read_password(descriptor: int) -> str:
    """The first line that the descriptor gives; raises ``PasswordSourceError``."""
    typed = b""
    try:
        while b"\n" not in typed and len(typed) < MOST_BYTES:
            if not (part := os.read(descriptor, MOST_BYTES)):
                break
            typed += part
        return typed.partition(b"\n")[0].removesuffix(b"\r").decode()
    except OSError as error:
        raise PasswordSourceError(descriptor=descriptor, reason=error.strerror) from error
    except UnicodeDecodeError:
        raise PasswordSourceError(descriptor=descriptor, reason="not UTF-8") from None
