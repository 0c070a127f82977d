"""The file says the same after its journey, and nothing else is taken for one."""

import pytest

from appliance.ledger.encoding import decode, encode
from appliance.ledger.evidence import EvidenceOpener
from appliance.ledger.evidence_file import FORM, EvidenceFile, EvidenceFileError
from tests.sim.card.hierarchy import Hierarchy
from tests.sim.evidence import Epoch, make_statement
from tests.trust.material import issued

VERIFIER = EvidenceOpener.make()


@pytest.fixture
def file(hierarchy: Hierarchy) -> EvidenceFile:
    return Epoch(VERIFIER).act(issued(hierarchy), make_statement())


def test_it_is_read_as_it_was_written(file: EvidenceFile) -> None:
    data = file.to_bytes()
    assert EvidenceFile.from_bytes(data) == file
    assert decode(data)[0] == FORM == "madoguchi evidence file 1"


def test_other_forms_are_refused(file: EvidenceFile) -> None:
    good = decode(file.to_bytes())
    wrong: list[object] = [["madoguchi evidence file 2", *good[1:]], good[:-1], [*good, b""], {}, "text"]
    wrong += [[*good[:at], other, *good[at + 1 :]] for at, other in enumerate([0, b"", -1, b"short", [], [b"", b""]])]
    wrong.append([*good[:4], [b"short", *good[4][1:]], good[5]])
    for one in wrong:
        with pytest.raises(EvidenceFileError):
            EvidenceFile.from_bytes(encode(one))


def test_what_is_no_deterministic_cbor_is_refused(file: EvidenceFile) -> None:
    data = file.to_bytes()
    for one in (b"", b"\xff", data[:-1], data + b"\0", b"PK\x03\x04"):
        with pytest.raises(EvidenceFileError):
            EvidenceFile.from_bytes(one)
