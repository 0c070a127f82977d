"""Decks of cards in a directory."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from tests.sim.card.deck import Deck, make_deck
from tests.sim.card.files import Kind
from tests.sim.card.pki import REFERENCE_DER_BYTES


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Deck:
    return make_deck(tmp_path_factory.mktemp("deck"), 1, 5, with_odd_ones=True)


def anchors(deck: Deck) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(deck.anchors.read_bytes())


def chains(deck: Deck, name: str) -> bool:
    leaf = deck.load(name).blank.authentication.certificate
    assert leaf.issuer in {anchor.subject for anchor in anchors(deck)}
    for anchor in anchors(deck):
        try:
            leaf.verify_directly_issued_by(anchor)
        except (InvalidSignature, TypeError, ValueError):
            continue
        return True
    return False


def test_the_cards_of_a_deck(deck: Deck) -> None:
    assert deck.names() == ["android", "card-01", "coming", "expired", "juki", "last-try", "locked", "stranger"]
    with pytest.raises(KeyError):
        deck.load("card-02")


def test_the_odd_ones_are_odd_in_one_way_each(deck: Deck) -> None:
    assert [name for name in deck.names() if not chains(deck, name)] == ["stranger"]
    expired = deck.load("expired").blank.authentication.certificate
    assert expired.not_valid_after_utc < datetime.now(UTC)
    assert deck.load("last-try").make_card().pin_tries == 1
    assert deck.load("locked").make_card().pin_locked
    assert (deck.load("android").kind, deck.load("juki").kind) == (Kind.ANDROID, Kind.JUKI)


def test_an_ordinary_card_has_the_usual_size(deck: Deck) -> None:
    assert len(deck.load("card-01").blank.authentication.der) == REFERENCE_DER_BYTES


def test_the_seed_fixes_names_and_never_keys(deck: Deck, tmp_path: Path) -> None:
    one, again = deck.load("card-01"), make_deck(tmp_path / "again", 2, 5).load("card-01")
    other = make_deck(tmp_path / "other", 1, 6).load("card-01")
    first, second = (card.blank.authentication.certificate for card in (one, again))
    assert (one.person, first.subject) == (again.person, second.subject)
    assert first.serial_number != second.serial_number
    assert first.public_key() != second.public_key()
    assert first.subject != other.blank.authentication.certificate.subject


def test_cards_that_are_there_stay(tmp_path: Path) -> None:
    before = make_deck(tmp_path, 1, 1).load("card-01").blank.authentication.der
    after = make_deck(tmp_path, 2, 1)
    assert after.names() == ["card-01", "card-02"]
    assert after.load("card-01").blank.authentication.der == before


def test_the_command_prints_where_the_anchors_are(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.sim.card.pki", "--out", str(tmp_path), "--cards", "1", "--seed", "3"],
        capture_output=True, text=True, timeout=60, check=True, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert len(x509.load_pem_x509_certificates(Path(done.stdout.strip()).read_bytes())) == 6
    assert Deck(tmp_path).names() == ["card-01"]
