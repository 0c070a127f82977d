"""How every sub-command speaks: a line for a person, or one JSON object for a program."""

import json
import locale
import os
import sys
from collections.abc import Mapping

from appliance.errors import ConfigError, MadoguchiError, UnavailableError
from appliance.web.catalogue import Catalogue, NoSentenceError, plain
from appliance.web.site import MESSAGES

FINE, PROBLEM, COULD_NOT_RUN = 0, 1, 2


def language() -> str:
    """``ja`` for a Japanese locale, else ``en``."""
    chosen = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "ja" if chosen.startswith("ja") or (locale.getlocale()[0] or "").startswith("ja") else "en"


def sentence(code: str, fields: Mapping[str, object], part: str = "") -> str:
    """The catalogue's sentence for a code, without readings."""
    plain_fields = {name: value for name, value in fields.items() if isinstance(value, str | int | bool)}
    return plain(Catalogue(MESSAGES).text(language(), code, part, **plain_fields))


def explain(error: MadoguchiError) -> str:
    """What happened and what to do, then the code and its fields for who looks it up."""
    try:
        words = f"{sentence(error.code, error.fields)} {sentence(error.code, error.fields, 'next')}"
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
    """Prints the result as JSON or as words."""
    print(json.dumps(result, ensure_ascii=False) if as_json else words)
