"""Readers that tell a report of every exchange: header, lengths, status word and time, and nothing else."""

import time

from appliance.card.connection import CardProtocolError
from appliance.card.readers import PoweredCard, Readers, Sighting
from appliance.errors import UnavailableError
from tests.hardware.report import Report


class RecordedCard:
    """Lies below the wrappers of a conversation, so that whatever they send is recorded. A ``PoweredCard``."""

    def __init__(self, card: PoweredCard, report: Report) -> None:
        self.card = card
        self._report = report

    @property
    def reader(self) -> str:
        return self.card.reader

    def transmit(self, command: bytes | bytearray) -> tuple[bytes, int]:
        header, sent, began = bytes(command[:4]).hex().upper(), len(command), time.perf_counter()
        try:
            data, sw = self.card.transmit(command)
        except (UnavailableError, CardProtocolError) as error:
            self._report.exchange(header, sent, 0, error.code, (time.perf_counter() - began) * 1000)
            raise
        self._report.exchange(header, sent, len(data), f"{sw:04X}", (time.perf_counter() - began) * 1000)
        return data, sw

    def close(self) -> None:
        self.card.close()


class RecordedReaders:
    """Implements ``Readers`` with the cards of others."""

    def __init__(self, readers: Readers, report: Report) -> None:
        self._readers = readers
        self._report = report

    def wait(self, timeout_s: float) -> Sighting:
        return self._readers.wait(timeout_s)

    def open(self, reader: str = "") -> RecordedCard:
        return RecordedCard(self._readers.open(reader), self._report)

    def power_off(self) -> bool:
        return self._readers.power_off()

    def wake(self) -> None:
        self._readers.wake()

    def close(self) -> None:
        self._readers.close()
