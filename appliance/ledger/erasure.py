"""What the ledger that is written says of an earlier one, which is closed: bodies of entries were erased there.

References of an entry lead into its own ledger, so an entry ``earlier_body.erased`` names the other ledger and the
indices in its body, which is never erased itself. It speaks of earlier generations of its own writer's ledger only:
nobody can have another school's bodies erased.
"""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

from appliance.errors import UntrustedError
from appliance.ledger.encoding import EncodingError
from appliance.ledger.entry import Body, Entry, EntryFormError, EntryType

MOST_INDICES = 256
"""Bodies that one entry names at most, as with ``body.erased``."""
GENERATION = re.compile("[1-9][0-9]{0,8}")


class ErasureFormError(UntrustedError):
    """An entry ``earlier_body.erased`` of another form, or one that speaks of no earlier ledger of its writer."""

    code = "ledger.erasure"


@dataclass(frozen=True, slots=True)
class EarlierErasure:
    """``indices`` are those of entries of the ledger ``origin``, in rising order; ``rule`` names the legal reason."""

    origin: str
    indices: tuple[int, ...]
    rule: str

    def content(self) -> dict[str, Any]:
        """The content of the entry's body."""
        return {"origin": self.origin, "indices": list(self.indices), "rule": self.rule}

    @classmethod
    def read(cls, body: Body, writer: str) -> Self:
        """From the body of an entry of the ledger ``writer``; raises ``ErasureFormError``."""
        try:
            content: object = body.read()
        except (EncodingError, EntryFormError) as error:
            raise ErasureFormError(reason="form") from error
        match content:
            case {"origin": str(origin), "indices": list(indices), "rule": str(rule), **others} if not others:
                found = cls(origin, tuple(indices), rule)
            case _:
                raise ErasureFormError(reason="form")
        if not all(type(one) is int and one >= 0 for one in indices) or not 0 < len(indices) <= MOST_INDICES:
            raise ErasureFormError(reason="indices")
        if any(one >= other for one, other in pairwise(indices)):
            raise ErasureFormError(reason="indices")
        if not is_earlier(origin, writer):
            raise ErasureFormError(reason="no earlier ledger of the writer")
        return found


def erasure_of(entry: Entry, body: Body | None, writer: str) -> EarlierErasure | None:
    """What the entry says was erased in an earlier ledger; None for any other entry, and for one without its body.

    The body is one that the entry committed to. Raises ``ErasureFormError``.
    """
    kind = EntryType.EARLIER_BODY_ERASED
    if body is None or (entry.type, entry.version) != (kind.number, kind.version):
        return None
    return EarlierErasure.read(body, writer)


def is_earlier(origin: str, writer: str) -> bool:
    """Whether both names are of one ledger and ``origin`` has the smaller generation, which is a name's last part."""
    (whose, _, number), (own, _, now) = origin.rpartition("/"), writer.rpartition("/")
    generations = GENERATION.fullmatch(number), GENERATION.fullmatch(now)
    return whose == own and bool(whose) and all(generations) and int(number) < int(now)
