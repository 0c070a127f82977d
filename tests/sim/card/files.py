"""What lies on the card: applications, elementary files, keys and PINs, with the numbers the card knows them by."""

from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum, unique

JPKI_AP = bytes.fromhex("D392F000260100000001")
ISD = bytes.fromhex("A0000001510000")
# These hold the individual number, pictures of it, or the card's serial: a box must never select them.
FORBIDDEN_APS = tuple(
    bytes.fromhex(aid)
    for aid in (
        "D3921000310001010408",
        "D3921000310001010402",
        "D3921000310001010000",
        "D3921000310001010100",
    )
)
# The first of them gives the number as text (券面入力補助). A real card asks a PIN first, this one nothing.
INDIVIDUAL_NUMBER_AP = FORBIDDEN_APS[0]
APPLICATIONS = (JPKI_AP, ISD, *FORBIDDEN_APS)

CONTACT_ATR = bytes.fromhex("3BE000FF8131FE4514")
CONTACTLESS_ATR = bytes.fromhex("3B888001000041E0B381A1003B")
ALLOTTED_BYTES = 2048  # the room a certificate's file has when the rest of it shows as FF
TOKEN_INFO_BYTES = 160


@unique
class Ef(IntEnum):
    SIGNATURE_CERTIFICATE = 0x0001
    SIGNATURE_CA = 0x0002
    TOKEN_INFO = 0x0006
    CERTIFICATES_PRESENT = 0x0008
    AUTHENTICATION_CERTIFICATE = 0x000A
    AUTHENTICATION_CA = 0x000B
    AUTHENTICATION_KEY = 0x0017
    AUTHENTICATION_PIN = 0x0018
    SIGNATURE_KEY = 0x001A
    SIGNATURE_PASSWORD = 0x001B


@unique
class Secret(Enum):
    """A PIN and the key it opens: file of the PIN, file of the key, tries when fresh."""

    PIN = (Ef.AUTHENTICATION_PIN, Ef.AUTHENTICATION_KEY, 3)
    PASSWORD = (Ef.SIGNATURE_PASSWORD, Ef.SIGNATURE_KEY, 5)

    def __init__(self, pin: Ef, key: Ef, tries: int) -> None:
        self.pin = pin
        self.key = key
        self.tries = tries


@unique
class Kind(StrEnum):
    """What carries the application: it differs in the token's name and in who may read."""

    CARD = "card"
    JUKI = "juki"
    ANDROID = "android"
    IPHONE = "iphone"

    @property
    def token(self) -> bytes:
        name = {"card": b"JPKIAPICCTOKEN2", "juki": b"JPKIAPICCTOKEN", "android": b"JPKIAPGPSETOKEN",
                "iphone": b"JPKIAPIOSTOKEN"}[self]  # fmt: skip
        return name.ljust(32, b" ").ljust(TOKEN_INFO_BYTES, b"\x00")


@dataclass(frozen=True)
class Contents:
    """Certificates in DER. ``None``: the certificate was never issued (a child has no signature certificate)."""

    authentication: bytes | None
    authentication_ca: bytes
    signature: bytes | None
    signature_ca: bytes

    def read(self, ef: Ef, kind: Kind) -> bytes | None:
        """The bytes of a file without any filler; ``None`` if there is no such file to read."""
        # The Juki card is older than the authentication certificate and has its signature one alone.
        authentication = None if kind is Kind.JUKI else self.authentication
        return {
            Ef.TOKEN_INFO: kind.token,
            Ef.CERTIFICATES_PRESENT: bytes([0x8F if self.signature else 0, 0x8F if authentication else 0, 0]),
            Ef.AUTHENTICATION_CERTIFICATE: authentication,
            Ef.AUTHENTICATION_CA: None if kind is Kind.JUKI else self.authentication_ca,
            Ef.SIGNATURE_CERTIFICATE: self.signature,
            Ef.SIGNATURE_CA: self.signature_ca,
        }.get(ef)


def guard_of(ef: Ef, kind: Kind) -> Secret | None:
    """The PIN that must be verified before this file may be read."""
    if ef is Ef.SIGNATURE_CERTIFICATE:
        return Secret.PASSWORD
    if ef is Ef.AUTHENTICATION_CERTIFICATE and kind is Kind.ANDROID:
        return Secret.PIN
    return None
