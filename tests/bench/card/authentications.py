"""Authentications by the product, whoever holds the reader, beside the same by OpenSC.

``wall_ms`` is from the moment the card lies there, so with the opening of the reader, to the signature. What of it is
``own_ms`` each caller of ``through`` decides.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from appliance.card.desk import Desk
from appliance.card.pcsc import PcscReaders
from appliance.card.service import CardService
from tests.bench.card.opensc import Reference, by_opensc
from tests.bench.card.promises import figure
from tests.bench.card.window import DIGEST, PIN, BenchError, Took, Window
from tests.bench.report import Figure, percentile
from tests.sim.card.faults import CONTACTLESS, INSTANT


@dataclass(frozen=True)
class References:
    """OpenSC on the card as it is, on one that refuses an extended Le, and on one as slow as in life."""

    extended: Reference
    short: Reference
    contactless: Reference


@dataclass(frozen=True)
class Own:
    """One authentication by the product, and what of its time is counted as the product's own."""

    took: Took
    own_ms: float


def references(window: Window, times: int, slow_times: int) -> References:
    """Measures them all; the card is as before afterwards."""
    extended = by_opensc(window, times)
    window.card.extended_le = False
    short = by_opensc(window, 2)
    window.card.extended_le, window.card.timing = True, CONTACTLESS
    contactless = by_opensc(window, slow_times)
    window.card.timing = INSTANT
    return References(extended, short, contactless)


def through(
    window: Window, service: CardService, own_ms: Callable[[Took], float] = lambda took: took.outside_ms
) -> Own:
    """One authentication, and then the end of its session. ``own_ms`` is asked before that.

    Raises ``BenchError`` if the product counts otherwise than the card.
    """

    def authenticate() -> bytes:
        service.read()
        service.open(bytearray(PIN.encode()))
        return service.sign(DIGEST)

    took, tally = window.measure(authenticate), service.tally()
    own = Own(took, own_ms(took))
    service.leave()
    if (tally.exchanges, tally.bytes) != (took.exchanges, took.bytes):
        raise BenchError(f"the product counts {tally}, the card {took}")
    return own


def on_bare_reader(window: Window, beside: References, times: int, slow_times: int) -> Iterator[Figure]:
    """By a ``Desk``; its own is what the ``Meter`` of the session leaves.

    That one counts all below ``transmit``: the card, pcscd, and the virtual reader's socket.
    """
    desk = Desk(PcscReaders())
    try:
        client = desk.client()

        def not_metered_ms(took: Took) -> float:
            session = client._session
            return took.wall_ms - (session.meter.card_ns if session is not None else 0) / 1e6

        def once() -> Own:
            return through(window, client, not_metered_ms)

        once()  # the reader is known from here on
        yield from _contactless(window, beside, once, slow_times)
        yield from both_ways("", window, beside, once, times)
    finally:
        desk.close()


def both_ways(prefix: str, window: Window, beside: References, once: Callable[[], Own], times: int) -> Iterator[Figure]:
    """The figures of a reader that is known, with an extended Le and without; the prefix says who holds it."""
    done = [once() for _ in range(times)]
    extended, own, wall = beside.extended, [one.own_ms for one in done], [one.took.wall_ms for one in done]
    yield from _counts(prefix, "extended", done, extended)
    yield figure(f"{prefix}own_ms_p50", percentile(own, 50), extended.outside_ms, extended.outside_is)
    yield figure(f"{prefix}own_ms_p95", percentile(own, 95))
    yield figure(f"{prefix}wall_ms_p50", percentile(wall, 50), extended.wall_ms, extended.wall_is)
    window.card.extended_le = False
    once()  # finds out
    yield from _counts(prefix, "short", [once()], beside.short)
    window.card.extended_le = True


def _counts(prefix: str, way: str, done: list[Own], beside: Reference) -> Iterator[Figure]:
    exchanges, sent = max(one.took.exchanges for one in done), max(one.took.bytes for one in done)
    yield figure(f"{prefix}exchanges_{way}", exchanges, beside.exchanges, beside.is_what)
    yield figure(f"{prefix}bytes_{way}", sent, beside.bytes, beside.is_what)


def _contactless(window: Window, beside: References, once: Callable[[], Own], times: int) -> Iterator[Figure]:
    window.card.timing = CONTACTLESS
    wall = [once().took.wall_ms for _ in range(times)]
    window.card.timing = INSTANT
    reference = beside.contactless
    yield figure(
        "contactless_wall_ms_p50", percentile(wall, 50), reference.wall_ms, f"{reference.is_what}: its process"
    )
