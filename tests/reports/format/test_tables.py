"""What holds for every format."""

import json
import re

import pytest

from phraseproof.errors import NotEnoughDataError, UsageError
from phraseproof.reports.build.run_tables import RunScores
from phraseproof.reports.format.tables import By, TableFormat, render
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from support.table_samples import HOSTILE, RUN, scores


@pytest.mark.parametrize("form", TableFormat)
@pytest.mark.parametrize("by", By)
def test_ends_with_one_newline_and_holds_no_nan(form: TableFormat, by: By):
    text = render([RUN, HOSTILE], form=form, by=by).text
    assert text.endswith("\n")
    assert not re.search(r"\b(nan|inf|infinity)\b", text, re.IGNORECASE)


@pytest.mark.parametrize("by", By)
def test_a_run_without_scores_says_so(by: By):
    with pytest.raises(NotEnoughDataError, match="runs/empty"):
        render([RunScores("runs/empty", "m", [], metric=ACCURACY)], by=by)


def test_a_group_order_may_name_groups_that_only_some_runs_have():
    other = RunScores("r", "m", scores({"t": {"mine": [0.5], "observed": [0.4]}}), metric=ACCURACY)
    document = json.loads(render([RUN, other], form=TableFormat.JSON, group_order=("mine", "unobserved")).text)
    assert [table["groups"] for table in document["tables"]] == [["unobserved", "observed"], ["mine", "observed"]]


def test_a_group_that_no_run_has_is_a_mistake():
    with pytest.raises(UsageError, match=r"--group-order.*'nope'.*observed, unobserved"):
        render([RUN], group_order=("nope",))
