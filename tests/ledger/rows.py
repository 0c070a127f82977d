"""Ledgers from rows that say anything, properly signed all the same: what is wrong with a row is all that is wrong."""

from hashlib import sha256
from typing import Any

from appliance.ledger.checkpoint import sign_checkpoint
from appliance.ledger.encoding import encode
from appliance.ledger.entry import Body, Entry
from appliance.ledger.export import END as END_KIND
from appliance.ledger.export import ENTRY, FORMAT, VERSION
from appliance.ledger.keys import Signer
from appliance.ledger.merkle import Frontier, leaf_hash
from tests.ledger import material as m

VISIT = 17
Fields = dict[str, Any]


class Rows:
    """Opened, and then what ``add`` is given; ``entries`` and ``bodies`` are what it has become."""

    def __init__(self, origin: str = m.ORIGIN) -> None:
        self.origin = origin
        self.entries: list[bytes] = []
        self.bodies: list[Body | None] = []
        self._start = 0
        self.add(1, {"origin": origin})

    def add(
        self,
        kind: int = VISIT,
        content: dict[str, Any] | bytes | None = None,
        *,
        version: int = 1,
        time_ms: int | None = None,
        boot: int | None = None,
        refs: tuple[int, ...] = (),
        gone: bool = False,
    ) -> "Rows":
        """A row a minute after the one before, in the boot that is current, unless it says something else."""
        index = len(self.entries)
        if kind in (1, 2):
            self._start = index
        content = {"purpose": "visit"} if content is None else content
        body = Body(bytes([index % 256]) * 16, content if isinstance(content, bytes) else encode(content))
        when = m.FIRST_MS + 60_000 * index if time_ms is None else time_ms
        begun = self._start if boot is None else boot
        entry = Entry(kind, version, when, begun, 1_000 * index, 0, 0, refs, body.commitment())
        self.entries.append(entry.encode())
        self.bodies.append(None if gone else body)
        return self

    def root(self) -> bytes:
        frontier = Frontier()
        for entry in self.entries:
            frontier.append(leaf_hash(entry))
        return frontier.root()

    def signed(self, key: Signer = m.BOX) -> bytes:
        """The checkpoint of all."""
        size = len(self.entries)
        return sign_checkpoint(self.origin, size, self.root(), m.signed_s(size), key)

    def fields(self, **change: object) -> Fields:
        """Those of the header."""
        return {
            "origin": self.origin,
            "size": len(self.entries),
            "whole": True,
            "bodies": True,
            "keys": [[0, m.BOX.public.spki]],
            "hub": None,
            "time": m.FIRST_S + 3_600,
        } | change

    def items(self, key: Signer = m.BOX, **change: object) -> list[Any]:
        """Those of the export, without a confirmation."""
        fields = self.fields(**change)
        rows = zip(self.entries, self.bodies, strict=True)
        shown = [
            [ENTRY, entry, [body.salt, body.content] if body is not None and fields["bodies"] else None]
            for entry, body in rows
        ]
        return [[FORMAT, VERSION, fields], *shown, [END_KIND, self.signed(key), b""]]

    def export(self, key: Signer = m.BOX, **change: object) -> bytes:
        return m.sequence(self.items(key, **change))

    def under(self, header: bytes) -> bytes:
        """The export under a header of these bytes."""
        _, *shown, (kind, checkpoint, _) = self.items()
        data = header + b"".join(map(encode, shown))
        return data + encode([kind, checkpoint, sha256(data).digest()])
