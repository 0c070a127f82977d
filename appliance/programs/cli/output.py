"""How every sub-command speaks: words for a person in the language of the locale, or JSON objects for a program."""

import json
import os
import sys
from collections.abc import Mapping
from functools import cache

from appliance.errors import ConfigError, Field, MadoguchiError, UnavailableError
from appliance.web.catalogue import MESSAGES, Catalogue, NoSentenceError, plain

FINE, PROBLEM, COULD_NOT_RUN = 0, 1, 2


class CommandFileError(ConfigError):
    """A file named on the command line that cannot be read or written."""

    code = "cli.file"


def language(environment: Mapping[str, str] = os.environ) -> str:
    """``ja`` for a Japanese locale, else ``en``; the first of the variables that is set decides (POSIX, 8.2)."""
    chosen = next((found for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (found := environment.get(name))), "")
    return "ja" if chosen.startswith("ja") else "en"


def sentence(code: str, fields: Mapping[str, object], part: str = "") -> str:
    """The catalogue's sentence for a code, without readings; raises ``NoSentenceError``."""
    plain_fields = {name: value for name, value in fields.items() if isinstance(value, str | int | bool)}
    return plain(_catalogue().text(language(), code, part, **plain_fields))


def say(key: str, **fields: Field) -> str:
    """A sentence of the command line's own: ``cli-KEY`` in the catalogue."""
    return sentence(f"cli-{key}", fields)


def explain(error: MadoguchiError) -> str:
    """What happened and what to do, then the code and its fields for who looks it up."""
    try:
        stop = "。" if language() == "ja" else ". "
        words = f"{sentence(error.code, error.fields)}{stop}{sentence(error.code, error.fields, 'next')}"
    except NoSentenceError:
        return str(error)
    return f"{words} [{error}]"


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


@cache
def _catalogue() -> Catalogue:
    return Catalogue(MESSAGES)
