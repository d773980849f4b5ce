"""Two runs side by side, before any format."""

import json
from pathlib import Path
from statistics import fmean

import pytest
from scipy import stats

from phraseproof.analysis import readings
from phraseproof.core import Finding
from phraseproof.errors import UsageError
from phraseproof.reports.build.compare import compare, difference_words, direction_words
from phraseproof.reports.build.results import comparison_results
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.format import compare_json, compare_text
from phraseproof.reports.html.compare import comparison_views, render_comparison
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from phraseproof.store.queries import Run, load_run
from support.other_metrics import Mistakes
from support.report_runs import write_run


def test_categories_come_above_their_tasks_and_groups_last(tmp_path: Path) -> None:
    first, second = (load_run(write_run(tmp_path / name, bonus=bonus)) for name, bonus in (("a", 0.0), ("b", 0.2)))
    (found,) = compare(first, second)
    names = [line.group or line.name for line in found.lines]
    assert names == [
        "KB",
        "kb/colours",
        "kb/shapes",
        "Tone",
        "tone/polite",
        "Overall",
        "observed",
        "unobserved",
        "mean of groups",
    ]
    assert found.top.name == "Overall"
    assert found.top.finding.estimate == pytest.approx(found.top.after - found.top.before)


def test_groups_count_equally_in_their_mean_and_tasks_in_the_test(tmp_path: Path) -> None:
    """By hand, from the accuracy of every wording; eight observed and two unobserved wordings."""
    runs = [
        load_run(write_run(tmp_path / name, groups={"observed": 8, "unobserved": 2}, examples=40, bonus=bonus))
        for name, bonus in (("a", 0.0), ("b", 0.3))
    ]
    (found,) = compare(*runs)
    groups = ("observed", "unobserved")

    def mean(run: Run, task: str, group: str) -> float:
        return fmean(each.mean_score for each in run.wording_scores() if (each.task, each.group) == (task, group))

    by_task = {
        task: [fmean(mean(run, task, group) for group in groups) for run in runs]
        for task in ("kb/colours", "kb/shapes", "tone/polite")
    }
    kb = [fmean(by_task[task][side] for task in ("kb/colours", "kb/shapes")) for side in range(2)]
    before, after = (fmean((kb[side], by_task["tone/polite"][side])) for side in range(2))
    line = found.lines[-1]
    assert (line.before, line.after, line.finding.estimate) == pytest.approx((before, after, after - before))
    assert line.finding.estimate != pytest.approx(found.top.finding.estimate)
    assert line.finding.low is not None
    assert line.finding.low < line.finding.estimate
    tested = {each.name: each for each in found.over_tasks}
    assert list(tested) == [*groups, "mean of groups"]
    theirs = stats.ttest_rel([each[1] for each in by_task.values()], [each[0] for each in by_task.values()])
    assert tested["mean of groups"].p_value == pytest.approx(theirs.pvalue)
    assert tested["mean of groups"].low == pytest.approx(theirs.confidence_interval().low)
    (shown,) = json.loads(compare_json.render([found]))["comparisons"]
    assert shown["over_tasks"][-1]["group"] == shown["rows"][-1]["group"] == "mean of groups"
    assert shown["over_tasks"][-1]["difference_percentage_points"] == pytest.approx(
        100 * fmean(after - before for before, after in by_task.values())
    )
    text = " ".join(compare_text.render([found], Screen(100)).split())
    assert f"Paired t-test over 3 tasks: {found.over_tasks_line.partition(': ')[2]}" in text
    rows = [row for row in comparison_results([found]) if row.group == "mean of groups"]
    assert [row.statistic for row in rows] == ["mean before", "mean after", "difference", "difference over tasks"]
    assert found.over_tasks_line in render_comparison([found])


def test_one_group_has_no_mean_of_groups_and_one_task_no_test(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / name, groups={"observed": 3}, bonus=bonus) for name, bonus in (("a", 0.0), ("b", 0.2))]
    (found,) = compare(*map(load_run, runs))
    assert not any(line.group for line in found.lines)
    assert [each.name for each in found.over_tasks] == ["observed"]
    runs = [write_run(tmp_path / f"one-{name}", tasks={"kb/colours": "KB"}) for name in ("a", "b")]
    (found,) = compare(*map(load_run, runs))
    assert found.lines[-1].group == "mean of groups"
    assert (found.over_tasks, found.over_tasks_line) == ((), "")


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.01, 0.2, "Better."),
        (-0.2, -0.01, "Worse."),
        (-0.1, 0.1, "No difference shown."),
        (None, None, "No difference shown."),
    ],
)
def test_a_change_is_named_only_if_its_interval_excludes_zero(low: float | None, high: float | None, word: str) -> None:
    assert direction_words(Finding("d", 0.0, 1, "m", low, high), ACCURACY) == word


def test_a_difference_in_words() -> None:
    found = Finding("d", 0.0123, 1, "m", -0.003, 0.027, 0.12)
    assert difference_words(found, ACCURACY) == "+1.2 points, 95% interval -0.3 to +2.7, p = 0.120"


def test_another_metric_has_its_unit_and_direction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (load_run(write_run(tmp_path / name, bonus=bonus)) for name, bonus in (("a", 0.0), ("b", 0.3)))
    (as_accuracy,) = compare(first, second)
    monkeypatch.setattr("phraseproof.analysis.grids.metric", lambda _: Mistakes())
    (found,) = compare(first, second)
    assert as_accuracy.sentences[0].startswith("Better. ")
    before, after = found.top.before, found.top.after
    assert found.sentences[0].startswith(f"Worse. {before:.3g} mistakes before, {after:.3g} mistakes after: +")
    text = compare_text.render([found], Screen(100))
    assert "mistakes; differences in mistakes, after minus before" in text
    assert "%" not in text.replace("95%", "")
    (shown,) = json.loads(compare_json.render([found]))["comparisons"]
    assert (shown["metric"], shown["unit"]) == ("mistakes", "mistakes")
    assert shown["rows"][-1]["before_percent"] == found.lines[-1].before
    (view,) = comparison_views([found])
    assert view.chart.data["intervals"][0]["difference"] == found.top.finding.estimate
    assert "mistakes" in view.chart.description


def test_runs_in_different_metrics_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = load_run(write_run(tmp_path / "a")), load_run(write_run(tmp_path / "b"))
    real = readings.metric_of
    monkeypatch.setattr(readings, "metric_of", lambda run: Mistakes() if run is first else real(run))
    with pytest.raises(UsageError, match="the runs are in different metrics"):
        compare(first, second)


def test_answers_are_those_of_the_tasks_and_wordings_that_are_compared(tmp_path: Path) -> None:
    tasks = {"kb/colours": "KB", "kb/shapes": "KB"}
    first = load_run(write_run(tmp_path / "a", tasks=tasks, groups={"observed": 4}))
    second = load_run(write_run(tmp_path / "b", tasks={"kb/colours": "KB", "tone/polite": "Tone"}))
    (found,) = compare(first, second)
    for side in (found.before, found.after):
        (task,) = found.compared(side)
        assert task.task == "kb/colours"
        assert set(task.groups) == {"observed"}
        assert task.confusion.shape[0] == len(task.wordings) == 4
    (shown,) = json.loads(compare_json.render([found]))["comparisons"]
    assert [each["task"] for each in shown["after"]["answers"]] == ["kb/colours"]
    assert all("means over tasks" not in line for line in found.answers)
