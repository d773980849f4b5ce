"""The references of a row, in the order of columns and lists."""

from __future__ import annotations

from phraseproof.tasks.data_table import table_of
from phraseproof.tasks.references import references_of_rows


def test_texts_numbers_and_truth_values_are_references_and_empty_columns_are_none() -> None:
    table = table_of([{"a": True, "b": ["x", 2.5]}, {"a": "", "b": "y"}], "data")
    assert references_of_rows(table, ["a", "b"]) == [("true", "x", "2.5"), ("y",)]
    assert references_of_rows(table, ["b", "a"])[0] == ("x", "2.5", "true")
