"""What Python users call: `table`, `analyze`, `ensemble`, `compare`, `gate`, `report`, with options as of the commands.

Each takes run folders, as paths or opened with `load_run`. The first four return a `ResultTable`: one row per
estimate, with `.to_pandas()`, and an HTML view in notebooks.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.results import ResultTable
from phraseproof.errors import UsageError
from phraseproof.store.queries import Run, load_run

if TYPE_CHECKING:
    from phraseproof.reports.gate.result import GateResult

RunOrPath: TypeAlias = Run | str | Path


def table(
    run: RunOrPath,
    *,
    by: Literal["task", "wording"] = "task",
    group_order: Sequence[str] = (),
    covariates: bool = False,
    causes: bool = False,
    facets: bool = False,
    scoring: str | None = None,
    metric: str | None = None,
) -> ResultTable:
    """Show what a run holds: mean and standard deviation over wordings, per task, category and overall.

    The numbers are those of `phraseproof table`. Of a run with a budget they are estimates, with intervals and their
    method in the rows; of imported accuracies the method of a wording's mean is `published`.

    Args:
        run: a run folder, or a run that `load_run` opened.
        by: `task` for rows per task, category and overall; `wording` for a row per wording and task.
        group_order: groups to show first; the others are compared with the first of all. Default: the run's order.
        covariates: use properties of the wordings' texts in the estimates of a run with a budget.
        causes: show why accuracy differs between the wordings of each task instead (docs/causes.md); a sentence for
            each task is in the notes.
        facets: show how the variance of scores splits over wordings, draws of demonstrations, orders of options and
            examples instead (docs/few-shot.md); where extra effort should go is in the notes.
        scoring: the scorer whose outcomes are shown, if the run holds several. Default: the run's first.
        metric: the metric, likewise.

    Raises:
        RunError: not a run folder, damaged, or without finished cells.
        UsageError: an unknown group, or `covariates` without a budget.
    """
    from phraseproof.reports.build.causes import causes_reports, causes_results
    from phraseproof.reports.build.facets import facets_reports, facets_results
    from phraseproof.reports.build.results import table_results
    from phraseproof.reports.build.runs import table_sources

    if causes and facets:
        raise UsageError("causes and facets are different tables", hint="Ask for one of them")
    if facets:
        return facets_results(facets_reports([_opened(run, scoring)]))
    if causes:
        return causes_results(causes_reports([_opened(run, scoring, metric)]), by_wording=by == "wording")
    (source,) = table_sources([_opened(run, scoring, metric)], group_order=group_order, covariates=covariates)
    return table_results(source, by_wording=by == "wording", group_order=group_order)


def analyze(
    run: RunOrPath,
    *,
    group_order: Sequence[str] = (),
    seed: int = 0,
    resamples: int = 2000,
    scoring: str | None = None,
    metric: str | None = None,
) -> ResultTable:
    """Compute every statistic of a run with its 95% interval, and differences between groups with p-values.

    The numbers are those of `phraseproof analyze`; `docs/statistics.md` describes each statistic. Tests of single
    wordings, results of control conditions, power and mixed models: `phraseproof.reports.build.run_analysis.analyze`.

    Args:
        run: a run folder, or a run that `load_run` opened.
        group_order: groups to show first; the others are compared with the first of all. Default: the run's order.
        seed: of the bootstrap; the same run and seed give the same intervals.
        resamples: the number of bootstrap resamples.
        scoring: the scorer whose outcomes are shown, if the run holds several. Default: the run's first.
        metric: the metric, likewise.

    Raises:
        RunError: not a run folder, damaged, without finished cells, or with a budget.
        UsageError: an unknown group.
    """
    from phraseproof.reports.build.results import analysis_results
    from phraseproof.reports.build.run_analysis import AnalysisOptions
    from phraseproof.reports.build.run_analysis import analyze as analyze_run

    asked = AnalysisOptions(group_order=group_order, seed=seed, resamples=resamples)
    return analysis_results(analyze_run(_opened(run, scoring, metric), asked))


def ensemble(
    run: RunOrPath,
    *,
    how: Literal["mean_probability", "mean_logprob", "majority"] = "mean_probability",
    sizes: Sequence[int | Literal["all"]] = (1, 2, 3, 5, "all"),
    calibrate: str = "none",
    groups: Sequence[str] = (),
    tasks: Sequence[str] = (),
    seed: int = 0,
    scoring: str | None = None,
) -> ResultTable:
    """Compute what ensembles of wordings give and cost, judged on examples that their choice did not see.

    The numbers are those of `phraseproof ensemble`; `docs/ensembles.md` describes them. To combine log-probabilities
    of your own: `phraseproof.analysis.ensembles.combine`.

    Args:
        run: a run folder, or a run that `load_run` opened.
        how: how the answers of several wordings are combined.
        sizes: the numbers of wordings to combine.
        calibrate: `batch` or `prior-matching` adds ensembles of calibrated wordings.
        groups: the groups that wordings come from. Default: all.
        tasks: the tasks that are computed. Default: all.
        seed: of the division of examples, and of random choices of wordings.
        scoring: the scorer whose outcomes are used, if the run holds several. Default: the run's first.

    Raises:
        RunError: not a run folder, damaged, without finished cells, or with a budget.
        UsageError: an unknown name, or a metric other than accuracy.
        NotEnoughDataError: the run stores no log-probabilities, or too few wordings or examples.
    """
    from phraseproof.reports.build.ensembles import ensemble_reports, ensemble_results, read_settings

    settings = read_settings(how, ",".join(map(str, sizes)), calibrate, seed=seed)
    return ensemble_results(ensemble_reports(_opened(run, scoring), settings, groups=groups, tasks=tasks))


def compare(
    before: RunOrPath, after: RunOrPath, *, scoring: str | None = None, metric: str | None = None
) -> ResultTable:
    """Compare two runs on the tasks, wordings and examples that both hold.

    The numbers are those of `phraseproof compare`: means before and after, and their difference with its 95% interval
    and p-value, per task, category and overall.

    Args:
        before: the run to start from, as a folder or opened.
        after: the run that is compared with it.
        scoring: the scorer whose outcomes are compared, if the runs hold several. Default: each run's first.
        metric: the metric, likewise.

    Raises:
        RunError: not a run folder, damaged, or without finished cells.
        NotEnoughDataError: the runs share no wording on any task.
    """
    from phraseproof.reports.build.compare import compare as compare_runs
    from phraseproof.reports.build.results import comparison_results

    return comparison_results(compare_runs(_opened(before, scoring, metric), _opened(after, scoring, metric)))


def gate(
    run: RunOrPath,
    *,
    max_spread: float | None = None,
    min_worst: float | None = None,
    min_mean: float | None = None,
    max_gap: float | None = None,
    no_worse_than: RunOrPath | None = None,
    margin: float = 0.0,
    on: Literal["estimate", "bound"] = "estimate",
    at: Literal["task", "category", "overall"] = "task",
    scoring: str | None = None,
    metric: str | None = None,
) -> GateResult:
    """Check a run against limits, as `phraseproof gate` does.

    Args:
        run: a run folder, or a run that `load_run` opened. It must be complete.
        max_spread: the largest standard deviation over a group's wordings, in percentage points.
        min_worst: the lowest accuracy of a group's worst wording, in percent.
        min_mean: the lowest mean accuracy over a group's wordings, in percent.
        max_gap: by how many points a group may be worse than the first group.
        no_worse_than: another run on the same wordings and questions.
        margin: by how many points this run may be worse than that one.
        on: what is compared with the limits: the estimate, or the worse end of its 95% interval.
        at: where the limits must be kept: on every task, in every category, or overall.
        scoring: the scorer whose outcomes are checked, if the run holds several. Default: the run's first.
        metric: the metric, likewise.

    Returns:
        Its `passed` says whether all limits are kept, its `checks` where not and by how much.

    Raises:
        UsageError: no limit, or one that is not between 0 and 100.
        RunError: a run is incomplete or damaged.
    """
    from phraseproof.reports.gate.limits import Limits, On
    from phraseproof.reports.gate.result import gate_run

    other = None if no_worse_than is None else _opened(no_worse_than, scoring, metric)
    limits = Limits(max_spread, min_worst, min_mean, max_gap, None if other is None else margin)
    return gate_run(_opened(run, scoring, metric), limits, on=On(on), at=Level(at), other=other)


def report(
    runs: RunOrPath | Sequence[RunOrPath],
    out: str | Path,
    *,
    title: str | None = None,
    current: str | None = None,
    scoring: str | None = None,
    metric: str | None = None,
) -> Path:
    """Write one HTML file with everything that runs and searches hold, as `phraseproof report` does.

    Args:
        runs: one or several run folders; folders of trainings add their loss curves, those of `harden --methods` the
            result of the search.
        out: the file to write.
        title: the page's heading. Default: made from the models' names.
        current: the wording in use today, as `collection/id`; the page marks it.
        scoring: the scorer whose outcomes are shown, if the runs hold several. Default: each run's first.
        metric: the metric, likewise.

    Returns:
        The path of the file.

    Raises:
        RunError: a folder that is no run, no training and no search.
        UsageError: neither run nor search, an unknown wording, or `out` is a folder.
        MissingExtraError: the extra `report` is not installed.
    """
    from phraseproof.files import write_text
    from phraseproof.reports.build.sources import open_sources
    from phraseproof.reports.html.report import render_report

    target = Path(out)
    if target.is_dir():
        raise UsageError("a report is one file, and this is a folder", got=str(out), where="out")
    given = [runs] if isinstance(runs, Run | str | Path) else runs
    paths = [each.path if isinstance(each, Run) else Path(each) for each in given]
    text = render_report(open_sources(paths, scoring=scoring, metric=metric), title=title, current=current)
    write_text(target, text)
    return target


def _opened(run: RunOrPath, scoring: str | None, metric: str | None = None) -> Run:
    opened = run if isinstance(run, Run) else load_run(run)
    return opened if scoring is None and metric is None else opened.select(scoring, metric)
