"""Changes to a card's state that arrive as JSON."""

from collections.abc import Callable, Mapping
from typing import TypeGuard

from tests.sim.card.apdu import Ins
from tests.sim.card.card import VirtualCard
from tests.sim.card.faults import CONTACT, CONTACTLESS, INSTANT, Fault, named
from tests.sim.card.files import CONTACT_ATR, CONTACTLESS_ATR, Kind, Secret

Read = Callable[[object], object]

MAX_DELAY_MS = 60_000


def change(card: VirtualCard, name: str, value: object) -> Callable[[], None]:
    """What has to be done to give the card this state. Raises ``ValueError`` for a state it cannot have.

    Names are attributes of ``VirtualCard``, and ``removed_in``: taken away so many exchanges from now on.
    """
    if name not in READ:
        raise ValueError(f"a card has no {name} to set")
    try:
        read = READ[name](value)
    except ValueError as error:
        raise ValueError(f"{name} must be {error}") from error
    if name == "removed_in":
        return lambda: setattr(card, "removed_at", card.count + int(str(read)))
    return lambda: setattr(card, name, read)


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _secret(value: object) -> str:
    if not isinstance(value, str) or not 4 <= len(value) <= 16:
        raise ValueError("a text of 4 to 16 characters")
    return value


def _number(least: int, most: int) -> Read:
    def read(value: object) -> int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"{least} to {most}")
        return value

    return read


def _or_none(read: Read) -> Read:
    return lambda value: None if value is None else read(value)


def _one_of(choices: Mapping[str, object]) -> Read:
    def read(value: object) -> object:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(" or ".join(choices))
        return choices[value]

    return read


def _delays(value: object) -> dict[int, float]:
    """Milliseconds for every instruction, or ``{"select": 10, "verify": 50}``."""
    instructions = {ins.name.lower(): int(ins) for ins in Ins}
    wanted = value if isinstance(value, dict) else dict.fromkeys(instructions, value)
    delays = {}
    for name, ms in wanted.items():
        if name not in instructions or not _is_number(ms) or not 0 <= ms <= MAX_DELAY_MS:
            raise ValueError(f"0 to {MAX_DELAY_MS}, for all or for {', '.join(instructions)}")
        delays[instructions[name]] = float(ms)
    return delays


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _faults(value: object) -> dict[int, Fault]:
    """``{"3": "6F00"}``: the number of an exchange and the name of a fault."""
    if not isinstance(value, dict) or not all(str(number).isdecimal() for number in value):
        raise ValueError("an object of exchange number and fault")
    return {int(number): named(str(fault)) for number, fault in value.items()}


_EXCHANGE = _number(1, 10_000)
READ: Mapping[str, Read] = {
    "pin": _secret,
    "password": _secret,
    "pin_tries": _number(0, Secret.PIN.tries),
    "password_tries": _number(0, Secret.PASSWORD.tries),
    "pin_locked": _truth,
    "removed_at": _or_none(_EXCHANGE),
    "removed_in": _EXCHANGE,
    "removed_after_command": _truth,
    "kind": _one_of({str(kind): kind for kind in Kind}),
    "atr": _one_of({"contact": CONTACT_ATR, "contactless": CONTACTLESS_ATR}),
    "timing": _one_of({"instant": INSTANT, "contact": CONTACT, "contactless": CONTACTLESS}),
    "delay_ms": _delays,
    "faults": _faults,
    "extended_le": _truth,
    "extended_silent": _truth,
    "filler": _truth,
    "style_61xx": _truth,
    "style_6cxx": _truth,
    "style_6282": _truth,
    "counter_9000": _truth,
    "no_limit": _truth,
    "hash_modes": _truth,
    "short_references": _truth,
    "survives_reset": _truth,
}
