import hashlib

import cbor2

from appliance.programs.cli.statement import DOMAIN, statement_digest


def test_the_statement_is_separated_and_deterministic() -> None:
    digest = statement_digest("設置確認", b"n" * 16, 1_790_000_000)
    expected = cbor2.dumps([DOMAIN, "設置確認", b"n" * 16, 1_790_000_000])
    assert digest == hashlib.sha256(expected).digest()
    assert expected[:2] == bytes([0x84, 0x78])  # an array of four, beginning with a text of one length byte


def test_every_part_counts() -> None:
    digests = {
        statement_digest("a", b"n", 1),
        statement_digest("b", b"n", 1),
        statement_digest("a", b"m", 1),
        statement_digest("a", b"n", 2),
    }
    assert len(digests) == 4
