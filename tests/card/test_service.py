from appliance.card.service import CardRead


def test_printing_a_read_shows_no_certificate() -> None:
    read = CardRead(b"certificate", "card", "Table 00", 2, 1479, 3)
    assert "certificate" not in repr(read)
    assert "exchanges=2" in repr(read)
