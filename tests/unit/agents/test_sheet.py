"""Reviews by file: what is written is read back, and no cell is a formula."""

import csv
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.reviewing.sheet import COLUMNS, Bad, Row, escaped, read, unescaped, write
from streams.errors import ConfigError

ID = "0123456789abcdef0123456789abcdef"


def row(**fields: Any) -> dict[str, Any]:
    return dict.fromkeys(COLUMNS, "") | {"generation": ID, "verdict": "accepted"} | fields


@given(st.text(alphabet="'=+-@\t\r\n\uff1dx1", max_size=6))
def test_an_escaped_cell_is_no_formula_and_comes_back(text: str) -> None:
    cell = escaped(text)

    assert isinstance(cell, str)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"))
    assert unescaped(cell) == text


def test_a_number_is_no_formula() -> None:
    assert escaped(-3.2) == -3.2


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_what_is_written_is_read_back(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"sheet{suffix}"
    note = '=HYPERLINK("x"), "so";\nü 𝄞'
    rows = [row(note=note, reviewer="@ada", response="-1\r\n" * 9), row(verdict="")]

    assert write(path, rows) == 2
    (found,) = read(path)

    assert isinstance(found, Row)
    assert found[1:] == (ID, "accepted", "@ada", note)


def test_a_sheet_is_what_a_spreadsheet_opens_and_runs_nothing_of_it(tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    write(path, [row(prompt="=1+1", response="\t=2")])

    assert path.read_bytes().startswith(b"\xef\xbb\xbfgeneration,verdict,reviewer,note,")
    with path.open(encoding="utf-8-sig", newline="") as lines:
        (cells,) = csv.DictReader(lines)
    assert (cells["prompt"], cells["response"]) == ("'=1+1", "'\t=2")


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_sheet_may_come_from_any_spreadsheet(tmp_path: Path, mark: str, delimiter: str) -> None:
    path = tmp_path / "sheet.CSV"
    cells = [["Generation", "verdict", "note", "own"], [ID, "Reject", "a b", "1"]]
    text = "\r\n".join(delimiter.join(line) for line in cells)
    path.write_text(mark + text, encoding="utf-8", newline="")

    assert list(read(path)) == [Row(2, ID, "rejected", "", "a b")]


def test_a_bad_row_is_told_with_its_line_and_costs_no_other(tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    lines = [
        "generation,verdict,note",
        f'{ID},accepted,"two',
        'lines"',
        f"{ID},maybe,",
        ",accepted,",
        f"{ID},accepted,a,b,c",
        f"{ID},,",
        f"{ID},withdrawn,",
    ]
    path.write_text("\n".join(lines))

    found = list(read(path))

    assert [each.line for each in found] == [2, 4, 5, 6, 8]
    assert [type(each) for each in found] == [Row, Bad, Bad, Bad, Row]


def test_a_quote_that_never_ends_is_told_where_it_begins(tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    path.write_text(f'generation,verdict\n{ID},accepted\n{ID},"accepted\n{ID},accepted\n')

    good, bad = read(path)

    assert isinstance(good, Row)
    assert isinstance(bad, Bad)
    assert (bad.line, "no CSV" in bad.why) == (3, True)


def test_a_bad_line_of_json_is_told_and_costs_no_other(tmp_path: Path) -> None:
    path = tmp_path / "sheet.jsonl"
    good = f'{{"generation":"{ID}","verdict":"accept"}}'
    path.write_text(f'{{\n\n[1]\n{{"generation":7,"verdict":"accepted"}}\n{good}\n')

    found = list(read(path))

    assert [(each.line, type(each)) for each in found] == [
        (1, Bad),
        (3, Bad),
        (4, Bad),
        (5, Row),
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", b"", "neither .csv nor .jsonl"),
        ("a.csv", b"", 'no columns "generation" and "verdict"'),
        ("a.csv", b"id,verdict\n", 'no columns "generation" and "verdict"'),
        ("a.jsonl", b"{}\n\xff", r"a\.jsonl:2 is not UTF-8"),
    ],
)
def test_a_file_that_is_no_sheet_is_refused(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(ConfigError, match=said):
        list(read(path))


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    path.write_text("verdicts of a week")

    with pytest.raises(ConfigError, match="there already"):
        write(path, [row()])
    assert path.read_text() == "verdicts of a week"
