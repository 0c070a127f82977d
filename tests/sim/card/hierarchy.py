"""All roots of the look-alike hierarchy in one hand, kept in a directory, and the cards that they issue."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from tests.sim.card.card import VirtualCard
from tests.sim.card.files import Contents, Kind
from tests.sim.card.pki import (
    GENERATIONS,
    LATEST,
    Issued,
    KeyType,
    Person,
    PrivateKey,
    Use,
    Wish,
    issue_leaf,
    issue_root,
    make_key,
)

ANCHORS = "anchors.pem"
STATE = "card.json"


@dataclass(frozen=True)
class Hierarchy:
    """The roots of every generation for both uses."""

    roots: Mapping[tuple[Use, int], Issued]

    @classmethod
    def make(cls, generations: Mapping[int, KeyType] = GENERATIONS) -> "Hierarchy":
        return cls({(use, number): issue_root(use, kind) for number, kind in generations.items() for use in Use})

    @classmethod
    def load(cls, folder: Path) -> "Hierarchy":
        """Raises ``FileNotFoundError`` if no hierarchy was saved there."""
        found = sorted(folder.glob("*-*.crt"))
        if not found:
            raise FileNotFoundError(f"no hierarchy of certificates in {folder}")
        names = [path.stem for path in found]
        return cls({(Use(name.split("-")[0]), int(name.split("-")[1])): Issued.load(folder, name) for name in names})

    @classmethod
    def load_or_make(cls, folder: Path) -> "Hierarchy":
        """The hierarchy kept in this directory, made and saved there the first time."""
        if not folder.exists():
            with _appearing(folder) as draft:
                cls.make().save(draft)
        return cls.load(folder)

    def save(self, folder: Path) -> None:
        """Writes every root with its key, and ``anchors.pem`` with all certificates."""
        folder.mkdir(parents=True, exist_ok=True)
        for (use, generation), root in self.roots.items():
            root.save(folder, f"{use}-{generation}")
        (folder / ANCHORS).write_bytes(self.anchors_pem())

    def anchors_pem(self, *uses: Use) -> bytes:
        """The root certificates for these uses (all if none is named), one after the other."""
        wanted = uses or tuple(Use)
        roots = [root for (use, _), root in sorted(self.roots.items()) if use in wanted]
        return b"".join(root.certificate.public_bytes(Encoding.PEM) for root in roots)

    def issue(
        self, use: Use, key: PrivateKey | None = None, *, generation: int = LATEST, wish: Wish | None = None
    ) -> Issued:
        """A leaf certificate; without ``key`` a new one of the generation's kind is made."""
        root = self.roots[use, generation]
        return issue_leaf(root, use, key or make_key(GENERATIONS.get(generation, KeyType.RSA_2048)), wish)

    def make_blank(
        self,
        keys: tuple[PrivateKey, PrivateKey] | None = None,
        *,
        generation: int = LATEST,
        authentication: Wish | None = None,
        signature: Wish | None = None,
        with_signature: bool = True,
    ) -> "Blank":
        """The keys and certificates of one new card. ``keys`` are those for authentication and for signature."""
        first, second = keys or (None, None)
        return Blank(
            self.issue(Use.AUTHENTICATION, first, generation=generation, wish=authentication),
            self.roots[Use.AUTHENTICATION, generation].der,
            self.issue(Use.SIGNATURE, second, generation=generation, wish=signature) if with_signature else None,
            self.roots[Use.SIGNATURE, generation].der,
        )


@dataclass(frozen=True)
class Blank:
    """What the issuer puts onto a card before anybody uses it."""

    authentication: Issued
    authentication_ca: bytes
    signature: Issued | None
    signature_ca: bytes

    def make_card(self, *, pin: str = "1234", password: str = "ABC123", kind: Kind = Kind.CARD) -> VirtualCard:
        signature = self.signature
        signature_der, signature_key = (signature.der, signature.key) if signature else (None, None)
        contents = Contents(self.authentication.der, self.authentication_ca, signature_der, self.signature_ca)
        return VirtualCard(contents, self.authentication.key, signature_key, pin=pin, password=password, kind=kind)


@dataclass(frozen=True)
class CardFile:
    """A card in a directory of its own: keys, certificates, and the state its holder brings it in."""

    blank: Blank
    person: Person
    pin: str = "1234"
    password: str = "ABC123"
    kind: Kind = Kind.CARD
    pin_tries: int = 3
    pin_locked: bool = False
    individual_number: str = ""

    def make_card(self) -> VirtualCard:
        card = self.blank.make_card(pin=self.pin, password=self.password, kind=self.kind)
        card.pin_tries, card.pin_locked = self.pin_tries, self.pin_locked
        card.individual_number = self.individual_number
        return card

    def save(self, folder: Path) -> None:
        with _appearing(folder) as draft:
            self.blank.authentication.save(draft, "authentication")
            (draft / "authentication-ca.der").write_bytes(self.blank.authentication_ca)
            if self.blank.signature:
                self.blank.signature.save(draft, "signature")
            (draft / "signature-ca.der").write_bytes(self.blank.signature_ca)
            said = {name: value for name, value in vars(self).items() if name not in ("blank", "person")}
            said["person"] = asdict(self.person)
            (draft / STATE).write_text(json.dumps(said, ensure_ascii=False, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "CardFile":
        """Raises ``FileNotFoundError`` if there is no card in this directory."""
        said = json.loads((folder / STATE).read_text(encoding="utf-8"))
        signature = Issued.load(folder, "signature") if (folder / "signature.crt").exists() else None
        blank = Blank(
            Issued.load(folder, "authentication"),
            (folder / "authentication-ca.der").read_bytes(),
            signature,
            (folder / "signature-ca.der").read_bytes(),
        )
        person, kind = Person(**said.pop("person")), Kind(said.pop("kind"))
        return cls(blank, person, kind=kind, **said)


@contextmanager
def _appearing(folder: Path) -> Iterator[Path]:
    """A draft directory that becomes ``folder`` at the end; if another process was faster, its result stays."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        yield draft
        try:
            draft.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
