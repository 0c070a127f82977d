"""Messages of the socket, good ones bent at some places: bytes alone seldom stay JSON when a fuzzer changes them."""

import copy
import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

from tests.fuzz.tape import Tape

Message = dict[str, Any]

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 4, 17, 10**30, 1.5, math.inf, math.nan, "", "x", "12", "authentication", "signature",
    "present", "\ud800", "窓口", "00" * 32, "00" * 48, "zz", [], [1, 2], [1], [[]], {}, {"self": 1},
    {"code": "card.absent"},
    {"code": "card.wrong_pin", "fields": {"self": 1}}, {"code": "card.wrong_pin", "fields": {"tries_left": [2]}},
)  # fmt: skip
NAMES = ("self", "op", "key", "reason", "extra", "")
MOST_MESSAGES, MOST_BENDS = 12, 4
NOTHING, SET, DROP, ADD = range(4)


def stream(tape: Tape, messages: Sequence[tuple[Message, bytes]]) -> bytes:
    """The lines that a tape tells: for each a byte for the message, one for how often it is bent, three for each bend.

    The bytes beside a message follow its line as they are.
    """
    said = bytearray()
    for _ in range(MOST_MESSAGES):
        if tape.ended:
            break
        message, raw = messages[tape.byte() % len(messages)]
        message = copy.deepcopy(message)
        for _ in range(tape.byte() % MOST_BENDS):
            _bend(message, tape.byte(), tape.byte(), tape.byte())
        said += json.dumps(message).encode() + b"\n" + raw
    return bytes(said)


def _bend(message: Message, how: int, where: int, value: int) -> None:
    places = list(_places(message))
    holder, name = places[where % len(places)]
    match how % 4:
        case 1:
            holder[name] = copy.deepcopy(VALUES[value % len(VALUES)])
        case 2:
            holder.pop(name, None)
        case 3:
            holder[NAMES[value % len(NAMES)]] = copy.deepcopy(VALUES[where % len(VALUES)])


def _places(message: Message) -> Iterator[tuple[Message, str]]:
    for name, value in message.items():
        yield message, name
        if isinstance(value, dict):
            yield from _places(value)
    if not message:
        yield message, "extra"
