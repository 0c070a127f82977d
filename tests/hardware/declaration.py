"""Which card the tests may talk to: a small file that its holder wrote, or drafted with ``tests.hardware.declare``.

The digest of a certificate says which card it is, so the file is personal: it stays with its holder, git does not see
it (``*.test-card.toml``), and nothing prints it whole.
"""

import hashlib
import hmac
import os
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

SUFFIX: Final = ".test-card.toml"
DRAFT: Final = """\
# Which card the hardware tests may talk to. This file is personal: keep it, send it to nobody, delete it afterwards.
authentication_sha256 = "{digest}"

# Write true if this is your own card and you want it to be tried out.
declared_by_holder = false

# Whether wrong PINs may be tried. It makes no difference for a card that an office issued: there it is never done.
wrong_pins = false
"""


class DeclarationError(ValueError):
    """The file is none, or its holder did not declare the card; the text says what is missing, never the digest."""


@dataclass(frozen=True)
class Declaration:
    """``authentication_sha256`` is the SHA-256 of the authentication certificate (DER, without filler)."""

    authentication_sha256: bytes = field(repr=False)
    wrong_pins: bool = False

    def names(self, certificate: bytes) -> bool:
        """Whether this certificate (DER) is the declared card's."""
        return hmac.compare_digest(hashlib.sha256(certificate).digest(), self.authentication_sha256)


def load(path: Path) -> Declaration:
    """Raises ``DeclarationError``, also for whatever the file says beyond what it may."""
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # without the cause: a parser's message quotes the file
        raise DeclarationError(f"{path.name} is not there or no TOML") from None
    digest, declared = said.pop("authentication_sha256", None), said.pop("declared_by_holder", None)
    wrong_pins = said.pop("wrong_pins", False)
    if said:
        raise DeclarationError(f"{path.name} says more than it may")
    if not isinstance(digest, str) or not re.fullmatch(r"[0-9A-Fa-f]{64}", digest):
        raise DeclarationError(f"{path.name}: authentication_sha256 must be 64 hexadecimal digits")
    if declared is not True:
        raise DeclarationError(f"{path.name}: the holder has not written declared_by_holder = true")
    if not isinstance(wrong_pins, bool):
        raise DeclarationError(f"{path.name}: wrong_pins must be true or false")
    return Declaration(bytes.fromhex(digest), wrong_pins)


def draft(certificate: bytes, path: Path) -> None:
    """Writes a file that its holder still has to declare, for their eyes only.

    Raises ``DeclarationError`` for a name that git would see, and ``FileExistsError`` rather than overwrite a file.
    """
    if not path.name.endswith(SUFFIX):
        raise DeclarationError(f"the name of the file must end in {SUFFIX}, so that git does not see it")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(DRAFT.format(digest=hashlib.sha256(certificate).hexdigest()))
