"""All rows of a database as one compressed stream, and back: what a backup holds of it.

The stream is a Zstandard frame (RFC 8878) of records, each deterministic CBOR behind its length in four bytes:
``["table", name, [columns]]``, then ``["rows", [...]]`` as often as needed, and at the end ``["end", rows in all]``. A
table follows those that it refers to. Two equal databases give equal streams.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, BinaryIO

import zstandard

from appliance.errors import UntrustedError
from appliance.ledger.encoding import EncodingError, encode, parse
from appliance.store.database import Database, Row, Transaction

KEY_TABLES = ("secret", "body_seed")
"""What opens bodies and pseudonyms: kept apart from everything else (docs/decisions/0010)."""
LEFT_OUT = ("migration", "signal", "staff_session")
"""Made anew by the database itself, or true of the running box only."""
LENGTH_BYTES, MOST_RECORD_BYTES = 4, 256 << 20
ROWS_AT_ONCE, BYTES_AT_ONCE = 512, 256 << 10
PART_BYTES = 64 << 10
COMPRESSION_LEVEL = 6
Counted = Callable[[int], None]
"""Told how many rows were done since it was told last."""


class DumpError(UntrustedError):
    """What was sealed is no dump of a database of this kind; ``reason`` says why."""

    code = "backup.content"


def tables(database: Database) -> list[str]:
    """Those that a backup holds, each after the ones that it refers to; the key tables aside."""
    found = database.rows(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY rowid"
    )
    return [name for (name,) in found if name not in (*KEY_TABLES, *LEFT_OUT)]


def count_rows(database: Database, names: Iterable[str]) -> int:
    return sum(int((database.row(f"SELECT count(*) FROM {name}") or (0,))[0]) for name in names)  # noqa: S608


def dump(database: Database, names: Iterable[str], counted: Counted = lambda _: None) -> Iterator[bytes]:
    """The stream, part by part; read in one snapshot by who wants one state."""
    packer = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL).chunker(chunk_size=PART_BYTES)
    for record in _records(database, names, counted):
        yield from packer.compress(len(record).to_bytes(LENGTH_BYTES) + record)
    rest: Iterator[bytes] = packer.finish()  # type: ignore[no-untyped-call]
    yield from rest


class Loader:
    """Writes the rows of a stream into a database whose tables are there and empty; ``check`` only reads them."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = names

    def check(self, file: BinaryIO, counted: Counted = lambda _: None) -> int:
        """Reads to the end of the stream; how many rows there are. Raises ``DumpError``."""
        done = 0
        for _, _, rows in self._read(file):
            done += len(rows)
            counted(len(rows))
        return done

    def load(self, file: BinaryIO, database: Database, counted: Counted = lambda _: None) -> None:
        """In many short transactions; raises ``DumpError``, or a fault of the database."""
        for name, columns, rows in self._read(file):
            known = {str(one[0]) for one in database.rows("SELECT name FROM pragma_table_info(?)", (name,))}
            if not columns or not known.issuperset(columns):
                raise DumpError(reason="columns")
            places = ", ".join("?" * len(columns))
            sql = f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608
            with database.transaction() as transaction:
                _insert(transaction, sql, rows)
            counted(len(rows))

    def _read(self, file: BinaryIO) -> Iterator[tuple[str, list[str], list[Row]]]:
        """(table, columns, rows), again and again; each table is one that is expected, and the end is there."""
        name, columns, done = "", list[str](), 0
        for kind, *parts in _unpacked(file):
            match kind, parts:
                case "table", [str(name), list(columns)] if name in self._names and all(
                    type(one) is str for one in columns
                ):
                    pass
                case "rows", [list(rows)] if name and all(
                    type(one) is list and len(one) == len(columns) for one in rows
                ):
                    done += len(rows)
                    yield name, columns, rows
                case "end", [count] if count == done:
                    return
                case _:
                    raise DumpError(reason="records")
        raise DumpError(reason="end")


def _insert(transaction: Transaction, sql: str, rows: list[Row]) -> None:
    try:
        transaction.run_many(sql, rows)
    except (ValueError, OverflowError) as error:  # a number that SQLite has no room for
        raise DumpError(reason="rows") from error


def _records(database: Database, names: Iterable[str], counted: Counted) -> Iterator[bytes]:
    done = 0
    for name in names:
        columns = [str(one[0]) for one in database.rows("SELECT name FROM pragma_table_info(?)", (name,))]
        yield encode(["table", name, columns])
        for rows in _portions(database.each(f"SELECT * FROM {name}")):  # noqa: S608
            done += len(rows)
            yield encode(["rows", rows])
            counted(len(rows))
    yield encode(["end", done])


def _portions(rows: Iterator[Row]) -> Iterator[list[Row]]:
    portion: list[Row] = []
    weight = 0
    for row in rows:
        portion.append(row)
        weight += sum(len(one) for one in row if isinstance(one, bytes | str))
        if len(portion) == ROWS_AT_ONCE or weight >= BYTES_AT_ONCE:
            yield portion
            portion, weight = [], 0
    if portion:
        yield portion


def _unpacked(file: BinaryIO) -> Iterator[list[Any]]:
    try:
        with zstandard.ZstdDecompressor().stream_reader(file, closefd=False) as reader:
            while head := _exactly(reader, LENGTH_BYTES):
                length = int.from_bytes(head)
                record = parse(_exactly(reader, length)) if 0 < length <= MOST_RECORD_BYTES else None
                if not isinstance(record, list) or not record:
                    raise DumpError(reason="records")
                yield record
    except (zstandard.ZstdError, EncodingError) as error:
        raise DumpError(reason="records") from error


def _exactly(reader: Any, length: int) -> bytes:
    """So many bytes, or none at the end; raises ``DumpError`` for what ends in between."""
    found = bytearray()
    while len(found) < length and (part := reader.read(length - len(found))):
        found += part
    if found and len(found) != length:
        raise DumpError(reason="end")
    return bytes(found)
