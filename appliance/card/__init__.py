"""The reader and the card on it. Start with ``jpki`` (what the card is asked) and ``desk`` (who may ask it)."""
