"""Who a signature certificate says its holder is: the basic four items, from its subject alternative name."""

from dataclasses import dataclass, field
from datetime import date
from typing import Final

from cryptography import x509
from cryptography.hazmat import asn1

from appliance.errors import UntrustedError

HOLDER_ARC: Final = "1.2.392.200149.8.5.5"
_NAME, _NAME_SUBSTITUTES, _SEX, _BIRTH, _ADDRESS, _ADDRESS_SUBSTITUTES = range(1, 7)
REQUIRED: Final = (_NAME, _SEX, _BIRTH, _ADDRESS)
MOST_TEXT_BYTES: Final = 1024
BIRTH_DIGITS: Final = 9


class HolderError(UntrustedError):
    """A signature certificate that does not say who its holder is, or not in the form that is published."""

    code = "card.untrusted_holder"


@dataclass(frozen=True)
class Holder:
    """The holder as registered at the municipality. ``sex`` and ``era`` are the registry's one-digit codes.

    ``birth`` is None for a date that the registry does not know whole; ``birth_text`` has it as it stands there
    (YYYYMMDD). The flags have one digit for each character of name and address: other than 0 where the registry's
    character has a stand-in here, so that no comparison is ever made by the character alone.
    """

    name: str = field(repr=False)
    sex: str = field(repr=False)
    era: str = field(repr=False)
    birth_text: str = field(repr=False)
    birth: date | None = field(repr=False)
    address: str = field(repr=False)
    name_substitutes: str = field(default="", repr=False)
    address_substitutes: str = field(default="", repr=False)


def holder_of(certificate: x509.Certificate) -> Holder:
    """Reads the attributes (otherName of type UTF8String, RFC 5280 section 4.2.1.6). Raises ``HolderError``."""
    said = _attributes(certificate)
    missing = next((number for number in REQUIRED if not said.get(number)), None)
    if missing is not None:
        raise HolderError(reason="missing", attribute=missing)
    birth = said[_BIRTH]
    if len(birth) != BIRTH_DIGITS or not (birth.isascii() and birth.isdigit()):
        raise HolderError(reason="date of birth")
    return Holder(
        name=said[_NAME],
        sex=said[_SEX],
        era=birth[0],
        birth_text=birth[1:],
        birth=_day(birth[1:]),
        address=said[_ADDRESS],
        name_substitutes=said.get(_NAME_SUBSTITUTES, ""),
        address_substitutes=said.get(_ADDRESS_SUBSTITUTES, ""),
    )


def _attributes(certificate: x509.Certificate) -> dict[int, str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        raise HolderError(reason="no subject alternative name") from None
    except Exception:  # noqa: BLE001 - the parser raises many kinds, whose text may quote the certificate
        raise HolderError(reason="extensions") from None
    said: dict[int, str] = {}
    for other in names.get_values_for_type(x509.OtherName):
        arc, _, last = other.type_id.dotted_string.rpartition(".")
        if arc != HOLDER_ARC or not last.isdigit():
            continue
        number = int(last)
        if number in said:
            raise HolderError(reason="twice", attribute=number)
        said[number] = _text(other.value, number)
    return said


def _text(der: bytes, number: int) -> str:
    try:
        if len(der) > MOST_TEXT_BYTES:
            raise ValueError
        return asn1.decode_der(str, der)
    except ValueError:  # without its text, which may quote what it could not read
        raise HolderError(reason="not text", attribute=number) from None


def _day(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None
