"""The CSV format, read by the csv module."""

import csv
import io

import pytest

from phraseproof.reports.build.run_tables import RunScores
from phraseproof.reports.format.tables import By, TableFormat, render
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from support.table_samples import FORMULA, HOSTILE, NASTY, RUN, scores


def read(run: RunScores, by: By = By.TASK):
    return list(csv.DictReader(io.StringIO(render([run], form=TableFormat.CSV, by=by).text), strict=True))


def test_by_task():
    rows = read(RUN)
    assert len(rows) == (3 + 2 + 1) * 2
    found = {(row["level"], row["category"], row["task"], row["group"]): row for row in rows}
    assert float(found["task", "qa", "qa/one", "unobserved"]["mean_percent"]) == pytest.approx(45)
    assert float(found["task", "qa", "qa/one", "unobserved"]["difference_percentage_points"]) == pytest.approx(-8)
    overall = found["overall", "", "", "unobserved"]
    assert overall["test_num_tasks"] == "3"
    assert 0 < float(overall["test_p_value"]) < 1
    assert found["task", "qa", "qa/one", "observed"]["reference_group"] == ""


def test_not_enough_data_is_empty_and_notes_go_elsewhere():
    run = RunScores("r", "m", scores({"t": {"a": [0.5]}}), metric=ACCURACY)
    assert {row["std_percent"] for row in read(run)} == {""}
    (warning,) = render([run], form=TableFormat.CSV).warnings
    assert warning.startswith("r: Only one wording of group a")
    assert render([run], form=TableFormat.TEXT).warnings == ()


def test_text_is_left_as_it_was_written():
    rows = read(HOSTILE, By.WORDING)
    assert {row["text"] for row in rows} == {f"{NASTY}\nsecond line", FORMULA}
    assert {row["category"] for row in rows} == {NASTY}
    assert [row["mark"] for row in rows] == ["best", "worst"] * 4
