"""One JSON object a line on standard error, for journald and for people with ``jq``.

An event has a dotted name and fields that are numbers, short texts or booleans. Bytes are refused: keys, PINs and
certificates are bytes, so none of them can be logged by mistake.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path

from appliance.errors import Field

ROOT = "madoguchi"


class EventLog:
    """Writes events of one program."""

    def __init__(self, program: str) -> None:
        self._logger = logging.getLogger(f"{ROOT}.{program}")
        self.program = program

    def info(self, event: str, **fields: Field) -> None:
        self._write(logging.INFO, event, fields)

    def warning(self, event: str, **fields: Field) -> None:
        self._write(logging.WARNING, event, fields)

    def error(self, event: str, **fields: Field) -> None:
        self._write(logging.ERROR, event, fields)

    def debug(self, event: str, **fields: Field) -> None:
        self._write(logging.DEBUG, event, fields)

    def _write(self, level: int, event: str, fields: dict[str, Field]) -> None:
        for name, value in fields.items():
            if not isinstance(value, str | int | float | bool | None):
                raise TypeError(f"field {name} of {event} is a {type(value).__name__}, not a plain value")
        self._logger.log(level, event, extra={"fields": fields})


def place(error: BaseException) -> str:
    """Where an unexpected error came from, ``file:line``: its own text may quote what a person typed."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return "" if at is None else f"{Path(at.tb_frame.f_code.co_filename).name}:{at.tb_lineno}"


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON with ``at`` (UTC, ISO 8601), ``level``, ``program``, ``event``."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        program = record.name.removeprefix(f"{ROOT}.")
        line: dict[str, object] = {"at": at, "level": record.levelname.lower(), "program": program}
        fields = getattr(record, "fields", None)
        if fields is None:  # a library's own message
            line |= {"event": "library", "message": record.getMessage()}
        else:
            line |= {"event": record.msg, **fields}
        if record.exc_info and record.exc_info[0] is not None:
            # The type and place only: the text of a foreign exception may quote what it was given.
            line["exception"] = record.exc_info[0].__name__
        return json.dumps(line, ensure_ascii=False)


def start_logging(level: str) -> None:
    """Sends everything to standard error as JSON lines; libraries only from ``warning`` up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(ROOT).setLevel(level.upper())
