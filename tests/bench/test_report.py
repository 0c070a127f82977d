"""What a benchmark says, to a program and to a person, and how it ends."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.bench.report import COULD_NOT_RUN, FINE, MISSED, Figure, arguments, heading, percentile, report

PRESENCE = Figure("wire", "presence_bytes_per_entry", 51.2, "B", 44.0, "entropy of the fields", 1.3, of_ratio=True)
MISSING = Figure("wire", "presence_us", None, "us", why="no line", target=9)


def said(*figures: Figure, as_json: bool = True) -> tuple[int, list[str]]:
    out = io.StringIO()
    return report(figures, as_json, out), out.getvalue().splitlines()


def test_a_line_has_the_form_that_all_benchmarks_share() -> None:
    code, lines = said(PRESENCE)
    assert code == FINE
    assert lines == [
        '{"bench":"wire","name":"presence_bytes_per_entry","value":51.2,"unit":"B","reference":44.0,'
        '"reference_is":"entropy of the fields","ratio":1.16,"target":1.3,"ok":true}'
    ]


def test_what_could_not_be_measured_says_why() -> None:
    _, lines = said(MISSING)
    line = json.loads(lines[0])
    assert list(line)[-2:] == ["ok", "why"]
    assert (line["value"], line["ratio"], line["ok"], line["why"]) == (None, None, None, "no line")


@pytest.mark.parametrize(
    ("value", "more_is_better", "kept"),
    [(9, False, True), (10, False, True), (11, False, False), (9, True, False), (10, True, True), (11, True, True)],
)
def test_a_target_is_the_most_or_the_least(value: float, more_is_better: bool, kept: bool) -> None:
    assert Figure("x", "y", value, "ms", target=10, more_is_better=more_is_better).ok is kept


def test_a_target_may_be_of_the_ratio() -> None:
    assert (PRESENCE.ok, replace(PRESENCE, target=1.1).ok, replace(PRESENCE, of_ratio=False).ok) == (True, False, False)
    with pytest.raises(ValueError, match="reference"):
        replace(PRESENCE, reference=None)


def test_without_a_promise_nothing_can_be_missed() -> None:
    assert Figure("x", "y", 10_000, "ms").ok is True


def test_one_missed_target_is_the_outcome() -> None:
    missed = replace(PRESENCE, target=1.1)
    assert said(PRESENCE, missed, MISSING)[0] == MISSED
    assert said(missed, as_json=False)[0] == MISSED


def test_nothing_measured_is_no_success() -> None:
    assert said(MISSING)[0] == COULD_NOT_RUN
    assert said()[0] == COULD_NOT_RUN
    assert said(MISSING, PRESENCE)[0] == FINE


def test_a_value_and_a_reason_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="presence_us"):
        replace(MISSING, value=3)
    with pytest.raises(ValueError, match="presence_us"):
        replace(MISSING, why=None)


def test_what_is_no_number_is_not_printed() -> None:
    with pytest.raises(ValueError, match="JSON"):
        Figure("x", "y", float("nan"), "ms").line()


def test_a_reference_of_nothing_has_no_ratio() -> None:
    assert json.loads(replace(PRESENCE, reference=0, of_ratio=False).line())["ratio"] is None


def test_a_table_for_a_person() -> None:
    _, lines = said(PRESENCE, replace(PRESENCE, target=1.1), MISSING, as_json=False)
    assert lines[0] == heading()
    assert " ".join(lines[1].split()) == "presence_bytes_per_entry 51.2 B <= 1.3x ok 44 (entropy of the fields)"
    assert "MISSED" in lines[2]
    assert lines[3].split()[1] == "-"
    assert lines[3].endswith("no line")
    assert lines[4] == "1 ok, 1 MISSED, 1 not measured"
    assert len({line.index("<=") for line in lines[1:4]}) == 1


def test_a_figure_is_told_as_soon_as_it_is_there() -> None:
    out = io.StringIO()

    def slowly() -> Iterator[Figure]:
        yield PRESENCE
        assert "presence_bytes_per_entry" in out.getvalue()
        yield MISSING

    report(slowly(), True, out)
    assert len(out.getvalue().splitlines()) == 2


@pytest.mark.parametrize(("percent", "value"), [(0, 1), (50, 5), (51, 6), (95, 10), (100, 10)])
def test_percentiles_are_values_that_were_measured(percent: float, value: float) -> None:
    assert percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], percent) == value


def test_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_every_benchmark_speaks_json() -> None:
    assert arguments("wire", "x").parse_args(["--json"]).json
    assert not arguments("wire", "x").parse_args([]).json
