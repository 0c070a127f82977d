"""A deck of virtual cards in a directory, for the demo and for scenario tests.

The directory holds ``hierarchy/`` (roots, their keys, ``anchors.pem``) and one directory for each card. Names and
opaque identifiers follow from a seed, keys and serial numbers never do.
"""

import argparse
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.sim.card import individual_number
from tests.sim.card.files import Kind
from tests.sim.card.hierarchy import ANCHORS, STATE, Blank, CardFile, Hierarchy
from tests.sim.card.pki import LATEST, REFERENCE_DER_BYTES, Person, Wish

ROOTS = "hierarchy"
FAMILY_NAMES = ("佐藤", "鈴木", "高橋", "田中", "渡邉", "伊藤", "山本", "中村", "小林", "加藤", "吉田", "髙田")
GIVEN_NAMES = ("花子", "太郎", "結衣", "大輔", "恵", "健", "真由美", "翔", "さくら", "誠")
COMING = 4  # the generation of roots with elliptic curves
ID_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


class Deck:
    """``names()`` lists the cards of a directory, ``load(name)`` gives one of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def anchors(self) -> Path:
        """The file with all root certificates, PEM."""
        return self.folder / ROOTS / ANCHORS

    def names(self) -> list[str]:
        return sorted(path.parent.name for path in self.folder.glob(f"*/{STATE}"))

    def load(self, name: str) -> CardFile:
        """Raises ``KeyError`` if there is no card of this name."""
        if name not in self.names():
            raise KeyError(name)
        return CardFile.load(self.folder / name)


def make_deck(folder: Path, count: int, seed: int, *, with_odd_ones: bool = False) -> Deck:
    """Makes ``card-01`` and so on; cards that are there already stay as they are.

    The odd ones are ``android``, ``coming``, ``expired``, ``juki``, ``last-try``, ``locked`` and ``stranger``.
    """
    hierarchy = Hierarchy.load_or_make(folder / ROOTS)
    wanted: dict[str, Callable[[Person, Wish], CardFile]] = {
        f"card-{number:02}": lambda person, wish: CardFile(_blank(hierarchy, person, wish), person)
        for number in range(1, count + 1)
    }
    if with_odd_ones:
        wanted |= _odd_ones(hierarchy)
    for name, make in wanted.items():
        if (folder / name / STATE).exists():
            continue
        source = random.Random(f"{seed} {name}")
        person = _person(source)
        common_name = "".join(source.choices(ID_ALPHABET, k=20))
        wish = Wish(common_name=common_name, person=person, der_length=REFERENCE_DER_BYTES)
        card = make(person, wish)
        replace(card, individual_number=individual_number.make(source)).save(folder / name)
    return Deck(folder)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.sim.card.pki", description="Makes virtual cards.")
    parser.add_argument("--out", type=Path, required=True, help="directory for the roots and the cards")
    parser.add_argument("--cards", type=int, default=2, help="how many ordinary cards")
    parser.add_argument("--seed", type=int, default=1, help="fixes names and opaque identifiers")
    parser.add_argument("--odd-ones", action="store_true", help="also an expired, a locked, a foreign card and so on")
    chosen = parser.parse_args(arguments)
    print(make_deck(chosen.out, chosen.cards, chosen.seed, with_odd_ones=chosen.odd_ones).anchors)


def _odd_ones(hierarchy: Hierarchy) -> dict[str, Callable[[Person, Wish], CardFile]]:
    past = datetime.now(UTC) - timedelta(days=1)

    def expired(person: Person, wish: Wish) -> CardFile:
        wish = replace(wish, not_before=past - timedelta(days=1825), not_after=past)
        return CardFile(_blank(hierarchy, person, wish), person)

    def stranger(person: Person, wish: Wish) -> CardFile:
        return CardFile(_blank(Hierarchy.make(), person, wish), person)

    def coming(person: Person, wish: Wish) -> CardFile:
        return CardFile(_blank(hierarchy, person, replace(wish, der_length=None), COMING), person)

    def of_kind(kind: Kind) -> Callable[[Person, Wish], CardFile]:
        return lambda person, wish: CardFile(_blank(hierarchy, person, wish), person, kind=kind)

    def last_try(person: Person, wish: Wish) -> CardFile:
        return CardFile(_blank(hierarchy, person, wish), person, pin_tries=1)

    def locked(person: Person, wish: Wish) -> CardFile:
        return CardFile(_blank(hierarchy, person, wish), person, pin_locked=True)

    return {
        "android": of_kind(Kind.ANDROID),
        "coming": coming,
        "expired": expired,
        "juki": of_kind(Kind.JUKI),
        "last-try": last_try,
        "locked": locked,
        "stranger": stranger,
    }


def _blank(hierarchy: Hierarchy, person: Person, wish: Wish, generation: int = LATEST) -> Blank:
    signature = Wish(common_name=wish.common_name, person=person)
    return hierarchy.make_blank(generation=generation, authentication=wish, signature=signature)


def _person(source: random.Random) -> Person:
    name = f"{source.choice(FAMILY_NAMES)} {source.choice(GIVEN_NAMES)}"
    birth = f"4{source.randint(1989, 2000)}{source.randint(1, 12):02}{source.randint(1, 28):02}"
    address = f"見本県例示市架空町{source.randint(1, 9)}番{source.randint(1, 30)}号"
    return Person(name=name, sex=source.choice("12"), birth=birth, address=address)
