"""A reader with a card on it, real pcscd behind it, and what one authentication through it took.

One authentication is certificate, counter, PIN and one signature, whoever does it.
"""

import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509 import load_der_x509_certificate

from tests.sim.card.hierarchy import Hierarchy
from tests.sim.card.pki import REFERENCE_DER_BYTES, Wish
from tests.sim.card.vpcd import VirtualReader
from tests.sim.fixtures import CACHE
from tests.sim.pcscd import PrivatePcscd

PIN: Final = "1234"
STATEMENT: Final = b"what the person read"
DIGEST: Final = hashlib.sha256(STATEMENT).digest()
SEEN_S: Final = 10.0


class BenchError(RuntimeError):
    """What was to be measured did not work, so that no figure of it would mean anything; the text says what."""


@dataclass(frozen=True)
class Took:
    """One authentication; ``exchanges``, ``bytes`` and the time inside the card are by the card's own trace."""

    exchanges: int
    bytes: int
    wall_ms: float
    card_ms: float

    @property
    def outside_ms(self) -> float:
        """The time of everything but the card: programs, pcscd, and the virtual reader's socket."""
        return self.wall_ms - self.card_ms


class Window:
    """A private pcscd with a card on its first slot; PC/SC in this process and its children goes there. Use it once.

    The card answers at once, and its certificate has the length that all comparisons use. ``folder`` is for files of
    whoever measures. ``start`` raises ``PcscdMissingError`` or ``PcscdFailedError``.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="bench-")
        self.folder = Path(self._folder.name)
        self.hierarchy = Hierarchy.load_or_make(CACHE)
        self.pcscd = PrivatePcscd(self.folder)
        blank = self.hierarchy.make_blank(authentication=Wish(der_length=REFERENCE_DER_BYTES))
        self.card = blank.make_card(pin=PIN)
        certificate = load_der_x509_certificate(blank.authentication.der)
        key = certificate.public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        self._key = key

    def __enter__(self) -> "Window":
        try:
            self.pcscd.start()
            os.environ.update(self.pcscd.environment)
            self._reader = VirtualReader(self.pcscd.ports[0])
            self._reader.insert(self.card)
            if not self._reader.wait_until_seen(SEEN_S):
                raise BenchError("pcscd does not see the card")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self.pcscd.stop()
        self._folder.cleanup()

    def measure(self, authenticate: Callable[[], bytes]) -> Took:
        """What an authentication took, which returns the signature over ``STATEMENT``.

        Raises ``InvalidSignature`` if it is none: what does not authenticate is not measured.
        """
        self.card.exchanges.clear()
        begun_s = time.perf_counter()
        signature = authenticate()
        wall_ms = (time.perf_counter() - begun_s) * 1000
        trace = list(self.card.exchanges)
        self._key.verify(signature, STATEMENT, padding.PKCS1v15(), hashes.SHA256())
        return Took(len(trace), sum(one.bytes for one in trace), wall_ms, self.card_ms())

    def card_ms(self, exchanges: int | None = None) -> float:
        """The time inside the card of the last authentication, or of its first ``exchanges``."""
        return sum(one.took_ns for one in self.card.exchanges[:exchanges]) / 1e6
