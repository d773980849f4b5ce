from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.core import Kind
from phraseproof.errors import FileError
from phraseproof.tasks.data_table import table_of
from phraseproof.tasks.row_options import options_of_rows
from phraseproof.tasks.task_file import ReadTaskFile, TaskFile
from phraseproof.yaml_document import Document

ROWS: list[dict[str, object]] = [
    {"options": ["a", "b"], "text": "a;b", "A": "a", "B": "b", "C": ""},
    {"options": ["c", 4], "text": "c;4;e", "A": "c", "B": 4, "C": "e"},
]


def options(choices: object, kind: Kind = Kind.MULTIPLE_CHOICE, rows: list[dict[str, object]] = ROWS) -> list[object]:
    file = TaskFile(name="t", kind=kind, data="t.csv", choices=choices, answer="x")
    data = {"choices": choices}
    task = ReadTaskFile(file, Document(data, {("choices",): 3}), Path("t.yaml"))
    return list(options_of_rows(task, table_of(rows, "t.csv", (2, 3)[: len(rows)])))


def test_the_three_forms() -> None:
    assert options(["yes", "no"]) == [("yes", "no")] * 2
    assert options({"column": "options"}) == [("a", "b"), ("c", "4")]
    assert options({"column": "text", "separator": ";"}) == [("a", "b"), ("c", "4", "e")]
    assert options({"columns": ["A", "B", "C"]}) == [("a", "b"), ("c", "4", "e")]


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ("options", "t.yaml:3, choices: `choices` has none of its three forms"),
        ({"column": "absent"}, "t.csv has no column 'absent'"),
        ({"column": "text"}, "t.csv:2, text: the options are not a list"),
        (["yes", True], "the option True is not text"),
        (["yes", "yes"], "the option 'yes' is listed twice"),
        (["yes"], "fewer than two options"),
        (["yes", ""], "an option is empty"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(choices: object, message: str) -> None:
    with pytest.raises(FileError) as caught:
        options(choices)
    assert message in str(caught.value)


def test_a_binary_task_has_two_options_in_every_row() -> None:
    with pytest.raises(FileError, match=r"t\.csv:3: a binary task has two options \(got 3\)"):
        options({"columns": ["A", "B", "C"]}, Kind.BINARY)
