"""What Python users call: `table`, `analyze`, `compare`, `gate` and `report`, with the options of the commands.

Each takes run folders, as paths or opened with `load_run`. The first three return a `ResultTable`: one row per
estimate, with `.to_pandas()`, and an HTML view in notebooks.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.results import WORDING, ResultRow, ResultTable
from phraseproof.errors import UsageError
from phraseproof.store.queries import Run, load_run

if TYPE_CHECKING:
    from phraseproof.analysis.result_rows import RowSource
    from phraseproof.reports.build.compare import ComparisonReport
    from phraseproof.reports.gate.result import GateResult

RunOrPath: TypeAlias = Run | str | Path


def table(
    run: RunOrPath,
    *,
    by: Literal["task", "wording"] = "task",
    group_order: Sequence[str] = (),
    covariates: bool = False,
    scoring: str | None = None,
) -> ResultTable:
    """Show what a run holds: mean and standard deviation over wordings, per task, category and overall.

    The numbers are those of `phraseproof table`. Of a run with a budget they are estimates, with intervals and their
    method in the rows; of imported accuracies the method of a wording's mean is `published`.

    Args:
        run: a run folder, or a run that `load_run` opened.
        by: `task` for rows per task, category and overall; `wording` for a row per wording and task.
        group_order: groups to show first; the others are compared with the first of all. Default: the run's order.
        covariates: use properties of the wordings' texts in the estimates of a run with a budget.
        scoring: the scorer whose outcomes are shown, if the run holds several. Default: the run's first.

    Raises:
        RunError: not a run folder, damaged, or without finished cells.
        UsageError: an unknown group, or `covariates` without a budget.
    """
    from phraseproof.analysis.result_rows import estimate_rows, summary_rows, wording_rows
    from phraseproof.analysis.robustness import summarize
    from phraseproof.reports.build.runs import present_groups, run_scores

    opened = _opened(run, scoring)
    if covariates and not opened.is_sampled:
        raise UsageError("covariates require a run with a budget", got=str(opened.path), where="covariates")
    rows: list[ResultRow] = []
    if opened.is_sampled:
        from phraseproof.analysis.estimators.budget import estimate_run, over_tasks
        from phraseproof.analysis.estimators.sample_size import too_few_cells

        tasks = estimate_run(opened, group_order=group_order, covariates=covariates)
        for each, level in ((tasks, Level.TASK), (over_tasks(tasks), Level.CATEGORY)):
            for estimate in each:
                rows += estimate_rows([estimate], _source(opened, estimate.num_fewshot), level=level)
        wanted = [row for row in rows if (row.level == WORDING) == (by == WORDING)]
        few = too_few_cells(tasks)
        return ResultTable(tuple(wanted), (few,) if few else ())
    scores = run_scores(opened)
    if by == "wording":
        for score in scores.scores:
            rows += wording_rows([score], _source(opened, score.num_fewshot))
        return ResultTable(tuple(rows), scores.notes)
    notes = list(scores.notes)
    for summary in summarize(scores.scores, group_order=group_order or present_groups([opened], [scores])):
        rows += summary_rows(summary, _source(opened, summary.num_fewshot))
        notes += summary.notes
    return ResultTable(tuple(rows), tuple(dict.fromkeys(notes)))


def analyze(
    run: RunOrPath,
    *,
    group_order: Sequence[str] = (),
    seed: int = 0,
    resamples: int = 2000,
    scoring: str | None = None,
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

    Raises:
        RunError: not a run folder, damaged, without finished cells, or with a budget.
        UsageError: an unknown group.
    """
    from phraseproof.analysis.grids import load_grids
    from phraseproof.analysis.result_rows import statistics_rows
    from phraseproof.analysis.statistics import robustness

    opened = _opened(run, scoring)
    grids = load_grids(opened)
    present = {group for grid in grids for group in grid.groups}
    order = group_order or [group for group in opened.groups if group in present]
    rows: list[ResultRow] = []
    notes: list[str] = []
    for found in robustness(grids, group_order=order, seed=seed, resamples=resamples):
        rows += statistics_rows(found, _source(opened, found.num_fewshot))
        notes += found.notes
    return ResultTable(tuple(rows), tuple(dict.fromkeys(notes)))


def compare(before: RunOrPath, after: RunOrPath, *, scoring: str | None = None) -> ResultTable:
    """Compare two runs on the tasks, wordings and examples that both hold.

    The numbers are those of `phraseproof compare`: means before and after, and their difference with its 95% interval
    and p-value, per task, category and overall.

    Args:
        before: the run to start from, as a folder or opened.
        after: the run that is compared with it.
        scoring: the scorer whose outcomes are compared, if the runs hold several. Default: each run's first.

    Raises:
        RunError: not a run folder, damaged, or without finished cells.
        NotEnoughDataError: the runs share no wording on any task.
    """
    from phraseproof.analysis.result_rows import comparison_rows
    from phraseproof.reports.build.compare import compare as compare_runs

    earlier, later = _opened(before, scoring), _opened(after, scoring)
    found: list[ComparisonReport] = compare_runs(earlier, later)
    categories = {cell.task: cell.category for cell in later.cells}
    rows: list[ResultRow] = []
    for each in found:
        rows += comparison_rows(each.lines, _source(later, each.num_fewshot), categories=categories)
    notes = dict.fromkeys(note for each in found for note in (*each.sentences, *each.notes))
    return ResultTable(tuple(rows), tuple(notes))


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
        on: what is held against the limits: the estimate, or the worse end of its 95% interval.
        at: where the limits must be kept: on every task, in every category, or overall.
        scoring: the scorer whose outcomes are checked, if the run holds several. Default: the run's first.

    Returns:
        Its `passed` says whether all limits are kept, its `checks` where not and by how much.

    Raises:
        UsageError: no limit, or one that is not between 0 and 100.
        RunError: a run is incomplete or damaged.
    """
    from phraseproof.reports.gate.limits import Limits, On
    from phraseproof.reports.gate.result import gate_run

    other = None if no_worse_than is None else _opened(no_worse_than, scoring)
    limits = Limits(max_spread, min_worst, min_mean, max_gap, None if other is None else margin)
    return gate_run(_opened(run, scoring), limits, on=On(on), at=Level(at), other=other)


def report(
    runs: RunOrPath | Sequence[RunOrPath],
    out: str | Path,
    *,
    title: str | None = None,
    current: str | None = None,
    scoring: str | None = None,
) -> Path:
    """Write one HTML file with everything that runs hold, as `phraseproof report` does.

    Args:
        runs: one or several run folders; folders of trainings add their loss curves.
        out: the file to write.
        title: the page's heading. Default: made from the models' names.
        current: the wording in use today, as `collection/id`; the page marks it.
        scoring: the scorer whose outcomes are shown, if the runs hold several. Default: each run's first.

    Returns:
        The path of the file.

    Raises:
        RunError: a folder that is neither a run nor a training.
        UsageError: no run, an unknown wording, or `out` is a folder.
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
    text = render_report(open_sources(paths, scoring=scoring), title=title, current=current)
    write_text(target, text)
    return target


def _opened(run: RunOrPath, scoring: str | None) -> Run:
    opened = run if isinstance(run, Run) else load_run(run)
    return opened if scoring is None else opened.select(scoring)


def _source(run: Run, num_fewshot: int) -> RowSource:
    from phraseproof.analysis.grids import metric_of
    from phraseproof.analysis.result_rows import RowSource

    return RowSource(str(run.path), num_fewshot, run.scoring, metric_of(run))
