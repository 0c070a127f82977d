"""Sentences for people, by language and key, in Fluent files (``messages/LANGUAGE/*.ftl``).

An error's code is a key (with ``.`` written ``-``); its attributes ``.means`` and ``.next`` say what it means for the
person and what to do. Japanese may carry readings as ``｜漢字《かんじ》``, which a page draws as ruby.
"""

import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from fluent.runtime import FluentBundle, FluentResource
from fluent.syntax import ast
from markupsafe import Markup, escape

from appliance.errors import ConfigError, Field

RUBY = re.compile(r"｜([^《》｜]+)《([^《》｜]+)》")
PHRASE = re.compile(rf"(?:{RUBY.pattern}|[^\s。、])+[。、]*")
DEFAULT_LANGUAGE = "ja"
MESSAGES: Traversable = files("appliance.web") / "messages"
"""All sentences of the product."""


class NoSentenceError(ConfigError):
    """A key that a language has no sentence for, or a sentence that lacks a field."""

    code = "web.no_sentence"


class MessageFileError(ConfigError):
    """A file of sentences with something that is none, or with a key that its language has already."""

    code = "web.message_file"


class Catalogue:
    """All languages that a folder holds, one sub-folder each; the first of ``languages`` is the one to begin with.

    Raises ``MessageFileError`` for a file that is not understood to its last line.
    """

    def __init__(self, folder: Traversable) -> None:
        self._bundles: dict[str, FluentBundle] = {}
        self._keys: dict[str, set[str]] = {}
        names = sorted(one.name for one in folder.iterdir() if one.is_dir())
        self.languages = tuple(sorted(names, key=lambda name: (name != DEFAULT_LANGUAGE, name)))
        for language in self.languages:
            bundle = FluentBundle([language], use_isolating=False)
            found: set[str] = set()
            for file in sorted((folder / language).iterdir(), key=lambda one: one.name):
                resource = FluentResource(file.read_text(encoding="utf-8"))
                bundle.add_resource(resource)
                _add_keys(found, resource, f"{language}/{file.name}")
            self._bundles[language], self._keys[language] = bundle, found

    def keys(self, language: str) -> set[str]:
        """Every key of a language, attributes as ``key.attribute``."""
        return set(self._keys[language])

    def text(self, language: str, key: str, part: str = "", /, **fields: Field) -> str:
        """The sentence as stored, readings included; ``part`` names an attribute. Raises ``NoSentenceError``."""
        bundle, name = self._bundles.get(language), key.replace(".", "-")
        message = bundle.get_message(name) if bundle is not None and bundle.has_message(name) else None
        pattern = None if message is None else message.attributes.get(part) if part else message.value
        if bundle is None or pattern is None:
            raise NoSentenceError(key=key, language=language)
        text, faults = bundle.format_pattern(pattern, fields)
        if faults:
            raise NoSentenceError(key=key, language=language, reason=str(faults[0]))
        return str(text)


def _add_keys(known: set[str], resource: Any, file: str) -> None:
    """Adds the keys of a parsed file to those of its language; raises ``MessageFileError``."""
    for entry in resource.body:
        if isinstance(entry, ast.Junk):
            raise MessageFileError(file=file, line=(entry.content or "").partition("\n")[0])
        if isinstance(entry, ast.Message):
            if entry.id.name in known:  # the library would keep the first and say nothing
                raise MessageFileError(file=file, line=entry.id.name)
            known.add(entry.id.name)
            known |= {f"{entry.id.name}.{attribute.id.name}" for attribute in entry.attributes}


def with_ruby(text: str) -> Markup:
    """HTML in which readings stand above their characters; a line never ends inside a phrase that has one."""
    return Markup(PHRASE.sub(_draw_phrase, str(escape(text))))  # noqa: S704 - escaped just before


def _draw_phrase(found: re.Match[str]) -> str:
    drawn, readings = RUBY.subn(r"<ruby>\1<rt>\2</rt></ruby>", found[0])
    if not readings:
        return drawn
    # Browsers break a line after a ruby element, or inside it, whatever the text around it wants; and between two
    # unbroken phrases only where they are told.
    return f'<span class="phrase">{drawn}</span>{"<wbr>" if drawn[-1] in "。、" else ""}'


def plain(text: str) -> str:
    """The same text without readings, as it is signed and spoken."""
    return RUBY.sub(r"\1", text)
