"""What `phraseproof analyze` says of a run, before any format."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from phraseproof.analysis.causes.run import RunCauses
from phraseproof.analysis.causes.run_scorers import RunScorers, run_scorers
from phraseproof.analysis.controls import ControlResult, results_of_controls
from phraseproof.analysis.estimators.resampling import RESAMPLES
from phraseproof.analysis.facets.run import RunFacets, run_facets
from phraseproof.analysis.grids import TaskGrid, group_relations, load_grids, metric_of
from phraseproof.analysis.position_bias import PositionBias, position_bias
from phraseproof.analysis.power import RequiredSize, VarianceComponents, sizes_for, variance_components
from phraseproof.analysis.significance.equivalence import Equivalence, equivalence
from phraseproof.analysis.significance.mcnemar import WordingTest, wordings_against
from phraseproof.analysis.significance.mixed_model import VarianceShares, mixed_effects
from phraseproof.analysis.significance.paired_t import paired_t_test
from phraseproof.analysis.significance.permutation import paired_permutation_test
from phraseproof.analysis.statistics import Robustness, StatisticsRow, robustness
from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError, PhraseproofError, UsageError
from phraseproof.evaluation.half_precision import half_precision
from phraseproof.reports.build.answers import answer_lines, answers_of, at_shots
from phraseproof.reports.build.quality import RunQuality, causes_and_quality
from phraseproof.reports.build.readings import reading_lines
from phraseproof.reports.build.run_tables import half_precision_line
from phraseproof.reports.build.runs import model_name
from phraseproof.reports.build.settings import setting_line
from phraseproof.scoring.metric import Metric

if TYPE_CHECKING:
    from phraseproof.analysis.answers import TaskAnswers
    from phraseproof.evaluation.half_precision import HalfPrecision
    from phraseproof.store.queries import Run

_T = TypeVar("_T")

# More examples are shown where they save at least 5% of the wordings.
_SPARES = 0.95


class NotEstimable(NamedTuple):
    """The reason why something cannot be estimated from the data."""

    reason: str


@dataclass(frozen=True, slots=True)
class AnalysisOptions:
    """The options of an analysis.

    Attributes:
        margin: differences smaller than this do not matter; in points, or in the metric's unit where that is not "%".
            By default two points, or the metric's own margin.
        difference: the difference for which power is computed; in the same unit, with the same default.
        against: a wording that every other one is tested against, on every task that has it.
        mixed: fit mixed-effects models, which takes seconds per task and group.
    """

    group_order: Sequence[str] = ()
    margin: float | None = None
    difference: float | None = None
    against: str | None = None
    mixed: bool = False
    seed: int = 0
    resamples: int = RESAMPLES


class GroupTest(NamedTuple):
    """A group against the first, in several ways.

    Attributes:
        over_wordings: the difference of overall means, by the crossed bootstrap.
        over_tasks: of task means, by the paired t-test (the paper's).
        permutation: of task means, by the paired permutation test.
        equivalence: whether the overall difference is smaller than the margin.
    """

    group: str
    reference: str
    over_wordings: Finding | NotEstimable
    over_tasks: Finding | NotEstimable
    permutation: Finding | NotEstimable
    equivalence: Equivalence | NotEstimable


class Variances(NamedTuple):
    """The parts of a group's variance, and the numbers of wordings and examples that detect a difference."""

    group: str
    components: VarianceComponents | NotEstimable
    sizes: tuple[RequiredSize, ...]


class Fitted(NamedTuple):
    """A mixed-effects model of one group on one task."""

    task: str
    group: str
    shares: VarianceShares | NotEstimable


class Against(NamedTuple):
    """Every other wording of a task against one, the reference."""

    task: str
    reference: str
    tests: tuple[WordingTest, ...] | NotEstimable


@dataclass(frozen=True, slots=True)
class RunAnalysis:
    """One run at one number of demonstrations.

    Attributes:
        difference: the difference that the sizes in `variances` can detect, as scores are stored (a fraction for "%");
            `None` where nothing is known of it, and there are no sizes.
        half_precision: what computing in half precision means for the choices; `None` in float32.
        metric: what scores are in.
        scoring: the scorer that chose the answers.
        answers: which answers were chosen, by task; empty where that is not known.
        settings: what the numbers depend on, as a line; empty where it is not known.
        readings: how surely answers were read, as lines.
        causes: of the spread over the wordings.
        scorers: all scorers of the run, compared.
        facets: the components of variance over wordings, draws, orders and examples.
        position_bias: of a judge that compared pairs of texts.
        quality: Brier score, calibration error and other measures.
    """

    path: str
    model: str
    robustness: Robustness
    tests: tuple[GroupTest, ...]
    control_results: tuple[ControlResult, ...]
    variances: tuple[Variances, ...]
    mixed: tuple[Fitted, ...]
    against: tuple[Against, ...]
    difference: float | None
    half_precision: HalfPrecision | None = None
    metric: Metric = field(kw_only=True)
    scoring: str = "loglikelihood"
    answers: tuple[TaskAnswers, ...] = ()
    settings: str = ""
    readings: tuple[str, ...] = ()
    causes: RunCauses = field(default_factory=RunCauses)
    quality: RunQuality = field(default_factory=RunQuality)
    scorers: RunScorers = field(default_factory=RunScorers)
    facets: RunFacets = field(default_factory=RunFacets)
    position_bias: PositionBias | None = None

    @property
    def answer_lines(self) -> tuple[str, ...]:
        """What the answers show without their accuracy, the most important first."""
        return answer_lines(self.answers, self.metric)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader must know to interpret the statistics."""
        half = () if self.half_precision is None else (half_precision_line(self.half_precision),)
        return (*self.readings, *self.robustness.notes, *half)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know to interpret the numbers: `answer_lines`, then `remarks`."""
        return (*self.answer_lines, *self.remarks)

    @property
    def num_fewshot(self) -> int:
        """Demonstrations in the prompts."""
        return self.robustness.num_fewshot

    @property
    def rows(self) -> tuple[StatisticsRow, ...]:
        """Every row once: what would only repeat a lone task or category is left out."""
        found = self.robustness
        if len(found.tasks) == 1:
            return found.tasks
        if len(found.categories) == 1:
            return (*found.tasks, found.overall)
        return (*found.tasks, *found.categories, found.overall)


def analyze(run: Run, options: AnalysisOptions) -> list[RunAnalysis]:
    """All statistics of a run, an analysis for each number of demonstrations.

    Raises:
        RunError, UsageError: as `load_grids`, `robustness` and `wordings_against`.
    """
    metric = metric_of(run)
    margin = metric.default_margin if options.margin is None else options.margin / metric.scale
    difference = metric.default_margin if options.difference is None else options.difference / metric.scale
    for name, value in (("--margin", margin), ("--difference", difference)):
        if value is not None and not 0 < value < metric.width:
            unit = "points" if metric.unit == "%" else metric.unit or metric.name
            most = f" and below {metric.scale * metric.width:g}" if math.isfinite(metric.width) else ""
            got = f"{metric.scale * value:g}"
            raise UsageError("not a difference of scores", expected=f"{unit}, above 0{most}", got=got, where=name)
    options = replace(options, margin=margin, difference=difference)
    grids = load_grids(run)
    present = {group for grid in grids for group in grid.groups}
    order = options.group_order or [group for group in run.groups if group in present]
    if options.against is not None and not any(options.against in grid.wordings for grid in grids):
        raise UsageError(f"no task has the wording {options.against!r}", where="--against")
    found = robustness(grids, group_order=order, seed=options.seed, resamples=options.resamples)
    control_results = results_of_controls(
        grids, group_relations(run), margin=options.margin, seed=options.seed, resamples=options.resamples
    )
    half = half_precision(run)
    answers, settings, lines = answers_of(run), setting_line(run), reading_lines(run)
    causes, quality = causes_and_quality(run, seed=options.seed)
    scorers, facets = run_scorers(run, seed=options.seed), run_facets(run, seed=options.seed)
    bias = None if run.accuracies else position_bias(run)
    analyses: list[RunAnalysis] = []
    for each in found:
        here = [grid for grid in grids if grid.num_fewshot == each.num_fewshot]
        analyses.append(
            RunAnalysis(
                run.name,
                model_name(run),
                each,
                tuple(_tests(each, options, metric)),
                tuple(result for result in control_results if result.num_fewshot == each.num_fewshot),
                tuple(_variances(here, group, options) for group in each.groups),
                tuple(_mixed(here, options)) if options.mixed else (),
                tuple(_against(here, options.against)) if options.against is not None else (),
                options.difference,
                half,
                run.scoring,
                at_shots(answers, each.num_fewshot),
                settings,
                lines,
                causes.at_shots(each.num_fewshot),
                quality.get(each.num_fewshot, RunQuality()),
                scorers.at_shots(each.num_fewshot),
                facets.at_shots(each.num_fewshot),
                position_bias=bias,
                metric=metric,
            )
        )
    return analyses


def _tests(found: Robustness, options: AnalysisOptions, metric: Metric) -> list[GroupTest]:
    reference = found.groups[0]
    tests: list[GroupTest] = []
    for group in found.groups[1:]:
        shared = [row.groups for row in found.tasks if reference in row.groups and group in row.groups]
        first, second = ([groups[side].findings["mean"].estimate for groups in shared] for side in (reference, group))
        name = f"{group} minus {reference}"
        difference = found.overall.differences.get(group) or NotEstimable(found.overall.why_not[group])
        tests.append(
            GroupTest(
                group,
                reference,
                difference,
                _or_not_estimable(lambda a=first, b=second, n=name: paired_t_test(a, b, name=n, width=metric.width)),
                _or_not_estimable(
                    lambda a=first, b=second, n=name: paired_permutation_test(a, b, name=n, seed=options.seed)
                ),
                _equivalence(difference, options.margin, metric),
            )
        )
    return tests


def _equivalence(
    difference: Finding | NotEstimable, margin: float | None, metric: Metric
) -> Equivalence | NotEstimable:
    if isinstance(difference, NotEstimable):
        return difference
    if margin is None:
        return NotEstimable(f"the metric {metric.name!r} has no margin; give one with --margin")
    return _or_not_estimable(lambda: equivalence(difference, margin))


def _variances(grids: Sequence[TaskGrid], group: str, options: AnalysisOptions) -> Variances:
    components = _or_not_estimable(lambda: variance_components(grids, group))
    if isinstance(components, NotEstimable) or options.difference is None:
        return Variances(group, components, ())
    return Variances(group, components, _sizes(components, options.difference))


def _sizes(components: VarianceComponents, difference: float) -> tuple[RequiredSize, ...]:
    """The informative sizes: none where all scores are equal, and more examples only where they save wordings."""
    if components.wording + components.interaction == 0:
        return ()
    kept: list[RequiredSize] = []
    for size in sizes_for(components, difference):
        if not kept or size.wordings <= _SPARES * kept[-1].wordings:
            kept.append(size)
    return tuple(kept)


def _mixed(grids: Sequence[TaskGrid], options: AnalysisOptions) -> list[Fitted]:
    return [
        Fitted(grid.task, group, _or_not_estimable(lambda g=grid, n=group: mixed_effects(g, n, seed=options.seed)))
        for grid in grids
        for group in dict.fromkeys(grid.groups)
    ]


def _against(grids: Sequence[TaskGrid], reference: str) -> list[Against]:
    return [
        Against(grid.task, reference, _or_not_estimable(lambda g=grid: wordings_against(g, reference)))
        for grid in grids
        if reference in grid.wordings
    ]


def _or_not_estimable(compute: Callable[[], _T]) -> _T | NotEstimable:
    try:
        return compute()
    except NotEnoughDataError as error:
        return NotEstimable(str(error))
    except PhraseproofError as error:
        return NotEstimable(error.problem)


LABELS: Mapping[str, str] = {
    "mean": "mean",
    "std": "Std over wordings",
    "std_beyond_chance": "Std beyond chance",
    "range": "range",
    "worst": "worst wording",
    "best": "best wording",
    "q05": "5% quantile",
    "q25": "25% quantile",
    "q50": "median",
    "q75": "75% quantile",
    "q95": "95% quantile",
    "flips": "examples that flip",
    "pairwise_flips": "pairs that differ",
    "kappa": "Fleiss' kappa",
}
"""The names of the statistics in text for people."""
