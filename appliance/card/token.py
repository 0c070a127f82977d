"""What a token says of itself: what carries the application (EF 0006) and which certificates there are (EF 0008)."""

from enum import Enum, unique
from typing import Final

from appliance.card.key import Key

EF_TOKEN_INFO: Final = 0x0006
EF_AVAILABILITY: Final = 0x0008
NAME_BYTES: Final = 32
AVAILABILITY_BYTES: Final = 3
THERE: Final = 0x80  # 8F in every observation; the first bit is what all of them share


@unique
class Kind(Enum):
    """What carries the application, by the name at the start of its token information."""

    CARD = "JPKIAPICCTOKEN2"
    JUKI_CARD = "JPKIAPICCTOKEN"
    ANDROID = "JPKIAPGPSETOKEN"
    IPHONE = "JPKIAPIOSTOKEN"
    UNKNOWN = ""


def kind_in(info: bytes) -> Kind:
    """The kind that the first 32 bytes of EF 0006 name; they are ASCII, filled up with spaces."""
    name = info[:NAME_BYTES].rstrip(b" \x00").decode("ascii", "replace")
    return next((kind for kind in Kind if kind.value == name), Kind.UNKNOWN)


def available_in(content: bytes) -> frozenset[Key] | None:
    """The keys whose certificates EF 0008 says there are: first byte signature, second authentication.

    None for a content of another length, which says nothing.
    """
    if len(content) != AVAILABILITY_BYTES:
        return None
    bits = zip((Key.SIGNATURE, Key.AUTHENTICATION), content, strict=False)
    return frozenset(key for key, byte in bits if byte & THERE)
