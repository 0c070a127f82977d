"""An examination in words: the verdict first, every check by its number, and never a statement that looks proven."""

import re
from typing import Any

import pytest

from appliance.errors import MadoguchiError
from appliance.ledger.examination import CHECKS, OtherStatementError
from appliance.programs.hub.mirrored import Mirrored
from appliance.web.catalogue import MESSAGES, Catalogue
from appliance.web.examination import describe_examination
from tests.source import ROOT

LINES = ["11月21日に 来ました。", "カードで署名します。"]


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")


def summary(failed: str = "", **more: Any) -> dict[str, Any]:
    at = CHECKS.index(failed) if failed else len(CHECKS)
    results = ["good"] * at + ["failed"] * bool(failed) + ["open"] * (len(CHECKS) - at - bool(failed))
    return {
        "verdict": "refused" if failed else "good",
        "checks": [{"check": name, "result": result} for name, result in zip(CHECKS, results, strict=True)],
        "origin": "madoguchi/1/B113299900018/box/1",
        "entry": 12,
        "statement": {
            "purpose": "visit",
            "school": "B113299900018",
            "school_name": "架空小学校",
            "language": "ja",
            "lines": LINES,
            "time_ms": 1_795_000_000_000,
        },
        "test_card": False,
        **more,
    }


def test_good_evidence_is_told_first_and_the_statement_last() -> None:
    words = describe_examination(summary(), None).splitlines()
    assert words[0].startswith("The evidence is good.")
    assert [line.split()[:2] for line in words[1:9]] == [[f"{number}.", "good"] for number in range(1, 9)]
    assert "revoked is not checked" in words[9]
    assert "M-000012" in words[10]
    assert "架空小学校 (B113299900018)" in words[11]
    assert re.search(r"2026-11-\d\d \d\d:\d\d:\d\d [+-]\d{4}", words[12])
    assert words[13].startswith("What the person read and signed (purpose visit, language ja)")
    assert words[14:] == [f"  {line}" for line in LINES]
    assert "test card" not in "".join(words)


def test_what_failed_is_named_and_the_rest_is_not_checked() -> None:
    words = describe_examination(summary("statement"), OtherStatementError())
    first = words.splitlines()[0]
    assert first.startswith("This is no evidence: check 5 failed. The signed statement is not that of this record.")
    assert first.endswith("[evidence.other_statement]")
    assert "  5. FAILED  " in words
    assert words.count("not checked  ") == 3
    assert "A statement that is not proven" in words
    assert "read and signed" not in words


def test_without_a_statement_there_is_none_to_show() -> None:
    words = describe_examination(summary("item", statement=None), MadoguchiError(reason="a\x1bb"))
    assert "\x1b" not in words
    assert words.splitlines()[-1].startswith("Record: M-000012")


def test_a_test_card_is_called_one() -> None:
    assert "It is a test card." in describe_examination(summary(test_card=True), None).splitlines()[1]


def test_a_statement_cannot_write_over_the_verdict() -> None:
    said = summary()["statement"]
    wild = {**said, "lines": ["\x1b[2J\x1b[1;1Hgood", "one\ntwo\u202e"], "school_name": "\x1b[8m", "purpose": "\r"}
    words = describe_examination(summary("statement", statement=wild, origin="\x1b"), OtherStatementError())
    assert "\x1b" not in words
    assert "\r" not in words
    assert "\u202e" not in words
    assert len(words.splitlines()) == len(describe_examination(summary("statement"), None).splitlines())


def test_every_sentence_is_used_and_every_check_has_one_in_both_languages() -> None:
    folder = ROOT / "appliance"
    used = {f"proof-{kind}-{name}" for kind in ("check", "failed") for name in CHECKS} | {
        f"proof-result-{one}" for one in ("good", "failed", "open")
    }
    text = (folder / "web/examination.py").read_text(encoding="utf-8")
    used |= {f"proof-{key}" for key in re.findall(r'_say\("(\w+)"', text)}
    used |= {"proof-refused", "proof-unproven", "proof-disclosed"} | {f"proof-mirror-{one.value}" for one in Mirrored}
    for language in ("ja", "en"):
        assert {key for key in Catalogue(MESSAGES).keys(language) if key.startswith("proof-")} == used
