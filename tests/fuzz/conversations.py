"""Conversations with virtual cards, written down answer by answer: what a fuzzer starts from."""

from collections.abc import Iterator
from functools import cache

from appliance.card.apdu import Status, meaning
from appliance.card.connection import Meter, conversation
from appliance.card.files import ReaderTraits
from appliance.card.jpki import JpkiSession
from appliance.card.key import Key
from appliance.errors import MadoguchiError
from tests.card.holders import SECRETS
from tests.card.table import Wire
from tests.sim.card.card import VirtualCard
from tests.sim.card.files import Kind
from tests.sim.card.hierarchy import Blank, Hierarchy
from tests.sim.card.pki import KeyType

HABITS = ("filler", "style_61xx", "style_6cxx", "style_6282", "no_limit", "counter_9000")
GENERATIONS = {3: KeyType.RSA_2048, 4: KeyType.P_384}
DIGEST_BYTES = {3: 32, 4: 48}

Answers = list[tuple[bytes, int]]


class Recording:
    """A connection that keeps what came through it."""

    def __init__(self, card: VirtualCard) -> None:
        card.place()
        self._wire = Wire(card)
        self.answers: Answers = []

    def transmit(self, command: bytes | bytearray) -> tuple[bytes, int]:
        self.answers.append(self._wire.transmit(command))
        return self.answers[-1]


@cache
def blank(generation: int) -> Blank:
    """Keys and certificates of one card, the same for all conversations of a process."""
    return Hierarchy.make({generation: GENERATIONS[generation]}).make_blank(generation=generation)


def cards() -> Iterator[tuple[int, VirtualCard]]:
    """A card of every habit and generation, each carrier, and one without short references."""
    for generation in GENERATIONS:
        for habit in HABITS:
            card = blank(generation).make_card()
            setattr(card, habit, True)
            yield generation, card
        card = blank(generation).make_card()
        card.short_references = False
        yield generation, card
        for kind in Kind:
            yield generation, blank(generation).make_card(kind=kind)


def visits(generation: int, card: VirtualCard) -> Iterator[tuple[Key, bool, Answers]]:
    """What the card answers to a whole visit with each key, with and without extended Le.

    The bool says whether the certificate was read before ``open`` (else behind it). What the card refuses is kept too.
    """
    for key in Key:
        for extended in (True, False):
            card.extended_le = extended
            recording = Recording(card)
            session = JpkiSession(conversation(recording, Meter()), ReaderTraits(extended_le=extended))
            first = key is Key.AUTHENTICATION
            try:
                if first:
                    session.read_certificate(key)
                session.open(bytearray(SECRETS[key]), key)
                if not first:
                    session.read_certificate(key)
                session.sign(bytes(DIGEST_BYTES[generation]), key)
            except MadoguchiError:
                assert all(meaning(sw) is not Status.TRIES_LEFT or sw > 0x63C1 for _, sw in recording.answers)
            session.leave()
            yield key, first, recording.answers
