"""Virtual parts as pytest fixtures."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sim.card.card import VirtualCard
from tests.sim.card.files import Kind
from tests.sim.card.hierarchy import Hierarchy
from tests.sim.card.pki import LATEST, REFERENCE_DER_BYTES, PrivateKey, Wish, make_key
from tests.sim.card.vpcd import VirtualReader
from tests.sim.pcscd import PrivatePcscd
from tests.sim.usb import CompilerMissingError, UsbPcscd

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


@pytest.fixture(scope="session")
def pcscd_directory() -> Iterator[Path]:
    """A short path: a Unix socket's name has 107 bytes at most, and pytest's own directories can be longer."""
    with tempfile.TemporaryDirectory(prefix="pcscd-") as name:
        yield Path(name)


@pytest.fixture(scope="session")
def session_pcscd(pcscd_directory: Path) -> Iterator[PrivatePcscd]:
    """One pcscd for all tests of a session."""
    with PrivatePcscd(pcscd_directory) as daemon:
        yield daemon


@pytest.fixture
def pcscd(session_pcscd: PrivatePcscd, monkeypatch: pytest.MonkeyPatch) -> PrivatePcscd:
    """A running pcscd with two virtual slots; PC/SC clients in this process and its children reach it."""
    if not session_pcscd.running:
        session_pcscd.start()
    for name, value in session_pcscd.environment.items():
        monkeypatch.setenv(name, value)
    return session_pcscd


@pytest.fixture(scope="session")
def slots(session_pcscd: PrivatePcscd) -> tuple[VirtualReader, ...]:
    """Both slots, for the whole session: a slot remembers when a card left it and gives pcscd the time to see that."""
    return tuple(VirtualReader(port) for port in session_pcscd.ports)


@pytest.fixture
def reader(pcscd: PrivatePcscd, slots: tuple[VirtualReader, ...]) -> Iterator[VirtualReader]:
    """The first slot, empty; whatever lies on it afterwards is taken away."""
    yield slots[0]
    slots[0].remove()


@pytest.fixture
def second_reader(pcscd: PrivatePcscd, slots: tuple[VirtualReader, ...]) -> Iterator[VirtualReader]:
    yield slots[1]
    slots[1].remove()


@pytest.fixture(scope="module")
def module_usb(session_pcscd: PrivatePcscd) -> Iterator[UsbPcscd]:
    """In the place of the session's pcscd: a process goes on asking for it where it first found one."""
    session_pcscd.stop()
    daemon = UsbPcscd(session_pcscd.directory)
    try:
        daemon.start()
    except CompilerMissingError as error:
        pytest.skip(str(error))
    yield daemon
    daemon.stop()


@pytest.fixture
def usb(module_usb: UsbPcscd, monkeypatch: pytest.MonkeyPatch) -> Iterator[UsbPcscd]:
    """A pcscd with two readers that can be unplugged; both are plugged in, in their order."""
    if not module_usb.running:
        module_usb.start()
    for name, value in module_usb.environment.items():
        monkeypatch.setenv(name, value)
    for reader in module_usb.readers:
        reader.plug()
    yield module_usb
    for reader in module_usb.readers:
        if reader.plugged:
            reader.unplug()
        reader.remove()
