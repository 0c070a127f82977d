"""The language of an answer, and a sentence in both for everything that is said."""

import ast
import json
import re

import pytest

from appliance.card.service import CardState
from appliance.errors import RefusedError, UnavailableError
from appliance.programs.cli.output import (
    COULD_NOT_RUN,
    PROBLEM,
    CommandFileError,
    explain,
    language,
    say,
    sentence,
    show,
    show_error,
)
from appliance.web.catalogue import MESSAGES, Catalogue, NoSentenceError
from tests.source import ROOT, modules

OWN = "cli-"


class NamelessError(RefusedError):
    code = "test.nameless"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "en"),
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "ja"}, "ja"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "ja_JP.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, "en"),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": ""}, "ja"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
    ],
)
def test_the_locale_decides(environment: dict[str, str], expected: str) -> None:
    assert language(environment) == expected


def said_keys() -> set[str]:
    """The keys of every ``say(...)`` in the command line; card states and verdicts are put together there."""
    keys = {f"card-{state.value}" for state in CardState} | {"card-good", "card-refused"}
    for module in modules():
        if not module.name.startswith("appliance.programs.cli."):
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    keys.add(str(first.value))
                elif isinstance(first, ast.Name):  # one of two keys, chosen a line above
                    text = module.path.read_text(encoding="utf-8")
                    keys |= set(re.findall(rf'{first.id} = "([a-z-]+)" if .* else "([a-z-]+)"', text)[0])
    return keys


def test_everything_that_is_said_has_a_sentence_in_both_languages_and_nothing_is_left_over() -> None:
    sentences = Catalogue(MESSAGES)
    errors = {"cli-file", "cli-password", "cli-pin_source"}
    for one in ("ja", "en"):
        own = {key for key in sentences.keys(one) if key.startswith(OWN) and "." not in key}
        assert own - errors == {OWN + key for key in said_keys()}


def test_both_languages_use_the_same_fields() -> None:
    fields = {}
    for one in ("ja", "en"):
        text = (ROOT / "appliance/web/messages" / one / "cli.ftl").read_text(encoding="utf-8")
        parts = re.split(r"^(?=[a-z])", text, flags=re.MULTILINE)
        fields[one] = {part.split(" ")[0]: sorted(set(re.findall(r"\$(\w+)", part))) for part in parts if "=" in part}
    assert fields["ja"] == fields["en"]


def test_a_sentence_takes_plain_fields_and_loses_its_readings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    assert say("sync-oldest", at="2026-11-21") == "いちばん古い未着の記録: 2026-11-21"
    assert "《" not in sentence("card.wrong_pin", {"tries_left": 2, "other": [1]}, "means")
    with pytest.raises(NoSentenceError):
        say("nothing")
    with pytest.raises(NoSentenceError):
        say("sync-oldest")


def test_an_error_is_explained_or_at_least_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    words = explain(CommandFileError(file="/x", reason="No such file or directory"))
    assert words.startswith("/x cannot be used: No such file or directory")
    assert words.endswith("[cli.file file=/x reason=No such file or directory]")
    assert explain(NamelessError(line=3)) == "test.nameless line=3"


def test_an_error_is_json_on_standard_output_and_words_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert show_error(NamelessError(line=3), as_json=True) == PROBLEM
    out, err = capsys.readouterr()
    assert json.loads(out) == {"error": "test.nameless", "line": 3}
    assert err == "appliance: test.nameless line=3\n"
    assert show_error(UnavailableError(), as_json=False) == COULD_NOT_RUN
    assert capsys.readouterr().out == ""


def test_a_result_is_one_line_of_json_or_words(capsys: pytest.CaptureFixture[str]) -> None:
    show({"name": "見本"}, True, "words")
    show({"name": "見本"}, False, "words")
    assert capsys.readouterr().out == '{"name": "見本"}\nwords\n'
