"""The words at the top: true, and said of the right thing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from phraseproof.analysis.ranking import rank_wordings
from phraseproof.analysis.statistics import robustness
from phraseproof.reports.build.run_tables import RunScores, task_tables
from phraseproof.reports.build.runs import table_sources
from phraseproof.reports.html.headline import Headline, headline
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from phraseproof.store.queries import load_run
from support import table_samples
from support.grid_samples import grid
from support.report_runs import write_run
from support.table_samples import VALUES, scores


def said(values: dict[str, dict[str, list[float]]], current: str | None = None) -> Headline:
    run = RunScores("runs/base", "org/model", scores(values), metric=ACCURACY)
    (table,) = task_tables([run])
    return headline(table, rank_wordings(run.scores), None, current)


def test_two_groups_are_set_against_each_other() -> None:
    _, first, second, *_ = said(VALUES).sentences
    # Categories: qa 62.5 and 55.5, bc 85 and 90 percent.
    assert first.startswith(
        "org/model answers 73.8% right with the wordings of observed and 72.8% with those of unobserved"
    )
    assert "a difference of -1.0 points" in first
    assert second == ("The choice of wording matters most on qa/one: 57.0% with observed/2, 40.0% with unobserved/0.")


def test_the_first_sentence_says_how_far_accuracy_moves_with_the_wording() -> None:
    # Observed: qa/one 8, qa/two 4, bc/one 10 points; (8 + 4) / 2 = 6 is the category qa, (6 + 10) / 2 all.
    # Unobserved: 10, 12 and 10; (11 + 10) / 2.
    values = VALUES | {"qa/one": {"observed": [0.50, 0.52, 0.58], "unobserved": [0.40, 0.50]}}
    assert said(values).sentences[0] == (
        "On the average task, accuracy differs between the worst and the best wording by 8.0 points in the group "
        "observed and 10.5 points in the group unobserved."
    )
    assert said({"t/x": {"mine": [0.5, 0.7], "lone": [0.1]}}).sentences[0] == (
        "On t/x, accuracy differs between the worst and the best wording by 20.0 points in the group mine."
    )


def test_the_range_has_the_interval_that_the_statistics_give() -> None:
    scores = [[1, 1, 0, 1, 0, 1], [1, 0, 0, 1, 0, 1], [0, 0, 0, 1, 0, 0]]
    found = robustness([grid(scores, groups=["g"] * 3, task="c/t")])[0]
    finding = found.tasks[0].groups["g"].findings["range"]
    assert finding.low is not None
    assert finding.high is not None
    run = RunScores("r", "m", table_samples.scores({"c/t": {"g": [sum(row) / 6 for row in scores]}}), metric=ACCURACY)
    (table,) = task_tables([run])
    first = headline(table, rank_wordings(run.scores), found).sentences[0]
    bounds = f"{100 * finding.low:.1f} to {100 * finding.high:.1f}"
    interval = f"(95% interval {bounds}, {finding.method.partition(' (')[0]})"
    assert (
        first
        == f"On c/t, accuracy differs between the worst and the best wording by 50.0 points in the group g {interval}."
    )


def test_wordings_that_ought_to_do_badly_are_not_held_against_the_model() -> None:
    values = {"t/x": {"good": [0.8, 0.9], "fair": [0.7, 0.8], "twisted": [0.1, 0.2]}}
    run = RunScores("r", "m", table_samples.scores(values), metric=ACCURACY)
    (table,) = task_tables([run])
    found = headline(table, rank_wordings(run.scores), None, controls={"twisted"})
    assert "twisted" not in " ".join(found.sentences)
    assert "90.0% with good/1, 70.0% with fair/0" in found.sentences[-1]
    assert {row["group"] for row in found.chart.data["intervals"]} == {"good", "fair", "twisted"}


def test_one_group_is_told_by_itself() -> None:
    assert said({"t/x": {"mine": [0.5, 0.7]}}).sentences[1] == (
        "org/model answers 60.0% right, averaged over 2 wordings (Std 14.1 points)."
    )
    assert said({"t/x": {"mine": [0.5]}}).sentences[0] == "org/model answers 50.0% right, averaged over 1 wording."


def test_where_all_do_equally_well_no_wording_is_called_better() -> None:
    sentences = said({"t/x": {"a": [0.5, 0.5], "b": [0.5]}}).sentences
    assert "by 0.0 points" in sentences[0]
    assert "no difference" in sentences[1]
    assert sentences[2] == "On every task all wordings do equally well."


@pytest.mark.parametrize(
    ("current", "words"),
    [
        ("a/0", "The current wording, a/0, gets 50.0%; the best wording does up to 20.0 points better (on t/x)."),
        ("a/1", "The current wording, a/1, gets 70.0%; no other wording does better on any task."),
    ],
)
def test_the_current_wording_is_told_of(current: str, words: str) -> None:
    assert said({"t/x": {"a": [0.5, 0.7], "b": [0.6]}}, current).sentences[-1] == words


def test_the_large_figures_are_those_of_a_lone_task() -> None:
    found = said({"t/x": {"a": [0.5, 0.7], "b": [0.6, 0.3]}}, "a/0").figures
    assert [(each.label, each.value, each.detail) for each in found] == [
        ("current wording", "50.0%", "a/0"),
        ("best wording", "70.0%", "a/1"),
        ("worst wording", "30.0%", "b/1"),
    ]


def test_the_large_figures_are_means_over_tasks_then_categories() -> None:
    # Best: qa 57 and 74, bc 95; worst: qa 40 and 60, bc 80. Means of tasks: qa 49.8 and 68.4, bc 87.5.
    first, best, worst = said(VALUES).figures
    assert (best.value, worst.value) == ("80.2%", "65.0%")
    qa = [sum([0.50, 0.52, 0.57, 0.40, 0.50]) / 5, sum([0.70, 0.74, 0.60, 0.66, 0.72]) / 5]
    assert (first.label, first.value) == ("mean over wordings", f"{100 * (sum(qa) / 2 + 0.875) / 2:.1f}%")


def test_the_current_wording_is_averaged_over_tasks_then_categories() -> None:
    values = {"qa/one": {"a": [0.2, 0.9]}, "qa/two": {"a": [0.4, 0.9]}, "bc/one": {"a": [0.9, 0.8]}}
    found = said(values, "a/0")
    assert found.figures[0].value == "60.0%"
    assert "a/0, gets 60.0%" in found.sentences[-1]


def test_constant_answers_and_chance_are_shown(tmp_path: Path) -> None:
    run = table_sources([load_run(write_run(tmp_path))])[0]
    assert isinstance(run, RunScores)
    constant = replace(run.answers[0], confusion=np.zeros_like(run.answers[0].confusion))
    constant.confusion[:, 0, 0], constant.confusion[:, 1, 0] = 6, 6
    given = replace(run, answers=(constant,))
    (table,) = task_tables([given])
    found = headline(table, rank_wordings(given.scores), None)
    count = len(constant.wordings)
    assert found.warning.startswith(f"{count} of {count} wordings give one answer to 95% or more of the examples ('")
    assert (found.figures[-1].label, found.figures[-1].value) == ("chance", f"{100 * constant.chance:.1f}%")


def test_the_picture_has_every_mean() -> None:
    chart = said(VALUES).chart
    means = {(row["row"], row["group"]): row["percent"] for row in chart.data["intervals"]}
    assert means["qa", "observed"] == pytest.approx((53 + 72) / 2)
    assert means["Overall", "unobserved"] == pytest.approx((55.5 + 90) / 2)
    assert "Overall, observed: 73.8%" in chart.description
