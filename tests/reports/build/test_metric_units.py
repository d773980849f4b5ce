"""Tables print a metric's own unit; what shows percent only refuses other metrics."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from phraseproof.core import Outcome
from phraseproof.errors import NotEnoughDataError, UsageError
from phraseproof.reports.build.run_tables import legend, percent, points, require_percent
from phraseproof.reports.format.tables import By, TableFormat, render
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from phraseproof.scoring.metric import Metric
from support.table_samples import RUN


class Length(Metric):
    """The number of letters of an answer."""

    name = "length"
    unit = "letters"
    high = 1000.0

    def score(self, outcome: Outcome) -> float:
        return float(len(outcome.text or ""))


LENGTH = Length()
LONG = replace(RUN, metric=LENGTH, scores=[score._replace(mean_score=100 * score.mean_score) for score in RUN.scores])


def test_values_are_in_the_metric_s_unit() -> None:
    assert (percent(0.481), points(0.481), points(-0.0)) == ("48.1", "+48.1", "0.0")
    assert (percent(48.12, LENGTH), points(48.12, LENGTH), points(0.0, LENGTH)) == ("48.1", "+48.1", "0.0")
    assert percent(0.0481, LENGTH) == "0.0481"
    assert legend(LENGTH) == "mean ± Std over wordings, in letters (number of wordings); differences in letters"


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


def test_what_shows_percent_only_refuses_other_metrics() -> None:
    require_percent(ACCURACY, "limits are")
    with pytest.raises(UsageError, match="'length', in letters"):
        require_percent(LENGTH, "limits are")
    with pytest.raises(NotEnoughDataError, match="McNemar's test needs outcomes of 0 or 1, and the metric 'length'"):
        LENGTH.require_binary("McNemar's test")
