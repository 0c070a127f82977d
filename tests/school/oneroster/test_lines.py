"""CSV without tolerance: what is written reads back, and a slip is found at its line and place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.school.oneroster import lines
from appliance.school.oneroster.lines import EncodingError, LineFormError, Record, read_lines, write_lines

texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.sampled_from('",\n\r\t'), max_size=12
)


@given(st.lists(st.lists(texts, min_size=1, max_size=4), max_size=6))
def test_what_is_written_reads_back(rows: list[list[str]]) -> None:
    data = write_lines(rows)
    records = read_lines("x.csv", data)
    assert [list(record.values) for record in records] == rows
    assert write_lines(record.values for record in records) == data


def test_lines_are_those_of_an_editor_even_after_a_value_of_two_lines() -> None:
    assert read_lines("x.csv", '"a","b\nc"\r\n"漢字",""'.encode()) == [
        Record(1, ("a", "b\nc")),
        Record(3, ("漢字", "")),
    ]


@pytest.mark.parametrize(
    ("text", "line", "position", "expected"),
    [
        ("a,b\r\n", 1, 1, "quotes"),
        ('"a",b\r\n', 1, 2, "quotes"),
        ('"a"\r\n"b', 2, 1, "quotes"),
        ('"a"\r\n\r\n', 2, 1, "quotes"),
        ('"a",', 1, 2, "quotes"),
        ('"a"\n"b"\n', 1, 1, "crlf"),
        ('"a"\r"b"', 1, 1, "crlf"),
        ('"a" ,"b"', 1, 1, "comma_or_line_end"),
        ('"a"b"', 1, 1, "comma_or_line_end"),
        ('"a\x00"', 1, 1, "text"),
        ('"\x1b[2J"', 1, 1, "text"),
    ],
)
def test_a_slip_is_found_at_its_place(text: str, line: int, position: int, expected: str) -> None:
    with pytest.raises(LineFormError) as caught:
        read_lines("x.csv", text.encode())
    assert caught.value.fields == {"file": "x.csv", "line": line, "position": position, "expected": expected}


def test_other_encodings_are_refused_with_the_line() -> None:
    with pytest.raises(EncodingError) as caught:
        read_lines("x.csv", b'\xef\xbb\xbf"a"')
    assert caught.value.fields == {"file": "x.csv", "line": 1, "found": "bom"}
    with pytest.raises(EncodingError) as caught:
        read_lines("x.csv", b'"a"\r\n"' + "漢字".encode("cp932") + b'"\r\n')
    assert caught.value.fields == {"file": "x.csv", "line": 2, "found": "not_utf8"}


def test_limits_on_rows_columns_and_the_length_of_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LineFormError) as caught:
        read_lines("x.csv", write_lines([["x" * (lines.MAX_VALUE_CHARACTERS + 1)]]))
    assert caught.value.fields["expected"] == "length"
    assert len(read_lines("x.csv", write_lines([["x"] * lines.MAX_COLUMNS]))) == 1
    with pytest.raises(LineFormError) as caught:
        read_lines("x.csv", write_lines([["x"] * (lines.MAX_COLUMNS + 1)]))
    assert caught.value.fields["expected"] == "columns"
    monkeypatch.setattr(lines, "MAX_ROWS", 3)
    assert len(read_lines("x.csv", write_lines([["x"]] * 4))) == 4
    with pytest.raises(LineFormError) as caught:
        read_lines("x.csv", write_lines([["x"]] * 5))
    assert caught.value.fields["expected"] == "rows"


def test_an_empty_file_has_no_record() -> None:
    assert read_lines("x.csv", b"") == []
