"""DER written by hand (X.690 section 8.1.3), so that what reads it is not tried with its own writer."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass

from tests.fuzz.tape import Tape

SEQUENCE, BIT_STRING, OCTET_STRING = 0x30, 0x03, 0x04
CONSTRUCTED, LONG_FORM = 0x20, 0x80


def length(count: int) -> bytes:
    """The shortest length octets for ``count`` bytes of content."""
    if count < 0x80:
        return bytes([count])
    octets = count.to_bytes((count.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def sequence(content: bytes) -> bytes:
    return bytes([SEQUENCE]) + length(len(content)) + content


def bit_string(content: bytes) -> bytes:
    """Of whole octets: none of the last one's bits is unused."""
    return bytes([BIT_STRING]) + length(len(content) + 1) + b"\x00" + content


@dataclass
class Node:
    """One object: a tag of one byte, and its content as bytes or as the objects that it consists of."""

    tag: int
    inside: "bytes | list[Node]"


def read(data: bytes) -> list[Node] | None:
    """The objects that ``data`` consists of without a rest; None if it does not.

    Octet strings that hold objects themselves (extensions do) are taken apart as well.
    """
    nodes = []
    place = 0
    while place < len(data):
        if len(data) < place + 2:
            return None
        tag, first, start = data[place], data[place + 1], place + 2
        count = first
        if first >= LONG_FORM:
            count, start = int.from_bytes(data[start : start + first - LONG_FORM], "big"), start + first - LONG_FORM
        content = data[start : start + count]
        if len(content) != count:
            return None
        parts = read(content) if content and (tag & CONSTRUCTED or tag == OCTET_STRING) else None
        nodes.append(Node(tag, content if parts is None else parts))
        place = start + count
    return nodes


def write(nodes: list[Node]) -> bytes:
    """With lengths that are right again, whatever became of the contents."""
    said = bytearray()
    for node in nodes:
        content = node.inside if isinstance(node.inside, bytes) else write(node.inside)
        said += bytes([node.tag]) + length(len(content)) + content
    return bytes(said)


def bend(nodes: list[Node], tape: Tape) -> None:
    """Changes one object in place: four bytes say where, how and with what."""
    where, how, value = tape.word(), tape.byte(), tape.byte()
    holders = list(_holders(nodes))
    if not holders:
        return
    holder, at = holders[where % len(holders)]
    match how % 7:
        case 0:
            holder[at].inside = tape.take(value)
        case 1:
            del holder[at]
        case 2:
            holder.insert(at, copy.deepcopy(holder[at]))
        case 3:
            holder[at].tag = value
        case 4:
            other, place = holders[value * 7 % len(holders)]
            holder[at] = copy.deepcopy(other[place])
        case 5:
            holder[at].inside = bytes([tape.byte()]) * (value * 8)
        case 6:
            holder[at] = Node(value, [holder[at]])


def _holders(nodes: list[Node]) -> Iterator[tuple[list[Node], int]]:
    for at, node in enumerate(nodes):
        yield nodes, at
        if isinstance(node.inside, list):
            yield from _holders(node.inside)
