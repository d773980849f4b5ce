"""Numbers are printed in the metric's own unit."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError
from phraseproof.reports.build.numbers import (
    difference_in_unit,
    difference_unit,
    difference_with_unit,
    legend,
    p_number,
    p_value,
    share_in_percent,
    share_with_interval,
    short_difference_unit,
    title_with_unit,
    unit_name,
    unit_sign,
    value_in_unit,
    value_with_unit,
)
from phraseproof.reports.format.tables import By, TableFormat, render
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from support.other_metrics import LETTERS
from support.table_samples import RUN

LONG = replace(RUN, metric=LETTERS, scores=[score._replace(mean_score=100 * score.mean_score) for score in RUN.scores])


def test_values_are_in_the_metric_s_unit() -> None:
    assert [value_in_unit(value, ACCURACY) for value in (0.481, 0.0)] == ["48.1", "0.0"]
    assert [value_in_unit(value, LETTERS) for value in (48.12, 0.0481, 0.0)] == ["48.1", "0.0481", "0"]
    assert [difference_in_unit(value, ACCURACY) for value in (0.481, -0.0)] == ["+48.1", "0.0"]
    assert [difference_in_unit(value, LETTERS) for value in (48.12, -0.5, 0.0)] == ["+48.1", "-0.5", "0.0"]
    assert difference_with_unit(-0.021, ACCURACY) == "-2.1 points"
    assert difference_with_unit(0.5, LETTERS) == "+0.5 letters"
    assert share_in_percent(0.481) == "48.1"
    assert share_with_interval(Finding("", -0.001, 5, "", -0.126, 0.5)) == "0 [-13,\u00a050]"
    assert share_with_interval(Finding("", 0.1, 5, "")) == share_with_interval(None) == "n/a"
    assert legend(LETTERS) == "mean ± Std over wordings, in letters (number of wordings); differences in letters"


def test_probabilities_have_three_decimals() -> None:
    assert [p_value(p) for p in (0.0231, 0.0009)] == ["p = 0.023", "p < 0.001"]
    assert [p_number(p) for p in (0.0231, 0.0009)] == ["0.023", "< 0.001"]


@pytest.mark.parametrize("form", [TableFormat.TEXT, TableFormat.MARKDOWN, TableFormat.LATEX])
def test_tables_for_people_name_the_unit(form: TableFormat) -> None:
    text = render([LONG], form=form).text
    assert "in letters" in text
    assert "percent" not in text
    assert "53 " in text
    assert "57" in render([LONG], form=form, by=By.WORDING).text


def test_json_holds_values_in_the_unit() -> None:
    (table,) = json.loads(render([LONG], form=TableFormat.JSON).text)["tables"]
    assert (table["scoring"], table["metric"], table["unit"]) == ("loglikelihood", "length", "letters")
    assert table["tasks"][0]["groups"]["observed"]["mean_percent"] == pytest.approx(53)


def test_csv_holds_values_in_the_unit() -> None:
    first = render([LONG], form=TableFormat.CSV).text.splitlines()[1]
    assert ",53.0" in first or ",52.99999" in first


def test_what_needs_right_and_wrong_refuses_other_metrics() -> None:
    with pytest.raises(NotEnoughDataError, match="McNemar's test needs outcomes of 0 or 1, and the metric 'length'"):
        LETTERS.require_binary("McNemar's test")


def test_a_difference_that_rounds_to_nothing_has_no_sign() -> None:
    assert [difference_in_unit(value, ACCURACY) for value in (-0.0004, 0.0004, 0.0, -0.001, 0.001)] == ["0.0"] * 3 + [
        "-0.1",
        "+0.1",
    ]


def test_headings_have_the_unit() -> None:
    assert (title_with_unit(ACCURACY), title_with_unit(LETTERS)) == ("accuracy (%)", "length (letters)")
    assert (unit_sign(ACCURACY), unit_sign(LETTERS)) == ("%", "letters")
    assert (value_with_unit(0.481, ACCURACY), value_with_unit(12.34, LETTERS)) == ("48.1%", "12.3 letters")
    assert (short_difference_unit(ACCURACY), difference_unit(ACCURACY), unit_name(ACCURACY)) == (
        "points",
        "percentage points",
        "percent",
    )
