"""What the ledger costs beside a bare encrypted table, and a long one alone. See ``scripts/bench/ledger --help``."""

import os
import statistics
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from appliance.clock import SystemClock
from appliance.ledger.archive_keys import ArchiveSigningKey
from appliance.ledger.day_seals import DaySeal, date_of
from appliance.ledger.entry import EntryType
from appliance.ledger.keys import SigningKey
from appliance.ledger.verify import verify_ledger
from appliance.store.appending import Draft
from appliance.store.database import Database
from appliance.store.ledger import OwnLedger
from appliance.store.migrate import migrate
from appliance.store.schema import LEDGER
from tests.bench.report import Figure, arguments, report

BENCH: Final = "ledger"
DESCRIPTION: Final = """Signed appends (entry, sealed body, checkpoint; every commit synchronous) beside a bare insert
of the same bytes, made before the clock starts, into the same kind of encrypted database; receipts, verification, the
seal of a day and opening of a long ledger. Two figures without a target say where the rest of an append goes: beside an
insert that signs as well, and beside rows that are all handed over at once."""
ORIGIN: Final = "bench/1"
BATCH: Final = 1000
CONTENT: Final = {
    "purpose": "visit",
    "channel": "kiosk",
    "assurance": "jpki.authentication",
    "revocation": "not checked",
    "language": "ja",
    "statement": bytes(range(32)),
    "evidence": bytes(range(32, 64)),
    "card": 1,
}
INSERT: Final = "INSERT INTO bare (data) VALUES (?)"
DRAFT: Final = Draft(EntryType.GUARDIAN_AUTHENTICATED, CONTENT, actor=1, subject=1)


@dataclass
class Bench:
    """A ledger and a bare table, each in an encrypted file of its own."""

    folder: Path
    key: bytes

    def __post_init__(self) -> None:
        self.device_key, self.archive_key = SigningKey.make(), ArchiveSigningKey.make()
        self.database = Database.create(self.folder / "ledger.db", self.key)
        migrate(self.database, (LEDGER,))
        ledger = OwnLedger.add(self.database, ORIGIN, self.device_key.public)
        self.ledger = ledger.attach(self.device_key, SystemClock())
        self.bare = Database.create(self.folder / "bare.db", self.key)
        with self.bare.transaction() as transaction:
            transaction.run("CREATE TABLE bare (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT")

    def append(self, count: int) -> None:
        with self.ledger.append() as appending:
            for _ in range(count):
                appending.add(DRAFT)

    def seal(self) -> None:
        """What a day costs: the tree signed with ML-DSA-65, and the entry that records it."""
        size = self.ledger.head().size
        with self.ledger.append() as appending:
            seal = DaySeal(date_of(0), size, self.ledger.checkpoint_at(size, self.archive_key))
            appending.add(Draft(EntryType.DAY_SEALED, seal.content()))

    def prepare(self, count: int) -> None:
        """Makes what the references write: as many rows as ``append`` does, of as many bytes."""
        size = self._bytes_of_a_row(count)
        self.rows = [(os.urandom(size),) for _ in range(count)]

    def insert(self, _: int) -> None:
        """The rows of ``prepare`` one by one, in one transaction."""
        with self.bare.transaction() as transaction:
            for row in self.rows:
                transaction.run(INSERT, row)

    def insert_many(self, _: int) -> None:
        """The same, all rows by one call."""
        with self.bare.transaction() as transaction:
            transaction.run_many(INSERT, self.rows)

    def insert_signed(self, count: int) -> None:
        """The same as ``insert`` with one signature, as every append has one."""
        self.device_key.sign(self.rows[-1][0])
        self.insert(count)

    def close(self) -> None:
        self.database.close()
        self.bare.close()

    def _bytes_of_a_row(self, count: int) -> int:
        found = self.database.row(
            "SELECT length(entry) + length(body) + coalesce(length(head), 0) FROM entry"
            " WHERE (head IS NOT NULL) = ? ORDER BY id DESC LIMIT 1",
            (count == 1,),
        )
        return int(found[0]) if found else 0


def main() -> int:
    parser = arguments(BENCH, DESCRIPTION)
    parser.add_argument("--rounds", type=int, default=9, help="rounds of appends, the median counts (default: 9)")
    parser.add_argument("--entries", type=int, default=1_000_000, help="of the long ledger (default: a million)")
    chosen = parser.parse_args()
    return report(figures(chosen), chosen.json, sys.stdout)


def figures(chosen: Namespace) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="bench-ledger-") as name:
        bench = Bench(Path(name), os.urandom(32))
        bench.append(BATCH)
        bench.append(1)
        single = partial(_beside, bench, 200, 1, chosen.rounds)
        yield single("append_single_per_s", bench.insert, "bare encrypted insert of the same bytes", 0.80)
        yield single("append_single_per_s_of_signed", bench.insert_signed, "the same with one signature")
        batch = partial(_beside, bench, 5 * BATCH, BATCH, chosen.rounds)
        yield batch("append_batch_per_s", bench.insert, "bare encrypted insert of the same bytes", 0.50)
        yield batch("append_batch_per_s_of_many", bench.insert_many, "the same, all rows by one call")
        opened = _opening_ms(bench)
        while bench.ledger.head().size < chosen.entries:
            bench.append(BATCH)
        yield from _long(bench, opened)
        bench.close()


def _beside(
    bench: Bench,
    count: int,
    batch: int,
    rounds: int,
    name: str,
    write: Callable[[int], None],
    words: str,
    target: float | None = None,
) -> Figure:
    """Rows a second in commits of ``batch``; rounds of both kinds in turn, because the disk is shared."""
    bench.prepare(batch)
    ours, bare = [], []
    for _ in range(rounds):
        ours.append(_rate(bench.append, count, batch))
        bare.append(_rate(write, count, batch))
    ratio = statistics.median(one / other for one, other in zip(ours, bare, strict=True))
    reference = statistics.median(bare)
    return Figure(BENCH, name, ratio * reference, "1/s", reference, words, target, more_is_better=True, of_ratio=True)


def _rate(write: Callable[[int], None], count: int, batch: int) -> float:
    begun = time.perf_counter()
    for _ in range(count // batch):
        write(batch)
    return count / (time.perf_counter() - begun)


def _long(bench: Bench, opened_ms: float) -> Iterator[Figure]:
    size = bench.ledger.head().size
    times = [_ms(partial(bench.ledger.receipt, index)) for index in range(0, size, max(1, size // 500))]
    yield Figure(BENCH, "receipt_ms_p50", statistics.median(times), "ms", target=1.0)
    stored = [(one.entry, None) for one in bench.ledger.items(0, size)]
    checkpoint = bench.ledger.head().checkpoint
    ms = _ms(lambda: verify_ledger(stored, checkpoint, ORIGIN, bench.device_key.public))
    yield Figure(BENCH, "verify_entries_per_s", size / ms * 1000, "1/s", target=200_000, more_is_better=True)
    yield Figure(BENCH, "seal_day_ms_p50", statistics.median(_ms(bench.seal) for _ in range(9)), "ms")
    again_ms, short = _opening_ms(bench), "the same with a short ledger"
    yield Figure(BENCH, "open_ms", again_ms, "ms", opened_ms, short, 2.0, of_ratio=True)


def _opening_ms(bench: Bench) -> float:
    """From the file to its head and right edge, as a program does when it starts."""

    def open_anew() -> None:
        with Database.open(bench.database.path, bench.key) as database:
            OwnLedger.find(database, ORIGIN).frontier()

    return statistics.median(_ms(open_anew) for _ in range(9))


def _ms(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    sys.exit(main())
