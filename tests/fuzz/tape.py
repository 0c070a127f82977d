"""The bytes of a fuzzer as a row of choices, read from front to back so that a seed can be written down as one."""


class Tape:
    """Never runs out: behind its end every byte is 0 and every run of bytes is empty."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    @property
    def ended(self) -> bool:
        return self._place >= len(self._data)

    def byte(self) -> int:
        return next(iter(self.take(1)), 0)

    def word(self) -> int:
        """Two bytes, the larger one first."""
        return self.byte() << 8 | self.byte()

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes, or as many as there are."""
        taken = self._data[self._place : self._place + count]
        self._place += count
        return taken

    def rest(self) -> bytes:
        return self.take(len(self._data))

    def copy(self) -> "Tape":
        """What is left, to be read once more."""
        return Tape(self._data[self._place :])
