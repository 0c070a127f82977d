"""The virtual My Number card: bytes in, bytes out, and a state that a test can edit.

It obeys the rules of the JPKI application as far as they are known from public code and observation. What was seen
differently on different cards is an attribute, so that a test can ask for either.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.sim.card import files
from tests.sim.card.apdu import Command, Ins, MalformedError, Sw, masked, parse
from tests.sim.card.faults import INSTANT, CardRemovedError, Fault, SilentCardError, Timing
from tests.sim.card.files import Contents, Ef, Kind, Secret
from tests.sim.card.pki import PrivateKey
from tests.sim.card.signing import DIGEST_INFO_MODE, HASH_MODE, PSS_MODE, sign


@dataclass(frozen=True)
class Exchange:
    """One command and its answer as the wire saw them; the body of a PIN command is ``<pin>``.

    ``number`` counts from 1 since the card was put on the reader. ``answer`` is ``None`` if none arrived. ``bytes``
    went both ways, status word included; ``took_ns`` is how long the card thought.
    """

    number: int
    command: str
    answer: str | None
    bytes: int
    took_ns: int


@dataclass(frozen=True)
class Answer:
    data: bytes
    sw: int

    def __bytes__(self) -> bytes:
        return self.data + self.sw.to_bytes(2)


class VirtualCard:
    """A card with its keys, counters and moods. Every public attribute may be changed at any time.

    - ``pin``, ``password``, ``pin_tries``, ``password_tries``: what the card compares with and how often it still does.
    - ``pin_locked``: locked on purpose at the municipal counter; the tries do not matter.
    - ``removed_at``: taken away at this exchange, counted from 1 since it was put on the reader. Happens once.
      ``removed_after_command``: the card still carries the command out, only the answer is lost.
    - ``faults``: exchange number -> ``Fault``; each happens once.
    - ``timing`` and ``delay_ms`` (instruction -> extra milliseconds): how slow it is.
    - ``extended_le``: reader and card understand extended lengths, else the answer is 6700, or a transport error with
      ``extended_silent``.
    - ``filler``: files of certificates go on with FF up to the room they were given.
    - ``style_61xx``: data waits for GET RESPONSE. ``style_6cxx``: a wrong Le is answered with the right one.
      ``style_6282``: reading over the end warns instead of saying 9000.
    - ``blocked_sw`` and ``blocked_counter_sw``: answers of a locked PIN to VERIFY and to the question for tries left.
    - ``counter_9000``: that question is answered 9000 once verified. ``no_limit``: answered 6300.
    - ``hash_modes``: P1 02 and 04 of COMPUTE DIGITAL SIGNATURE are understood.
    - ``short_references``: PINs and keys can be named in P2; if not, their file must be selected first.
    - ``individual_number``: twelve digits that READ BINARY gives in the application that a box must never select.
    - ``survives_reset``: a successful VERIFY outlives a warm reset, as observed on real cards.
    """

    def __init__(
        self,
        contents: Contents,
        authentication_key: PrivateKey | None,
        signature_key: PrivateKey | None,
        *,
        pin: str = "1234",
        password: str = "ABC123",
        kind: Kind = Kind.CARD,
    ) -> None:
        self.contents = contents
        self.pin = pin
        self.password = password
        self.pin_tries = Secret.PIN.tries
        self.password_tries = Secret.PASSWORD.tries
        self.pin_locked = False
        self.kind = kind
        self.atr = files.CONTACT_ATR
        self.removed_at: int | None = None
        self.removed_after_command = False
        self.faults: dict[int, Fault] = {}
        self.timing: Timing = INSTANT
        self.delay_ms: dict[int, float] = {}
        self.extended_le = True
        self.extended_silent = False
        self.filler = False
        self.style_61xx = False
        self.style_6cxx = False
        self.style_6282 = False
        self.blocked_sw: int = Sw.REFERENCE_UNUSABLE
        self.blocked_counter_sw = 0x63C0
        self.counter_9000 = False
        self.no_limit = False
        self.hash_modes = False
        self.short_references = True
        self.survives_reset = True
        self.individual_number = ""

        self.exchanges: list[Exchange] = []
        self.selected_aids: list[bytes] = []
        self.forbidden_selected: list[bytes] = []
        self.powered = False
        self.count = 0
        self._keys = {Ef.AUTHENTICATION_KEY: authentication_key, Ef.SIGNATURE_KEY: signature_key}
        self._application: bytes | None = None
        self._file: Ef | None = None
        self._verified: set[Secret] = set()
        self._waiting = b""
        self._lock = threading.Lock()

    def place(self) -> None:
        """Puts the card on a reader: unpowered, and its exchanges are counted from 1 again."""
        self.power_off()
        self.count = 0

    def power_on(self) -> bytes:
        """Returns the ATR."""
        self.powered = True
        return self.atr

    def power_off(self) -> None:
        """Everything the card remembers of the conversation is gone."""
        self.powered = False
        self._deselect()
        self._verified.clear()

    def reset(self) -> bytes:
        """A warm reset: the selection is gone, a successful VERIFY is not (see ``survives_reset``)."""
        self._deselect()
        if not self.survives_reset:
            self._verified.clear()
        return self.power_on()

    @property
    def verified(self) -> frozenset[Secret]:
        return frozenset(self._verified)

    def tries_left(self, secret: Secret) -> int:
        return self.pin_tries if secret is Secret.PIN else self.password_tries

    def transmit(self, apdu: bytes | bytearray) -> bytes:
        """One exchange: a command APDU in, data and status word out. Powers the card on if nobody did.

        Raises ``CardRemovedError`` when the card is taken away, ``SilentCardError`` when only the answer is lost.
        """
        apdu = bytes(apdu)
        with self._lock:
            self.powered = True
            self.count += 1
            number, answer, begun = self.count, None, time.perf_counter_ns()
            try:
                answer = self._exchange(number, apdu)
            finally:
                took_ns = time.perf_counter_ns() - begun
                text = None if answer is None else answer.hex().upper()
                self.exchanges.append(Exchange(number, masked(apdu), text, len(apdu) + len(answer or b""), took_ns))
            return answer

    def _exchange(self, number: int, apdu: bytes) -> bytes:
        removed = self.removed_at == number
        fault = self.faults.pop(number, None)
        if removed and not self.removed_after_command:
            self._take_away()
        reaches_card = fault is None or fault.reaches_card
        answer = bytes(self._answer(apdu)) if reaches_card else b""
        if removed:
            self._take_away()
        ins = apdu[1] if len(apdu) > 1 else 0
        waited_ms = self.timing.takes_ms(ins, len(apdu) + len(answer)) + self.delay_ms.get(ins, 0.0)
        if waited_ms:
            time.sleep(waited_ms / 1000)
        return answer if fault is None else fault.spoil(answer)

    def _take_away(self) -> None:
        self.removed_at = None
        self.power_off()
        raise CardRemovedError

    def _deselect(self) -> None:
        self._application, self._file, self._waiting = None, None, b""

    def _answer(self, apdu: bytes) -> Answer:
        try:
            command = parse(apdu)
        except MalformedError:
            return _says(Sw.WRONG_LENGTH)
        if command.extended and not self.extended_le:
            if self.extended_silent:
                raise SilentCardError
            return _says(Sw.WRONG_LENGTH)
        if command.ins == Ins.GET_RESPONSE:
            return self._get_response(command)
        self._waiting = b""
        doing = self._instruction(command)
        if isinstance(doing, Answer):
            return doing
        answer = doing(command)
        if self.style_61xx and answer.data:
            self._waiting = answer.data
            return Answer(b"", 0x6100 | min(len(answer.data), 256) & 0xFF)
        return answer

    def _instruction(self, command: Command) -> Callable[[Command], Answer] | Answer:
        known = {
            Ins.SELECT: (0x00, self._select),
            Ins.READ_BINARY: (0x00, self._read),
            Ins.VERIFY: (0x00, self._verify),
            Ins.COMPUTE_SIGNATURE: (0x80, self._sign),
        }
        ins = next((one for one in known if one == command.ins), None)
        if ins is None:
            return _says(Sw.INS_UNKNOWN)
        cla, doing = known[ins]
        if command.cla != cla:
            return _says(Sw.CLA_UNKNOWN)
        if ins is Ins.READ_BINARY and self._application == files.INDIVIDUAL_NUMBER_AP and self.individual_number:
            return Answer(self.individual_number.encode(), Sw.OK)
        if ins is not Ins.SELECT and self._application != files.JPKI_AP:
            return _says(Sw.NOT_SATISFIED)
        return doing

    def _get_response(self, command: Command) -> Answer:
        if not self._waiting or command.le is None:
            return _says(Sw.NOT_SATISFIED)
        if not command.wants_all and command.le > len(self._waiting):
            return Answer(b"", 0x6C00 | len(self._waiting) & 0xFF)
        data, self._waiting = self._waiting[: command.le], self._waiting[command.le :]
        return Answer(data, 0x6100 | min(len(self._waiting), 256) & 0xFF if self._waiting else Sw.OK)

    def _select(self, command: Command) -> Answer:
        if command.p1 == 0x04:
            return self._select_application(command)
        if command.p1 != 0x02 or command.p2 != 0x0C:
            return _says(Sw.WRONG_P1P2)
        if len(command.data) != 2:
            return _says(Sw.WRONG_LENGTH)
        if self._application != files.JPKI_AP:
            return _says(Sw.NOT_FOUND)
        return self._select_file(int.from_bytes(command.data))

    def _select_application(self, command: Command) -> Answer:
        # A shortened AID selects the first application it begins, so a shortened one counts as a try all the same.
        found = next((aid for aid in files.APPLICATIONS if aid.startswith(command.data)), None)
        if command.p2 not in (0x00, 0x0C):
            return _says(Sw.WRONG_P1P2)
        if found is None:
            return _says(Sw.NOT_FOUND)
        self.selected_aids.append(found)
        if found in files.FORBIDDEN_APS:
            self.forbidden_selected.append(found)
        if found != files.JPKI_AP:
            self._verified.clear()
        self._application, self._file = found, None
        if command.p2 == 0x0C:
            return _says(Sw.OK)
        return Answer(bytes([0x6F, len(found) + 2, 0x84, len(found)]) + found, Sw.OK)

    def _select_file(self, number: int) -> Answer:
        ef = self._existing(number)
        if ef is None:
            return _says(Sw.NOT_FOUND)
        self._file = ef
        return _says(Sw.OK)

    def _existing(self, number: int) -> Ef | None:
        ef = next((one for one in Ef if one == number), None)
        if ef in (Ef.AUTHENTICATION_PIN, Ef.AUTHENTICATION_KEY):
            return None if self.kind is Kind.JUKI else ef
        if ef in (Ef.SIGNATURE_PASSWORD, Ef.SIGNATURE_KEY):
            return ef
        return ef if ef is not None and self.contents.read(ef, self.kind) is not None else None

    def _read(self, command: Command) -> Answer:
        if command.data or command.le is None:
            return _says(Sw.WRONG_LENGTH)
        if command.p1 & 0x80:  # short EF identifier in P1, offset in P2 (ISO/IEC 7816-4, 11.2.3)
            ef, offset = self._existing(command.p1 & 0x1F), command.p2
            if ef is None:
                return _says(Sw.NOT_FOUND)
            self._file = ef
        else:
            offset = command.p1 << 8 | command.p2
        if self._file is None:
            return _says(Sw.NO_CURRENT_EF)
        content = self.contents.read(self._file, self.kind)
        if content is None:
            return _says(Sw.INCOMPATIBLE_FILE)
        guard = files.guard_of(self._file, self.kind)
        if guard is not None and guard not in self._verified:
            return _says(Sw.PIN_NEEDED)
        return self._part(self._filled(content), offset, command, command.le)

    def _part(self, content: bytes, offset: int, command: Command, le: int) -> Answer:
        if offset >= len(content):
            return _says(Sw.WRONG_OFFSET)
        data = content[offset : offset + le]
        if len(data) == le or command.wants_all:
            return Answer(data, Sw.OK)
        if self.style_6cxx and len(data) < 256:
            return Answer(b"", 0x6C00 | len(data))
        return Answer(data, Sw.END_OF_FILE if self.style_6282 else Sw.OK)

    def _filled(self, content: bytes) -> bytes:
        is_certificate = content[:1] == b"\x30"
        return content.ljust(files.ALLOTTED_BYTES, b"\xff") if self.filler and is_certificate else content

    def _verify(self, command: Command) -> Answer:
        if command.p1 != 0x00:
            return _says(Sw.WRONG_P1P2)
        secret = self._referenced(command, {one.pin: one for one in Secret})
        if secret is None:
            return _says(Sw.REFERENCE_NOT_FOUND)
        if not command.data:
            return self._counter(secret)
        if len(command.data) > 16:
            return _says(Sw.WRONG_LENGTH)
        left = self.tries_left(secret)
        if left == 0 or self._locked(secret):
            self._verified.discard(secret)
            return _says(self.blocked_sw)
        expected = self.pin if secret is Secret.PIN else self.password
        if command.data == expected.encode():
            self._set_tries(secret, secret.tries)
            self._verified.add(secret)
            return _says(Sw.OK)
        self._set_tries(secret, left - 1)
        self._verified.discard(secret)
        return _says(0x63C0 | left - 1)

    def _counter(self, secret: Secret) -> Answer:
        if self.tries_left(secret) == 0 or self._locked(secret):
            return _says(self.blocked_counter_sw)
        if self.counter_9000 and secret in self._verified:
            return _says(Sw.OK)
        return _says(Sw.VERIFY_NO_LIMIT if self.no_limit else 0x63C0 | self.tries_left(secret))

    def _locked(self, secret: Secret) -> bool:
        return secret is Secret.PIN and self.pin_locked

    def _set_tries(self, secret: Secret, tries: int) -> None:
        if secret is Secret.PIN:
            self.pin_tries = tries
        else:
            self.password_tries = tries

    def _referenced(self, command: Command, known: dict[Ef, Secret]) -> Secret | None:
        """The secret that P2 names: 80 the current file, 80 | EF a short identifier. ``None`` if it names none."""
        short = self._existing(command.p2 & 0x1F) if command.p2 & 0x80 and self.short_references else None
        ef = self._file if command.p2 == 0x80 else short
        if ef is None or ef not in known or self._existing(ef) is None:
            return None
        self._file = ef
        return known[ef]

    def _sign(self, command: Command) -> Answer:
        secret = self._referenced(command, {one.key: one for one in Secret})
        if secret is None:
            return _says(Sw.REFERENCE_NOT_FOUND)
        key = self._keys[secret.key]
        if key is None:
            return _says(Sw.NOT_FOUND)
        if command.le is None or not command.data:
            return _says(Sw.WRONG_LENGTH)
        if secret not in self._verified:
            return _says(Sw.PIN_NEEDED)
        mode = command.p1
        if mode not in ((DIGEST_INFO_MODE, HASH_MODE, PSS_MODE) if self.hash_modes else (DIGEST_INFO_MODE,)):
            return _says(Sw.WRONG_P1P2)
        signature = sign(key, command.data, mode)
        if signature is None:
            return _says(Sw.WRONG_LENGTH)
        return Answer(signature[: command.le], Sw.OK)


def _says(sw: int) -> Answer:
    return Answer(b"", sw)
