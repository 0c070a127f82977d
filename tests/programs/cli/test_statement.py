import cbor2

from appliance.programs.cli.statement import DOMAIN, statement_message


def test_the_statement_is_separated_and_deterministic() -> None:
    message = statement_message("設置確認", b"n" * 16, 1_790_000_000)
    expected = cbor2.dumps([DOMAIN, "設置確認", b"n" * 16, 1_790_000_000])
    assert message == expected
    assert expected[:2] == bytes([0x84, 0x78])  # an array of four, beginning with a text of one length byte


def test_every_part_counts() -> None:
    messages = {
        statement_message("a", b"n", 1),
        statement_message("b", b"n", 1),
        statement_message("a", b"m", 1),
        statement_message("a", b"n", 2),
    }
    assert len(messages) == 4
