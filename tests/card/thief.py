"""What another program on the machine would try after us: bare PC/SC, nothing of the product, and never a PIN.

``python -m tests.card.thief READER`` prints one JSON object of status words, by what was tried. Neither data nor
signatures are shown, so it may also be let loose on a real card.
"""

import json
import subprocess
import sys
import time
from types import TracebackType
from typing import Final

from smartcard import scard

from tests.source import ROOT

SELECT: Final = "00A4040C0AD392F000260100000001"
# A DigestInfo has 51 bytes; what stands in it does not matter to who only wants to know whether the card signs.
ATTEMPTS: Final = {
    "select": SELECT,
    "sign with the authentication key": "802A009733" + "30" * 51 + "00",
    "sign with the signature key": "802A009A33" + "30" * 51 + "00",
    "read the signature certificate": "00B0810000",
    "tries left, authentication": "00200098",
    "tries left, signature": "0020009B",
}
CONNECTED: Final = {"connected": "00000000", "select": "9000"}
REFUSED: Final = {
    "sign with the authentication key": "6982",
    "sign with the signature key": "6982",
    "read the signature certificate": "6982",
}
COUNTERS: Final = {"tries left, authentication": "63C3", "tries left, signature": "63C5"}
TOLD_S: Final = 1.0  # a card that pcscd has just powered up is not at once there for others
NOTHING: Final = CONNECTED | REFUSED | COUNTERS
"""What is stolen from a card with full counters that nobody left open."""


class Thief:
    """Holds the card from its making on, shared with others or ``alone``, until the end of a ``with``.

    ``code`` is what PC/SC answered to connecting.
    """

    def __init__(self, reader: str, alone: bool = False) -> None:
        share = scard.SCARD_SHARE_EXCLUSIVE if alone else scard.SCARD_SHARE_SHARED
        _, self._context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        protocols = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
        end = time.monotonic() + TOLD_S
        while True:
            self.code, self._card, self._protocol = scard.SCardConnect(self._context, reader, share, protocols)
            if self.code != scard.SCARD_E_NO_SMARTCARD or time.monotonic() > end:
                break
            time.sleep(0.01)

    def says(self, *commands: str) -> list[str]:
        """The status word of each command, or the code of PC/SC where the exchange failed."""
        words = []
        for command in commands:
            code, answer = scard.SCardTransmit(self._card, self._protocol, list(bytes.fromhex(command)))
            words.append(f"{code & 0xFFFFFFFF:08X}" if code else bytes(answer[-2:]).hex().upper())
        return words

    def __enter__(self) -> "Thief":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.code == scard.SCARD_S_SUCCESS:
            scard.SCardDisconnect(self._card, scard.SCARD_LEAVE_CARD)
        scard.SCardReleaseContext(self._context)


def stolen(reader: str) -> dict[str, str]:
    """What a process of its own gets."""
    command = [sys.executable, "-m", __name__, reader]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return dict(json.loads(done.stdout))


def main() -> None:
    with Thief(sys.argv[1]) as thief:
        said = {"connected": f"{thief.code & 0xFFFFFFFF:08X}"}
        if thief.code == scard.SCARD_S_SUCCESS:
            said |= dict(zip(ATTEMPTS, thief.says(*ATTEMPTS.values()), strict=True))
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main()
