"""The result table: its rows as data, data frames, and views that fit."""

from __future__ import annotations

import sys
from dataclasses import replace

import pandas as pd
import polars as pl
import pytest

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.results import COLUMNS, ResultRow, ResultTable, format_value, joined
from phraseproof.errors import MissingExtraError

ROW = ResultRow(
    run="runs/a",
    scoring="loglikelihood",
    level=Level.TASK,
    category="QA",
    task="qa/one",
    group="observed",
    statistic="mean",
    estimate=48.14,
    low=40.0,
    high=55.5,
    n=3,
    method="m",
    unit="%",
)
TABLE = ResultTable(
    (
        ROW,
        replace(ROW, group="unobserved", estimate=40.0, low=None, high=None),
        replace(
            ROW, level=Level.CATEGORY, task="", statistic="difference", estimate=-8.14, p_value=0.0001, unit="points"
        ),
    ),
    ("a note",),
)


def test_it_is_a_sequence() -> None:
    assert len(TABLE) == 3
    assert TABLE[0] is ROW
    assert list(TABLE[1:]) == list(TABLE)[1:]
    assert TABLE[:1].notes == ("a note",)


def test_rows_are_selected_by_their_columns() -> None:
    assert [row.group for row in TABLE.select(level="task")] == ["observed", "unobserved"]
    assert TABLE.select(level="task", group="observed").rows == (ROW,)
    assert len(TABLE.select(statistic="kappa")) == 0


def test_tables_are_joined_with_each_note_once() -> None:
    both = joined([TABLE, TABLE])
    assert len(both) == 6
    assert both.notes == ("a note",)


def test_plain_data_has_every_column() -> None:
    (first, *_) = TABLE.to_dicts()
    assert tuple(first) == COLUMNS
    assert first["level"] == "task"
    assert first["estimate"] == 48.14


def test_a_pandas_data_frame() -> None:
    frame = TABLE.to_pandas()
    assert list(frame.columns) == list(COLUMNS)
    assert frame.loc[0, "estimate"] == 48.14
    assert pd.isna(frame.loc[1, "low"])
    assert list(ResultTable(()).to_pandas().columns) == list(COLUMNS)


def test_a_polars_data_frame_types_columns_that_hold_only_nulls() -> None:
    frame = TABLE.to_polars()
    assert frame.columns == list(COLUMNS)
    assert frame["estimate"][0] == 48.14
    empty = ResultTable((replace(ROW, estimate=None, low=None, high=None, n=None),)).to_polars()
    assert {empty.schema[name] for name in ("estimate", "low", "high")} == {pl.Float64}
    assert empty.schema["n"] == pl.Int64
    assert ResultTable(()).to_polars().columns == list(COLUMNS)


@pytest.mark.parametrize("package", ["pandas", "polars"])
def test_a_missing_data_frame_package_is_named(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=f"{package}, which is not installed"):
        getattr(TABLE, f"to_{package}")()


def test_a_long_table_fits_a_screen() -> None:
    wide = replace(ROW, task="t" * 200, group="g" * 200, wording="w" * 200)
    rows = tuple(
        replace(wide, task=f"{number}{'t' * 200}", group=f"{number}g", wording=str(number)) for number in range(500)
    )
    lines = repr(ResultTable(rows)).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 100
    assert "482 more rows" in lines[-2]
    assert lines[-1] == "500 rows: runs/a, 0-shot, loglikelihood"


def test_a_table_prints_what_differs() -> None:
    text = repr(TABLE)
    assert text.splitlines()[0].split() == [
        "level",
        "task",
        "group",
        "statistic",
        "estimate",
        "95%",
        "interval",
        "unit",
        "p",
    ]
    assert "40.0 to 55.5" in text
    assert "< 0.001" in text
    assert "1 notes in .notes" in text
    assert repr(ResultTable(())) == "ResultTable: no rows"


def test_control_characters_are_not_printed() -> None:
    assert "\x1b" not in repr(ResultTable((replace(ROW, group="\x1b[31m"), ROW)))


def test_html_is_escaped() -> None:
    html = ResultTable((replace(ROW, group="<script>"), ROW), ("<b>",))._repr_html_()  # pyright: ignore[reportPrivateUsage]
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "<b>" not in html


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(48.14, "%", "48.1"), (-0.5, "points", "-0.5"), (0.12345, "", "0.123"), (None, "%", "")],
)
def test_values_are_printed_by_unit(value: float | None, unit: str, text: str) -> None:
    assert format_value(value, unit) == text
