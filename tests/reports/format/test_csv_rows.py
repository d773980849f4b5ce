"""CSV: full precision, and text as it is."""

import csv
import io

from phraseproof.reports.format.csv_rows import render_rows


def test_rows_are_read_back_as_they_were() -> None:
    text = render_rows(["name", "value"], [{"name": 'a "b", c\nd', "value": 0.1 + 0.2}, {"name": "=1"}])
    assert list(csv.reader(io.StringIO(text))) == [
        ["name", "value"],
        ['a "b", c\nd', "0.30000000000000004"],
        ["=1", ""],
    ]
    assert text.endswith("\n")
    assert "\r" not in text
