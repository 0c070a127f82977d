"""Files of anchors, and what is decided with the anchors that such a file gave."""

import warnings
from collections.abc import Iterator
from contextlib import suppress

from cryptography.hazmat.primitives.serialization import Encoding

from appliance.errors import ConfigError, UntrustedError
from appliance.trust.anchors import Anchor, named, parse_anchors
from appliance.trust.chain import verify
from appliance.trust.policy import card_policy
from tests.fuzz.der import bend, read, write
from tests.fuzz.issuing import NOW, issuer, leaves
from tests.fuzz.tape import Tape
from tests.sim.card.pki import Use

BENT = 0x01
MOST_BENDS = 8


def one(data: bytes) -> None:
    """A byte says whether the rest is a file, or changes to a root."""
    tape = Tape(data)
    file = _bent(tape) if tape.byte() & BENT else tape.rest()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cryptography frowns at some certificates that it takes
        try:
            anchors = parse_anchors(file)
        except ConfigError:
            return
        assert anchors
        _used(anchors)


def seeds() -> Iterator[bytes]:
    roots = [issuer(use).root.certificate for use in Use]
    pems = [root.public_bytes(Encoding.PEM) for root in roots]
    for file in (*pems, b"".join(pems), b"generation 3\n" + pems[0] + b"\n\n", pems[0][:-30], b"-----BEGIN", b""):
        yield b"\x00" + file
    for root in roots:
        yield b"\x00" + root.public_bytes(Encoding.DER)
        yield b"\x00" + root.public_bytes(Encoding.DER) + b"\n"
    for place in range(0, 60, 3):
        yield bytes([BENT, 1, 0, place, place % 7, place])


def words() -> tuple[bytes, ...]:
    return (b"-----BEGIN CERTIFICATE-----\n", b"-----END CERTIFICATE-----\n", b"-----BEGIN X509 CRL-----", b"MII")


def _used(anchors: tuple[Anchor, ...]) -> None:
    use, leaf = leaves()[0]
    for anchor in anchors:
        assert len(anchor.key_id) == 32
        assert anchor.is_test in (True, False)
        # Whoever issued it, a name of its own kind is found, and no other is taken for it.
        assert anchor in named(anchors, anchor.certificate.subject)
    with suppress(UntrustedError):
        verify(leaf.der, (*anchors, *issuer(use).anchors), NOW, card_policy(allow_test_cards=True))
    with suppress(UntrustedError):
        verify(leaf.der, anchors, NOW, card_policy(allow_test_cards=False))


def _bent(tape: Tape) -> bytes:
    nodes = read(issuer(Use.AUTHENTICATION).root.der)
    assert nodes is not None
    for _ in range(tape.byte() % MOST_BENDS):
        bend(nodes, tape)
    return write(nodes)
