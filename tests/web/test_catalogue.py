"""Every error has its words in every language, the words fit the error, and guardians can read them.

What is not seen: an error whose class is only in a variable (``card/ipc.py`` makes again what ``cardd`` raised, with
the fields that came over the socket), fields that are added to an error after it was made, and a field whose value
turns out to be None, which no sentence can fill in.
"""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

from appliance.errors import Field
from appliance.programs.kiosk.conductor import LOST
from appliance.web.catalogue import (
    MESSAGES,
    PHRASE,
    RUBY,
    Catalogue,
    MessageFileError,
    NoSentenceError,
    plain,
    with_ruby,
)
from tests.source import ROOT, modules
from tests.web.sentences import Sentence, calls_of, constants, error_kinds, errors_made, sentences

PARTS = ("", "means", "next")
READ_BY_GUARDIANS = ("errors.ftl", "kiosk.ftl")
MET_BY_GUARDIANS = ("card.", "reader.", "cardd.", "link.code", "link.too_many", "link.needed", "store.busy")
IDEOGRAPH = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff々〆]")
RUBY_HTML = re.compile(r"<ruby>(.*?)<rt>.*?</rt></ruby>")
LONGEST_PHRASE = 14
"""Characters that the kiosk's largest type sets in one line of a narrow column."""
KANA = re.compile(r"[\u3041-\u3096ー]+")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue(MESSAGES)


@pytest.fixture(scope="module")
def written() -> list[Sentence]:
    return sentences()


def key(code: str) -> str:
    return code.replace(".", "-")


def folder(tmp_path: Path, **files: str) -> Path:
    """A catalogue of one language with these files."""
    (tmp_path / "ja").mkdir()
    for name, text in files.items():
        (tmp_path / "ja" / f"{name}.ftl").write_text(text, encoding="utf-8")
    return tmp_path


# The words are there.


def test_every_error_says_what_happened_what_it_means_and_what_is_next(catalogue: Catalogue) -> None:
    kinds = error_kinds()
    assert len(kinds) > 100
    wanted = {f"{key(kind.code)}.{part}".rstrip(".") for kind in kinds for part in PARTS}
    assert {(language, one) for language in catalogue.languages for one in wanted - catalogue.keys(language)} == set()


def test_every_health_problem_has_all_three(catalogue: Catalogue) -> None:
    codes = {code for code, _ in health_problems()}
    assert len(codes) > 8
    wanted = {f"{key(code)}.{part}".rstrip(".") for code in codes for part in PARTS}
    assert all(wanted <= catalogue.keys(language) for language in catalogue.languages)


def test_every_code_of_an_error_page_has_all_three(catalogue: Catalogue) -> None:
    said = [node for call in calls_of("appliance.web.site", "page") for node in ast.walk(call.args[0])]
    codes = {one.value for one in said if isinstance(one, ast.Constant) and "." in str(one.value)}
    assert codes >= {"web.not_found", "web.bad_request", "web.unknown_host", "box.error"}
    for language in catalogue.languages:
        assert all(catalogue.text(language, str(code), part) for code in codes for part in PARTS)


def test_every_language_has_the_same_keys(catalogue: Catalogue) -> None:
    assert {language: catalogue.keys(language) ^ catalogue.keys("ja") for language in catalogue.languages} == {
        language: set() for language in catalogue.languages
    }


def test_every_language_has_the_same_files() -> None:
    names = {one.name: sorted(file.name for file in one.iterdir()) for one in MESSAGES.iterdir() if one.is_dir()}
    assert len(names) > 1
    assert len({tuple(files) for files in names.values()}) == 1


def test_kiosk_and_its_sentences_name_the_same_keys(catalogue: Catalogue) -> None:
    folder = ROOT / "appliance" / "programs" / "kiosk"
    texts = [one.read_text(encoding="utf-8") for one in folder.rglob("*") if one.suffix in (".py", ".html")]
    used = {name for text in texts for name in re.findall(r"\bkiosk-[a-z0-9_]+(?:-[a-z0-9_]+)*\b", text)}
    assert used == {one for one in catalogue.keys("ja") if one.startswith("kiosk-")}


# The words fit the errors.


def test_a_sentence_fills_in_the_same_fields_in_every_language(written: list[Sentence]) -> None:
    by_name: dict[str, set[frozenset[str]]] = defaultdict(set)
    for one in written:
        by_name[one.name].add(one.fields)
    assert {name: fields for name, fields in by_name.items() if len(fields) > 1} == {}


def test_every_field_of_a_sentence_is_passed_wherever_its_error_is_made(written: list[Sentence]) -> None:
    made = errors_made()
    assert len(made) > 200
    wanted: dict[str, set[str]] = defaultdict(set)
    for one in written:
        wanted[one.key] |= one.fields
    lacking = {one.place: wanted[key(one.kind.code)] - one.fields for one in made}
    assert {place: fields for place, fields in lacking.items() if fields} == {}


def test_an_error_that_nobody_makes_has_a_sentence_without_fields(written: list[Sentence]) -> None:
    made = {one.kind for one in errors_made()}
    never = {key(kind.code) for kind in error_kinds() if kind not in made}
    assert {one.name for one in written if one.key in never and one.fields} == set()


def test_every_error_as_it_is_made_can_be_said(catalogue: Catalogue) -> None:
    for one in errors_made():
        fields: dict[str, Field] = dict.fromkeys(one.fields, "x")
        for language in catalogue.languages:
            for part in PARTS:
                assert catalogue.text(language, one.kind.code, part, **fields).strip()


def test_what_the_kiosk_says_by_code_alone_needs_no_field(catalogue: Catalogue) -> None:
    bare = set(LOST.values())
    for module, name in (("flow", "Notice"), ("conductor", "Notice"), ("conductor", "ReaderLost")):
        for call in calls_of(f"appliance.programs.kiosk.{module}", name):
            bare |= {str(one.value) for one in call.args[:1] if isinstance(one, ast.Constant)}
    assert bare >= {"card.removed", "card.locked", "reader.absent", "box.error"}
    for language in catalogue.languages:
        assert all(catalogue.text(language, code, part) for code in bare for part in PARTS)


def test_a_health_problem_passes_the_fields_of_its_sentence(written: list[Sentence]) -> None:
    for code, fields in health_problems():
        assert {name for one in written if one.key == key(code) for name in one.fields} <= fields, code


def test_every_variant_of_a_sentence_is_a_value_that_the_code_knows(written: list[Sentence]) -> None:
    known = constants() | {"other", "one", "zero", "two", "few", "many"}  # the plurals of CLDR are no values of ours
    assert {(one.name, each) for one in written for each in one.variants if each not in known} == set()


def health_problems() -> list[tuple[str, set[str]]]:
    """Code and names of the fields of every ``Problem`` that a check can find."""
    found = []
    for module in modules():
        if not module.name.startswith("appliance.services.checks."):
            continue
        for call in calls_of(module.name, "Problem"):
            code = call.args[0]
            assert isinstance(code, ast.Constant)
            given = [*call.args[2:], *(one.value for one in call.keywords if one.arg == "fields")]
            names = [name for one in given if isinstance(one, ast.Dict) for name in one.keys]
            found.append((str(code.value), {str(name.value) for name in names if isinstance(name, ast.Constant)}))
    return found


# Guardians can read them.


def test_what_guardians_meet_stands_where_readings_are_required(written: list[Sentence]) -> None:
    codes = {key(kind.code) for kind in error_kinds() if kind.code.startswith(MET_BY_GUARDIANS)}
    assert len(codes) > 30
    assert {one.file for one in written if one.key in codes} == {"errors.ftl"}


def test_no_kanji_without_a_reading(written: list[Sentence]) -> None:
    texts = [
        (one.name, text)
        for one in written
        if one.language == "ja" and one.file in READ_BY_GUARDIANS and one.key != "kiosk-language-name"
        for text in one.texts
    ]
    assert len(texts) > 200
    bare = [(name, found) for name, text in texts if (found := IDEOGRAPH.findall(RUBY.sub("", text)))]
    assert bare == []
    assert [name for name, text in texts if re.search("[｜《》]", RUBY.sub("", text))] == []


def test_readings_are_hiragana_over_kanji(written: list[Sentence]) -> None:
    pairs = [pair for one in written for text in one.texts for pair in RUBY.findall(text)]
    assert pairs
    assert [pair for pair in pairs if not all(map(IDEOGRAPH.match, pair[0])) or not KANA.fullmatch(pair[1])] == []


def test_a_word_is_read_in_one_way(written: list[Sentence]) -> None:
    readings: dict[str, set[str]] = defaultdict(set)
    for one in written:
        for text in one.texts:
            for base, reading in RUBY.findall(text):
                readings[base].add(reading)
    several = {base: found for base, found in readings.items() if len(found) > 1}
    assert several == {"入": {"い", "はい"}}


def test_only_japanese_has_kanji(written: list[Sentence]) -> None:
    assert [one.name for one in written if one.language != "ja" and any(map(IDEOGRAPH.search, one.texts))] == []


def test_distrust_of_a_card_is_said_alike_and_cured_by_what_it_is(catalogue: Catalogue) -> None:
    codes = [kind.code for kind in error_kinds() if kind.code.startswith("card.untrusted_")]
    assert len({catalogue.text("ja", code) for code in codes}) == 1
    assert len({catalogue.text("ja", code, "means") for code in codes}) == len(codes)
    assert "窓口" in plain(catalogue.text("ja", "card.untrusted_expired", "next"))
    assert "時計" in plain(catalogue.text("ja", "card.untrusted_not_yet_valid", "next"))


# The catalogue itself.


def test_japanese_comes_first(catalogue: Catalogue) -> None:
    assert catalogue.languages[0] == "ja"
    assert len(catalogue.languages) > 1


def test_a_code_is_a_key_and_its_fields_are_filled_in(tmp_path: Path) -> None:
    found = Catalogue(folder(tmp_path, one="a-b = { $n } 件\n    .next = 次\n"))
    assert found.text("ja", "a.b", n=3) == "3 件"
    assert found.text("ja", "a.b", "next") == "次"
    assert found.keys("ja") == {"a-b", "a-b.next"}


def test_keys_cannot_be_changed_from_outside(tmp_path: Path) -> None:
    found = Catalogue(folder(tmp_path, one="a = 1\n"))
    found.keys("ja").clear()
    assert found.keys("ja") == {"a"}


@pytest.mark.parametrize(
    ("language", "name", "part", "fields"),
    [
        pytest.param("ja", "a.c", "", {"n": 1}, id="unknown key"),
        pytest.param("ja", "a.b", "next", {"n": 1}, id="unknown part"),
        pytest.param("ja", "a.b", "", {}, id="field not given"),
        pytest.param("ja", "a.b", "", {"n": None}, id="field without value"),
        pytest.param("xx", "a.b", "", {"n": 1}, id="unknown language"),
    ],
)
def test_what_cannot_be_said_is_an_error(
    tmp_path: Path, language: str, name: str, part: str, fields: dict[str, Field]
) -> None:
    found = Catalogue(folder(tmp_path, one="a-b = { $n } 件\n"))
    with pytest.raises(NoSentenceError) as caught:
        found.text(language, name, part, **fields)
    assert caught.value.fields["key"] == name
    assert caught.value.fields["language"] == language


def test_a_junk_line_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(MessageFileError) as caught:
        Catalogue(folder(tmp_path, good="a = 1\n", junk="b = 2\nthis is no message\nc = 3\n"))
    assert caught.value.fields == {"file": "ja/junk.ftl", "line": "this is no message"}


@pytest.mark.parametrize("other", [{"one": "a = 1\na = 2\n"}, {"one": "a = 1\n", "two": "a = 2\n"}])
def test_a_key_stands_once_in_a_language(tmp_path: Path, other: dict[str, str]) -> None:
    with pytest.raises(MessageFileError) as caught:
        Catalogue(folder(tmp_path, **other))
    assert caught.value.fields["line"] == "a"


# Readings on the page.


def test_readings_become_ruby_and_everything_else_is_escaped() -> None:
    drawn = with_ruby("｜今日《きょう》 <b>&")
    assert drawn == '<span class="phrase"><ruby>今日<rt>きょう</rt></ruby></span> &lt;b&gt;&amp;'


def test_readings_cannot_carry_markup() -> None:
    drawn = with_ruby('｜<script>《"onload=x》')
    assert drawn == '<span class="phrase"><ruby>&lt;script&gt;<rt>&#34;onload=x</rt></ruby></span>'


def test_a_phrase_with_a_reading_stays_on_one_line() -> None:
    drawn = with_ruby("なにも ｜受《う》け｜取《と》れません。｜紙《かみ》を、どうぞ。")
    assert RUBY_HTML.sub(r"\1", drawn) == (
        'なにも <span class="phrase">受け取れません。</span><wbr><span class="phrase">紙を、</span><wbr>どうぞ。'
    )


def test_no_phrase_with_a_reading_is_longer_than_a_line(written: list[Sentence]) -> None:
    phrases = [
        plain(found[0]) for one in written for text in one.texts for found in PHRASE.finditer(text) if "｜" in found[0]
    ]
    assert len(phrases) > 100
    assert [one for one in phrases if len(one) > LONGEST_PHRASE] == []


def test_marks_that_are_no_reading_stay_as_they_are() -> None:
    assert with_ruby("｜今日 ｜《》《きょう》") == "｜今日 ｜《》《きょう》"


def test_plain_text_keeps_the_word_and_drops_the_reading() -> None:
    assert plain("｜今日《きょう》 ｜来《き》ました <b>") == "今日 来ました <b>"
