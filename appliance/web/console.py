"""Sentences for who reads them in a terminal: in the language of the locale, without readings."""

import os
from collections.abc import Mapping
from functools import cache

from appliance.errors import MadoguchiError
from appliance.web.catalogue import MESSAGES, Catalogue, NoSentenceError, plain


def language(environment: Mapping[str, str] = os.environ) -> str:
    """``ja`` for a Japanese locale, else ``en``; the first of the variables that is set decides (POSIX, 8.2)."""
    chosen = next((found for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (found := environment.get(name))), "")
    return "ja" if chosen.startswith("ja") else "en"


def sentence(code: str, fields: Mapping[str, object], part: str = "") -> str:
    """The catalogue's sentence for a code, without readings; raises ``NoSentenceError``."""
    plain_fields = {name: value for name, value in fields.items() if isinstance(value, str | int | bool)}
    return plain(_catalogue().text(language(), code, part, **plain_fields))


def explain(error: MadoguchiError) -> str:
    """What happened and what to do, then the code and its fields for who looks it up."""
    try:
        stop = "。" if language() == "ja" else ". "
        words = f"{sentence(error.code, error.fields)}{stop}{sentence(error.code, error.fields, 'next')}"
    except NoSentenceError:
        return str(error)
    return f"{words} [{error}]"


def state(error: MadoguchiError) -> str:
    """What happened, then the code and its fields; for where the same advice stands below several of them."""
    try:
        return f"{sentence(error.code, error.fields)} [{error}]"
    except NoSentenceError:
        return str(error)


@cache
def _catalogue() -> Catalogue:
    return Catalogue(MESSAGES)
