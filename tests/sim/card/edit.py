"""Changes to a card's state that arrive as JSON."""

from collections.abc import Callable

from tests.sim.card.apdu import Ins
from tests.sim.card.card import VirtualCard
from tests.sim.card.faults import CONTACT, CONTACTLESS, INSTANT, named
from tests.sim.card.files import CONTACT_ATR, CONTACTLESS_ATR, Kind, Secret

TIMINGS = {"instant": INSTANT, "contact": CONTACT, "contactless": CONTACTLESS}
ATRS = {"contact": CONTACT_ATR, "contactless": CONTACTLESS_ATR}
SWITCHES = (
    "pin_locked",
    "removed_after_command",
    "extended_le",
    "extended_silent",
    "filler",
    "style_61xx",
    "style_6cxx",
    "style_6282",
    "counter_9000",
    "no_limit",
    "hash_modes",
    "survives_reset",
)


def change(card: VirtualCard, name: str, value: object) -> Callable[[], None]:
    """What has to be done to give the card this state. Raises ``ValueError`` for a state it cannot have."""
    if name in SWITCHES:
        return _setter(card, name, _checked(name, value, isinstance(value, bool), "true or false"))
    if name in ("pin", "password"):
        return _setter(card, name, _checked(name, value, isinstance(value, str) and 4 <= len(value) <= 16, "a text"))
    if name in ("pin_tries", "password_tries"):
        most = Secret.PIN.tries if name == "pin_tries" else Secret.PASSWORD.tries
        fits = type(value) is int and 0 <= value <= most
        return _setter(card, name, _checked(name, value, fits, f"0 to {most}"))
    if name == "removed_at":
        fits = value is None or (type(value) is int and value >= 1)
        return _setter(card, name, _checked(name, value, fits, "the number of an exchange, or null"))
    if name == "removed_in":  # so many exchanges from now on
        count = int(str(_checked(name, value, type(value) is int and value >= 1, "a number from 1")))
        return lambda: setattr(card, "removed_at", card.count + count)
    named_choices: dict[str, tuple[str, dict[str, object]]] = {
        "kind": ("kind", {str(kind): kind for kind in Kind}),
        "timing": ("timing", dict(TIMINGS)),
        "atr": ("atr", dict(ATRS)),
    }
    if name in named_choices:
        attribute, choices = named_choices[name]
        return _setter(card, attribute, choices[str(_checked(name, value, value in choices, " or ".join(choices)))])
    if name == "delay_ms":
        return _setter(card, name, _delays(value))
    if name == "faults":
        return _faults(card, value)
    raise ValueError(f"a card has no {name} to set")


def _setter(card: VirtualCard, name: str, value: object) -> Callable[[], None]:
    return lambda: setattr(card, name, value)


def _checked(name: str, value: object, fits: bool, wanted: str) -> object:
    if not fits:
        raise ValueError(f"{name} must be {wanted}")
    return value


def _delays(value: object) -> dict[int, float]:
    """Milliseconds for every instruction, or ``{"select": 10, "verify": 50}``."""
    names = {ins.name.lower(): int(ins) for ins in Ins}
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = dict.fromkeys(names, value)
    if not isinstance(value, dict) or not all(
        name in names and isinstance(ms, int | float) and 0 <= ms <= 60_000 for name, ms in value.items()
    ):
        raise ValueError(f"delay_ms must be milliseconds, or milliseconds for {', '.join(names)}")
    return {names[name]: float(ms) for name, ms in value.items()}


def _faults(card: VirtualCard, value: object) -> Callable[[], None]:
    """``{"3": "6F00"}``: the number of an exchange and the name of a fault."""
    if not isinstance(value, dict):
        raise ValueError("faults must be an object of exchange number and fault")
    return _setter(card, "faults", {int(number): named(str(fault)) for number, fault in value.items()})
