"""What a run with a real card tells its authors: a JSON file in which nothing personal can stand.

That is by construction: no method takes bytes, texts must look as ``TEXTS`` says, and numbers are small. So there is
no way in for a certificate, a serial number, a signature, a PIN, or a digest of any of them.
"""

import json
import os
import platform
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import appliance
from appliance.card.apdu import HEADER_BYTES, SECRET_BODIES

FORMAT: Final = 1
LARGEST: Final = 0x100000  # no length, count or duration in milliseconds is larger; any serial number is
# A reader's name ends in "(serial) NN NN" with the drivers that show one.
SERIAL_OF_READER: Final = re.compile(r"\([^)]*\)")
TEXTS: Final[Mapping[str, str]] = {
    "reader": r"[ -~]{1,120}",
    "atr": r"3[BF]([0-9A-F]{2}){1,32}",  # ISO/IEC 7816-3 section 8: TS and at most 32 more
    "token": r"JPKIAP[A-Z0-9]{1,26}|unknown",
    "kind": r"card|juki_card|android|iphone|unknown",
    "certificates": r"([0-9A-F]{2}){3}|unknown",
    "key": r"RSA [0-9]{4}|secp(256|384|521)r1|unknown",
    "issuer": r"JPKI, third generation|JPKI-TEST|unknown",
    "taken_away": r"[a-z]+\.[a-z_]+",
    "outcome": r"(passed|failed|skipped|refused)( ([A-Za-z]+|[a-z]+\.[a-z0-9_]+))?",
    "check": r"test_[a-z0-9_]+",
    "header": r"[0-9A-F]{8}",
    "status": r"[0-9A-F]{4}|[a-z]+\.[a-z_]+",
}
NUMBERS: Final = frozenset(
    {
        *("token_bytes", "certificate_bytes", "filler_bytes", "ca_bytes", "signature_bytes", "signatures_for_one_pin"),
        *("tries_authentication", "tries_signature", "tries_authentication_after"),
        *("exchanges", "exchanges_short_le", "bytes", "bytes_short_le"),
        *("card_ms", "card_ms_short_le", "own_ms", "own_ms_short_le"),
        *("sent", "received"),
    }
)
TRUTHS: Final = frozenset({"extended_le", "survives_reset", "signed_after_leave"})


class PersonalError(ValueError):
    """Something that has no place in a report was put there; the text does not repeat it."""


class Report:
    """Collects facts, the outcome of each check, and the exchanges of each."""

    def __init__(self) -> None:
        self._facts: dict[str, object] = {}
        self._checks: dict[str, str] = {}
        self._exchanges: dict[str, list[str]] = {}
        self._check = "test_preparing"

    def begin(self, check: str) -> None:
        """The exchanges that follow belong to this check."""
        self._check = _text("check", check)

    def note(self, name: str, value: str | int | bool | None) -> None:
        """Keeps a fact; None is one that could not be found out. Raises ``PersonalError``."""
        if value is not None:
            value = _allowed(name, SERIAL_OF_READER.sub("(blanked)", value) if isinstance(value, str) else value)
        self._facts[name] = value

    def exchange(self, header: str, sent: int, received: int, status: str, ms: float) -> None:
        """One exchange: four bytes of header, lengths without status word, and SW1-SW2 or the code of an error.

        The length of a VERIFY with a secret in it is left out.
        """
        secret = int(_text("header", header)[2:4], 16) in SECRET_BODIES
        length = "<secret>" if secret and sent > HEADER_BYTES else _allowed("sent", sent)
        answer = f"{_allowed('received', received)} bytes {_text('status', status)}"
        line = f"{header} sent {length}, got {answer} in {min(ms, LARGEST):.1f} ms"
        self._exchanges.setdefault(self._check, []).append(line)

    def conclude(self, check: str, outcome: str) -> None:
        """How a check ended; what failed is named by the class or code of its error alone."""
        self._checks[_text("check", check)] = _text("outcome", outcome)

    @property
    def facts(self) -> Mapping[str, object]:
        return self._facts

    def write(self, path: Path) -> None:
        """Overwrites the file; nobody else on the machine can read it."""
        said = {
            "format": FORMAT,
            "system": system(),
            "facts": self._facts,
            "checks": self._checks,
            "exchanges": self._exchanges,
        }
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(said, file, indent=1)
            file.write("\n")


def system() -> dict[str, str]:
    """Versions only: neither the machine's name nor its user's."""
    pcscd = subprocess.run(["/usr/sbin/pcscd", "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"version ([0-9]+(?:[.][0-9]+)*)", pcscd.stdout)
    return {
        "madoguchi": appliance.__version__,
        "python": platform.python_version(),
        "pcsc-lite": found[1] if found else "unknown",
        "distribution": platform.freedesktop_os_release().get("PRETTY_NAME", "unknown"),
        "machine": platform.machine(),
    }


def _allowed(name: str, value: str | int | bool) -> str | int | bool:
    if isinstance(value, bool):
        if name not in TRUTHS:
            raise PersonalError(f"{name} has no place in a report")
        return value
    if isinstance(value, int):
        if name not in NUMBERS or not 0 <= value <= LARGEST:
            raise PersonalError(f"{name} has no place in a report")
        return value
    return _text(name, value)


def _text(name: str, value: str) -> str:
    if name not in TEXTS or not re.fullmatch(TEXTS[name], value):
        raise PersonalError(f"{name} has no place in a report")
    return value
