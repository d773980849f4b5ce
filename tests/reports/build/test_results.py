"""The rows of commands: one per estimate, whatever the run holds."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import pytest

from phraseproof.errors import UsageError
from phraseproof.reports.build.compare import compare
from phraseproof.reports.build.results import analysis_results, comparison_results, table_results
from phraseproof.reports.build.run_analysis import AnalysisOptions, analyze
from phraseproof.reports.build.run_tables import RunScores
from phraseproof.reports.build.runs import table_sources
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from phraseproof.store.queries import load_run
from support.report_runs import write_run
from support.scorer_grids import one_task
from support.table_samples import VALUES, scores


def test_means_of_tasks_categories_and_all() -> None:
    found = table_results(RunScores("runs/a", "m", scores(VALUES), metric=ACCURACY))
    (overall,) = found.select(level="overall", group="observed", statistic="mean")
    # Categories: qa 62.5 and bc 85 percent (by hand from VALUES).
    assert overall.estimate == pytest.approx((62.5 + 85) / 2)
    assert found.title == "runs/a, 0-shot, loglikelihood"
    by_wording = table_results(RunScores("runs/a", "m", scores(VALUES), metric=ACCURACY), by_wording=True)
    of_task = [row.estimate for row in by_wording.select(task="qa/one", group="observed")]
    assert fmean(of_task) == pytest.approx(found.select(task="qa/one", group="observed", statistic="mean")[0].estimate)


def test_a_group_that_the_run_lacks_is_refused() -> None:
    with pytest.raises(UsageError, match="no group of wordings is called 'other'"):
        table_results(RunScores("r", "m", scores(VALUES), metric=ACCURACY), group_order=["other"])


def test_estimates_of_several_covariates_need_a_budget(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--covariates requires estimates"):
        table_sources([load_run(write_run(tmp_path / "a"))], covariates=True)


def test_an_analysis_and_a_comparison_agree_on_means(tmp_path: Path) -> None:
    earlier, later = load_run(write_run(tmp_path / "a")), load_run(write_run(tmp_path / "b", bonus=0.2))
    (after,) = analyze(later, AnalysisOptions(resamples=50))
    analysis = analysis_results([after])
    compared = comparison_results(compare(earlier, later))
    for task in ("kb/colours", "kb/shapes", "tone/polite"):
        own = [score.mean_score for score in later.wording_scores() if score.task == task]
        (row,) = compared.select(task=task, group="", statistic="mean after")
        assert row.estimate == pytest.approx(100 * fmean(own))
        assert row.category == {"kb": "KB", "tone": "Tone"}[task.partition("/")[0]]
        assert row.run == str(later.path)
        means = [analysis.select(task=task, group=group, statistic="mean")[0].estimate for group in later.groups]
        assert (4 * means[0] + 3 * means[1]) / 7 == pytest.approx(row.estimate)
    assert any(note.startswith("Better. ") for note in compared.notes)


def test_an_analysis_compares_the_scorers_of_the_run(tmp_path: Path) -> None:
    found = analysis_results(analyze(one_task(tmp_path / "a"), AnalysisOptions(resamples=50)))
    (common,) = found.select(statistic="common share")
    assert (common.scoring, common.n) == ("generate,loglikelihood", 12)
    assert sum("is common to both" in note for note in found.notes) == 1
