"""How every sub-command speaks: words for a person in the language of the locale, or JSON objects for a program."""

import json
import sys
from collections.abc import Mapping

from appliance.errors import ConfigError, Field, MadoguchiError, UnavailableError
from appliance.web.console import explain, language, sentence, state

__all__ = [
    "COULD_NOT_RUN",
    "FINE",
    "PROBLEM",
    "CommandFileError",
    "explain",
    "language",
    "say",
    "sentence",
    "show",
    "show_error",
    "show_progress",
    "state",
]
FINE, PROBLEM, COULD_NOT_RUN = 0, 1, 2


class CommandFileError(ConfigError):
    """A file named on the command line that cannot be read or written."""

    code = "cli.file"


def say(key: str, **fields: Field) -> str:
    """A sentence of the command line's own: ``cli-KEY`` in the catalogue."""
    return sentence(f"cli-{key}", fields)


def show_error(error: MadoguchiError, as_json: bool) -> int:
    """Prints the error where it belongs; returns the exit code."""
    status = COULD_NOT_RUN if isinstance(error, ConfigError | UnavailableError) else PROBLEM
    if as_json:
        print(json.dumps({"error": error.code, **error.fields}, ensure_ascii=False))
    print(f"appliance: {explain(error)}", file=sys.stderr)
    return status


def show(result: Mapping[str, object], as_json: bool, words: str) -> None:
    """Prints the result as one line of JSON, or the words."""
    print(json.dumps(result, ensure_ascii=False) if as_json else words)


def show_progress(done: int, total: int) -> None:
    """How far long work has come, on one line of a terminal that is wiped at the end; nothing where nobody watches."""
    if not sys.stderr.isatty() or not total:
        return
    line = say("progress", done=done, total=total, percent=100 * done // total)
    print(f"\r\x1b[K{line if done < total else ''}", end="", file=sys.stderr, flush=True)
