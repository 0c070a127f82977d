"""A conversation with a virtual card in hexadecimal, as its rules are written down."""

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import load_der_x509_certificate

from tests.sim.card.card import VirtualCard

SELECT_JPKI = "00A4040C0A D392F000260100000001"
SELECT_ISD = "00A4040C07 A0000001510000"
READ_AUTH = "00B08A00 000000"
TRIES_PIN, TRIES_PASSWORD = "00200098", "0020009B"
DIGEST = bytes(range(32))
DIGEST_INFO = "3031300d060960864801650304020105000420" + DIGEST.hex()
SIGN_AUTH, SIGN_SIGNATURE = f"802A0097 33 {DIGEST_INFO} 00", f"802A009A 33 {DIGEST_INFO} 00"


def verify(pin: str, p2: str = "98") -> str:
    return f"002000{p2} {len(pin):02X} {pin.encode().hex()}"


class Talk:
    """``say`` sends hexadecimal and returns data and status word; ``sw`` the status word alone, as text."""

    def __init__(self, card: VirtualCard) -> None:
        self.card = card

    def say(self, apdu: str) -> tuple[bytes, str]:
        answer = self.card.transmit(bytes.fromhex(apdu))
        return answer[:-2], answer[-2:].hex().upper()

    def sw(self, apdu: str) -> str:
        return self.say(apdu)[1]


def talk_to(card: VirtualCard) -> Talk:
    one = Talk(card)
    assert one.sw(SELECT_JPKI) == "9000"
    return one


def certificate_key(der: bytes | None) -> rsa.RSAPublicKey:
    assert der is not None
    key = load_der_x509_certificate(der).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    return key
