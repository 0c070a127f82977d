"""A verifier that leaves out one demand fails at least one vector: each is switched off in turn."""

import ast
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.independent import cbor, seals, signatures, tree, verifier
from tests.independent.cbor import RefusedError
from tests.independent.test_verifier import ARCHIVES, KEYS, SPKI, vectors
from tests.ledger import material as m

MODULES: tuple[ModuleType, ...] = (cbor, tree, signatures, seals, verifier)
Site = tuple[str, int]
"""Name of the file and line of a demand."""


def cases() -> Iterator[Callable[[], object]]:
    """Every vector that must be refused."""
    box, hub, boxes = SPKI["box"], SPKI["hub"], [SPKI["box"], SPKI["next"]]

    def of(name: str, field: str, under: str = "refused") -> Iterator[tuple[bytes, Any]]:
        return ((bytes.fromhex(one[field]), one) for one in vectors(name)[under])

    for data, _ in of("entries", "entry"):
        yield partial(tree.read_entry, data)
    for name, key, check in (
        ("checkpoints", box, signatures.check_checkpoint),
        ("cosignatures", hub, signatures.check_cosignature),
    ):
        for data, one in of(name, "cose"):
            size, root = one["size"], bytes.fromhex(one["root"])
            yield partial(check, data, size, root, m.ORIGIN, key)
    for data, _ in of("receipts", "receipt"):
        yield partial(verifier.verify_receipt, data, m.ORIGIN, box, hub)
    for data, one in of("receipts", "receipt", "refused_for"):
        yield partial(verifier.verify_receipt, data, one["origin"], SPKI[one["box"]], SPKI[one["hub"]])
    for data, _ in (*of("exports", "export"), *of("changes", "export", "refused_exports")):
        yield partial(verifier.verify_export, data, boxes, [hub])
    for data, one in of("exports", "export", "refused_for"):
        yield partial(verifier.verify_export, data, [SPKI[one["box"]]], [SPKI[one["hub"]]])
    for data, _ in of("seals", "export"):
        yield partial(verifier.verify_export, data, boxes, [hub])
    for data, one in of("seals", "export", "refused_for"):
        yield partial(verifier.verify_export, data, boxes, [], [ARCHIVES[one["archive"]]])
    for data, _ in of("changes", "succession"):
        yield partial(signatures.check_succession, data, m.ORIGIN, 7, box, SPKI["second"])
    for one in vectors("changes")["checkpoints"]:
        if not one["good"]:
            cose, size, root = bytes.fromhex(one["cose"]), one["size"], bytes.fromhex(one["root"])
            yield partial(signatures.check_checkpoint, cose, size, root, m.ORIGIN, KEYS)
    for data, one in of("changes", "receipt", "refused_receipts"):
        keys = [(size, bytes.fromhex(spki)) for size, spki in one["keys"]]
        yield partial(verifier.verify_receipt, data, m.ORIGIN, keys, None)


def demands() -> dict[Site, str]:
    """Where the verifier demands something with ``need``, and what it calls it."""
    found = {}
    for module in MODULES:
        path = Path(str(module.__file__))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "need":
                found[path.name, node.lineno] = str(ast.literal_eval(node.args[1]))
    return found


def noticed(monkeypatch: pytest.MonkeyPatch) -> set[Site]:
    """The demands without which a vector that must be refused is accepted."""
    last: list[Site] = []
    off: set[Site] = set()

    def need(holds: bool, rule: str) -> None:
        frame = sys._getframe(1)
        site = Path(frame.f_code.co_filename).name, frame.f_lineno
        if not holds and site not in off:
            last.append(site)
            raise RefusedError(rule)

    for module in MODULES:
        monkeypatch.setattr(module, "need", need)
    found = set()
    for case in cases():
        off.clear()
        last.clear()
        with pytest.raises(RefusedError):
            case()
        if not last:
            continue  # refused by something else than a demand: a signature, a point, UTF-8
        off.add(last[0])
        try:
            case()
        except (RefusedError, TypeError, ValueError, LookupError, AttributeError, OverflowError):
            continue  # refused all the same, or not to be read
        found |= off
    return found


OTHERWISE = {
    "P-256 key",
    "a later ledger that the header names",
    "an introduced key",
    "base45",
    "byte strings",
    "consistency",
    "cut",
    "date",
    "erased in this ledger",
    "key of a hub",
    "later ledgers",
    "length at the beginning",
    "length of an item",
    "length of the signature",
    "no key twice",
    "no tags",
    "nothing after the end",
    "number of entries",
    "only false, true and null",
    "path",
    "prefix",
    "proof",
    "receipt",
    "signature of 64 bytes",
    "sizes",
    "the end of the day",
}
"""Demands that follow from another one, without which nothing can be read on, that a signature covers as well, or
that are of files not tried here; whoever adds a demand needs a vector for it."""


def test_every_demand_has_a_vector_that_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    listed, found = demands(), noticed(monkeypatch)
    assert set(listed.values()) - {listed[site] for site in found} == OTHERWISE
