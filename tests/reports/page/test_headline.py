"""The words at the top: true, and said of the right thing."""

from __future__ import annotations

import pytest

from phraseproof.analysis.wordings import rank_wordings
from phraseproof.reports.blocks import RunScores, task_tables
from phraseproof.reports.page.headline import Headline, headline
from table_samples import VALUES, scores


def said(values: dict[str, dict[str, list[float]]], current: str | None = None) -> Headline:
    run = RunScores("runs/base", "org/model", scores(values))
    (table,) = task_tables([run])
    return headline(table, rank_wordings(run.scores), None, current)


def test_two_groups_are_set_against_each_other() -> None:
    first, second, *_ = said(VALUES).sentences
    # Categories: qa 62.5 and 55.5, bc 85 and 90 percent.
    assert first.startswith("org/model answers 73.8% right with observed wordings and 72.8% with unobserved ones")
    assert "a difference of -1.0 points" in first
    assert second == ("The choice of wording matters most on qa/one: 57.0% with observed/2, 40.0% with unobserved/0.")


def test_one_group_is_told_by_itself() -> None:
    assert said({"t/x": {"mine": [0.5, 0.7]}}).sentences[0] == (
        "org/model answers 60.0% right, averaged over 2 wordings (Std 14.1 points)."
    )
    assert said({"t/x": {"mine": [0.5]}}).sentences[0] == "org/model answers 50.0% right, averaged over 1 wording."


def test_where_all_do_equally_well_no_wording_is_called_better() -> None:
    sentences = said({"t/x": {"a": [0.5, 0.5], "b": [0.5]}}).sentences
    assert "no difference" in sentences[0]
    assert sentences[1] == "On every task all wordings do equally well."


@pytest.mark.parametrize(
    ("current", "words"),
    [
        ("a/0", "The current wording, a/0, gets 50.0%; the best wording does up to 20.0 points better (on t/x)."),
        ("a/1", "The current wording, a/1, gets 70.0%; no other wording does better on any task."),
    ],
)
def test_the_current_wording_is_told_of(current: str, words: str) -> None:
    assert said({"t/x": {"a": [0.5, 0.7], "b": [0.6]}}, current).sentences[-1] == words


def test_the_picture_has_every_mean() -> None:
    chart = said(VALUES).chart
    means = {(row["row"], row["group"]): row["percent"] for row in chart.data["intervals"]}
    assert means["qa", "observed"] == pytest.approx((53 + 72) / 2)
    assert means["Overall", "unobserved"] == pytest.approx((55.5 + 90) / 2)
    assert "Overall, observed: 73.8%" in chart.description
