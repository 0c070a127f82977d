"""Virtual parts as pytest fixtures."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sim.card.card import VirtualCard
from tests.sim.card.files import Kind
from tests.sim.card.hierarchy import Hierarchy
from tests.sim.card.pki import LATEST, PrivateKey, Wish, make_key

# Certificate files of real cards were seen at about this size; the comparisons with other programs use it.
REFERENCE_DER_BYTES = 1453
CACHE = Path(__file__).parents[2] / ".cache" / "card-hierarchy"

MakeCard = Callable[..., VirtualCard]


@pytest.fixture(scope="session")
def hierarchy() -> Hierarchy:
    """The roots that the cards of ``make_card`` come from; kept between runs because RSA keys take time."""
    return Hierarchy.load_or_make(CACHE)


@pytest.fixture(scope="session")
def stranger() -> Hierarchy:
    """Roots with the very same names as ``hierarchy`` and other keys."""
    return Hierarchy.make()


@pytest.fixture(scope="session")
def card_keys() -> tuple[PrivateKey, PrivateKey]:
    """Keys for authentication and signature that the cards of one session share, to save time."""
    return make_key(), make_key()


@pytest.fixture
def make_card(hierarchy: Hierarchy, card_keys: tuple[PrivateKey, PrivateKey]) -> MakeCard:
    """Makes cards: ``make_card(pin="1234", kind=Kind.ANDROID, authentication=Wish(...), issuer=stranger)``."""

    def make(
        *,
        pin: str = "1234",
        password: str = "ABC123",
        kind: Kind = Kind.CARD,
        issuer: Hierarchy = hierarchy,
        generation: int = LATEST,
        authentication: Wish | None = None,
        signature: Wish | None = None,
        with_signature: bool = True,
    ) -> VirtualCard:
        blank = issuer.make_blank(
            card_keys if generation <= LATEST else None,
            generation=generation,
            authentication=authentication or Wish(der_length=REFERENCE_DER_BYTES if generation <= LATEST else None),
            signature=signature,
            with_signature=with_signature,
        )
        return blank.make_card(pin=pin, password=password, kind=kind)

    return make
