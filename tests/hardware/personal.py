"""What must not stand in a report: every piece of four bytes of what a card gave, however it might be written down."""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from cryptography.x509 import load_der_x509_certificate

from tests.sim.card.card import VirtualCard
from tests.sim.card.pki import Wish

PIECE_BYTES: Final = 4
BASE64_LETTERS: Final = 8  # six bytes: shorter ones are ordinary words
PIN: Final = "4719"
# Dates and names are the same for every such card, and the holder's letters are no hexadecimal digits: then what a
# report and a certificate have in common by chance is nothing.
HOLDER: Final = Wish(
    common_name="ZYXWVUTSRQPNMLKJHGZX",
    not_before=datetime(2026, 1, 1, tzinfo=UTC),
    not_after=datetime(2031, 1, 1, tzinfo=UTC),
)
NEIGHBOUR: Final = Wish(common_name="GHJKLMNPQRSTUVWXYZHK", not_before=HOLDER.not_before, not_after=HOLDER.not_after)


def traces(card: VirtualCard, neighbour: VirtualCard, signatures: Iterable[bytes]) -> set[str]:
    """Whatever tells of this card and not also of its neighbour's: pieces of its certificate, its signatures, its
    serial number, and of digests of them and of the PIN."""
    certificate, other = card.contents.authentication or b"", neighbour.contents.authentication or b""
    serial = load_der_x509_certificate(certificate).serial_number
    sources = [certificate, *signatures, serial.to_bytes(16), PIN.encode()]
    digests = [hashlib.new(name, source).digest() for name in ("sha256", "sha1", "md5") for source in sources]
    found = {piece for source in [*sources, *digests] for piece in pieces(source)}
    return (found | {str(serial), PIN}) - set(pieces(other))


def pieces(data: bytes) -> Iterator[str]:
    """Pieces of four bytes as text and as hexadecimal digits, small and capital; and longer ones in base 64."""
    for at in range(len(data) - PIECE_BYTES + 1):
        piece = data[at : at + PIECE_BYTES]
        yield piece.hex()
        yield piece.hex().upper()
        yield piece.decode("latin-1")
    for start in range(3):
        text = base64.b64encode(data[start:]).decode()
        yield from (text[at : at + BASE64_LETTERS] for at in range(len(text) - BASE64_LETTERS + 1))
