"""What a terminal is told: the language of the locale, and words even for an error that has none."""

import pytest

from appliance.errors import RefusedError
from appliance.web.catalogue import NoSentenceError
from appliance.web.console import explain, language, sentence


class WordlessError(RefusedError):
    code = "test.wordless"


class TriesError(RefusedError):
    code = "card.wrong_pin"  # of the catalogue; its class is elsewhere


def test_the_locale_decides() -> None:
    found = [
        language(one) for one in ({}, {"LANG": "ja_JP.UTF-8"}, {"LANG": "ja", "LC_ALL": "C"}, {"LC_MESSAGES": "ja"})
    ]
    assert found == ["en", "ja", "en", "ja"]


def test_readings_are_left_out_and_fields_that_are_no_words_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    words = sentence("card.wrong_pin", {"tries_left": 2, "other": [1]})
    assert words
    assert "《" not in words
    with pytest.raises(NoSentenceError):
        sentence("nothing", {})


@pytest.mark.parametrize(("locale", "stop"), [("ja_JP.UTF-8", "。"), ("C", ". ")])
def test_an_error_is_explained_with_its_code_at_the_end(
    monkeypatch: pytest.MonkeyPatch, locale: str, stop: str
) -> None:
    monkeypatch.setenv("LC_ALL", locale)
    words = explain(TriesError(tries_left=2))
    assert stop in words
    assert words.endswith("[card.wrong_pin tries_left=2]")
    assert explain(WordlessError(line=3)) == "test.wordless line=3"
