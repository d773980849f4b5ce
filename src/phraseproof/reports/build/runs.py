"""Runs as reports see them: the numbers and names that tables, pages and gates are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from phraseproof.analysis.grids import metric_of
from phraseproof.errors import UsageError
from phraseproof.evaluation.half_precision import half_precision
from phraseproof.reports.build.answers import answer_lines, answers_of, at_shots
from phraseproof.reports.build.readings import reading_lines
from phraseproof.reports.build.run_tables import RunScores, half_precision_line
from phraseproof.reports.build.settings import setting_line
from phraseproof.scoring.metric import Metric

if TYPE_CHECKING:
    from phraseproof.analysis.answers import TaskAnswers
    from phraseproof.analysis.estimators.task_estimates import TaskEstimate
    from phraseproof.evaluation.half_precision import HalfPrecision
    from phraseproof.store.queries import Run, WordingScore


@dataclass(frozen=True, slots=True)
class EstimatedRun:
    """A run with a budget as tables see it.

    Attributes:
        path, model, texts, half_precision, metric, scoring, answers, settings, readings: as in `RunScores`.
        estimates: one per task and number of demonstrations.
        covariates: whether the texts took part in the estimates.
    """

    path: str
    model: str
    estimates: Sequence[TaskEstimate]
    texts: Mapping[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    covariates: bool = False
    half_precision: HalfPrecision | None = None
    metric: Metric = field(kw_only=True)
    scoring: str = "loglikelihood"
    answers: Sequence[TaskAnswers] = ()
    settings: str = ""
    readings: Sequence[str] = ()

    def answer_lines(self, num_fewshot: int) -> tuple[str, ...]:
        """What the answers at one number of demonstrations show without their accuracy, the most important first."""
        return answer_lines(at_shots(self.answers, num_fewshot), self.metric)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader must know to interpret the estimates."""
        from phraseproof.analysis.estimators.sample_size import too_few_cells, uncertain_stds

        half = [] if self.half_precision is None else [half_precision_line(self.half_precision)]
        return (*self.readings, *half, *filter(None, [too_few_cells(self.estimates), uncertain_stds(self.estimates)]))

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know to interpret the run's numbers: what the answers show, then `remarks`."""
        shots = dict.fromkeys(estimate.num_fewshot for estimate in self.estimates)
        answers = dict.fromkeys(line for number in shots for line in self.answer_lines(number))
        return (*answers, *self.remarks)


TableSource: TypeAlias = RunScores | EstimatedRun
"""A run as tables see it, by what is known of it."""


def table_sources(
    runs: Sequence[Run], *, group_order: Sequence[str] = (), covariates: bool = False
) -> list[TableSource]:
    """Read runs for tables: means over outcomes or as they were published, estimates of runs with a budget.

    Args:
        runs: open runs.
        group_order: groups to put first in estimates; `render` orders the others.
        covariates: use properties of the wordings' texts in estimates.

    Raises:
        UsageError: `covariates`, and no run has a budget.
        RunError: no cell is done, or one is damaged.
    """
    if covariates and all(run.share == 1 for run in runs):
        raise UsageError(
            "--covariates requires estimates",
            expected="a run of evaluate --budget",
            got=str(runs[0].path),
            where="--covariates",
        )
    return [_estimated(run, group_order, covariates=covariates) if run.share < 1 else run_scores(run) for run in runs]


def _estimated(run: Run, group_order: Sequence[str], *, covariates: bool) -> EstimatedRun:
    # Imported late: the estimators take longer to load than a small table needs in all.
    from phraseproof.analysis.estimators.budget import estimate_run

    return EstimatedRun(
        run.name,
        model_name(run),
        estimate_run(run, group_order=group_order, covariates=covariates),
        run.wording_texts(),
        covariates,
        half_precision(run),
        run.scoring,
        answers_of(run),
        setting_line(run),
        reading_lines(run),
        metric=metric_of(run),
    )


def run_scores(run: Run) -> RunScores:
    """Return everything that a table needs of an open run; scores of a run with a budget are estimates (`share`).

    Raises:
        RunError: no cell is done, or one is damaged.
    """
    return RunScores(
        run.name,
        model_name(run),
        scores_or_estimates(run),
        run.wording_texts(),
        half_precision(run),
        run.scoring,
        run.groups,
        run.share,
        answers_of(run),
        setting_line(run),
        reading_lines(run),
        metric=metric_of(run),
    )


def scores_or_estimates(run: Run) -> list[WordingScore]:
    """The scores of a run, or their estimates if the run has a budget; of imported results as they were published."""
    if run.share == 1:
        return run.wording_scores()
    from phraseproof.analysis.estimators.budget import estimated_scores

    return estimated_scores(run)


def model_name(run: Run) -> str:
    """The model as the user named it, with a hash of its adapter if there is one; failing that, the folder's name."""
    model: object = run.settings.get("model")
    if not isinstance(model, Mapping):
        return model if isinstance(model, str) else run.path.name
    identity: Mapping[str, str | None] = run.settings["model"]
    adapter = identity.get("adapter")
    return (identity.get("name") or run.path.name) + (f" + adapter {adapter[:8]}" if adapter else "")


def half_precision_notes(found: Mapping[str, HalfPrecision | None]) -> list[str]:
    """A line for each run that was computed in half precision, which may be none; by the runs' paths."""
    return [f"{path}: {half_precision_line(each)}" for path, each in found.items() if each is not None]
