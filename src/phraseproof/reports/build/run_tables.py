"""Tables before any format: what they hold, and the lines and titles that people read with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.analysis.ranking import WordingRanking, rank_wordings
from phraseproof.analysis.robustness import Row, Summary, summarize
from phraseproof.analysis.significance.paired_t import compare_groups
from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError, UsageError
from phraseproof.reports.build.answers import answer_lines, at_shots
from phraseproof.reports.build.numbers import difference_in_unit, difference_with_unit, p_value, share_in_percent
from phraseproof.reports.build.text import short_model_name
from phraseproof.scoring.metric import Metric

if TYPE_CHECKING:
    from phraseproof.analysis.answers import TaskAnswers
    from phraseproof.evaluation.half_precision import HalfPrecision
    from phraseproof.store.queries import WordingScore


class Screen(NamedTuple):
    """Where text is shown; the other formats do not care.

    Attributes:
        width: columns.
        color: whether colours may be used: only where a person's terminal shows them.
    """

    width: int = 100
    color: bool = False


@dataclass(frozen=True, slots=True)
class RunScores:
    """One run as tables see it.

    Attributes:
        path: the run folder, as the user gave it.
        model: the model's name.
        scores: one for each task, group, wording and number of demonstrations.
        texts: each wording's text by task and `collection/id`.
        half_precision: what computing in half precision means for the choices; `None` in float32.
        metric: what scores are in.
        scoring: the scorer that chose the answers.
        groups: in the order in which `evaluate` was given them; empty where that is not known.
        share: the share of the grid that was scored; below 1, scores are estimates.
        answers: which answers were chosen, by task and number of demonstrations; empty where that is not known.
        settings: what the numbers depend on, as a line; empty where it is not known.
        readings: how surely answers were read, as lines.
    """

    path: str
    model: str
    scores: Sequence[WordingScore]
    texts: Mapping[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    half_precision: HalfPrecision | None = None
    metric: Metric = field(kw_only=True)
    scoring: str = "loglikelihood"
    groups: Sequence[str] = ()
    share: float = 1.0
    answers: Sequence[TaskAnswers] = ()
    settings: str = ""
    readings: Sequence[str] = ()

    @property
    def basis(self) -> str:
        """What the scores are based on, in a sentence; empty for outcomes of all examples."""
        if self.share < 1:
            share = f"{100 * self.share:.3g}%"
            return f"Estimated from {share} of the grid: accuracies are estimates, and wordings met different examples."
        if any(score.num_examples is None for score in self.scores):
            what = "Imported accuracies of wordings, without answers to single questions"
            return f"{what}: intervals are over wordings only."
        return ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know to interpret the run's numbers."""
        half = () if self.half_precision is None else (half_precision_line(self.half_precision),)
        return (*self.readings, *half)

    def text_of(self, score: WordingScore) -> str | None:
        """The text of the wording that a score is of, where it is known."""
        return self.texts.get((score.task, score.instruction))


@dataclass(frozen=True, slots=True)
class GroupComparison:
    """A group against the reference group: a finding, or the reason why there is none."""

    group: str
    reference: str
    finding: Finding | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class TaskTable:
    """One run at one number of demonstrations, by task."""

    run: RunScores
    summary: Summary
    comparisons: tuple[GroupComparison, ...]

    @property
    def num_fewshot(self) -> int:
        """Demonstrations in the prompts."""
        return self.summary.num_fewshot

    @property
    def answers(self) -> tuple[TaskAnswers, ...]:
        """Which answers were chosen in the table's tasks."""
        return at_shots(self.run.answers, self.num_fewshot)

    @property
    def answer_lines(self) -> tuple[str, ...]:
        """What the answers show without their accuracy, the most important first."""
        return answer_lines(self.answers, self.run.metric)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader must know to interpret the numbers: the run's notes, then the table's."""
        return (*self.run.notes, *self.summary.notes)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know to interpret the numbers: `answer_lines`, then `remarks`."""
        return (*self.answer_lines, *self.remarks)


@dataclass(frozen=True, slots=True)
class WordingTable:
    """One run at one number of demonstrations, by wording."""

    run: RunScores
    num_fewshot: int
    rankings: tuple[WordingRanking, ...]

    @property
    def answers(self) -> tuple[TaskAnswers, ...]:
        """Which answers were chosen in the table's tasks."""
        return at_shots(self.run.answers, self.num_fewshot)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the answers show without their accuracy, the most important first, then the run's notes."""
        return (*answer_lines(self.answers, self.run.metric), *self.run.notes)


def task_tables(runs: Sequence[RunScores], group_order: Sequence[str] = ()) -> list[TaskTable]:
    """One table for each run and number of demonstrations.

    Raises:
        NotEnoughDataError, RunError, UsageError: as `analysis.robustness.summarize`; a group in `group_order` must be
            in at least one of the runs.
    """
    return [
        TaskTable(run, summary, tuple(_comparison(summary, group, run.metric) for group in summary.groups[1:]))
        for run in runs
        for summary in summarize(_some_scores(run), group_order=_order_in(run, runs, group_order))
    ]


def wording_tables(runs: Sequence[RunScores], group_order: Sequence[str] = ()) -> list[WordingTable]:
    """One table for each run and number of demonstrations; raises as `task_tables`."""
    tables: list[WordingTable] = []
    for run in runs:
        rankings = rank_wordings(
            _some_scores(run),
            group_order=_order_in(run, runs, group_order),
            higher_is_better=run.metric.higher_is_better,
        )
        for shots in dict.fromkeys(ranking.num_fewshot for ranking in rankings):
            of_shots = tuple(ranking for ranking in rankings if ranking.num_fewshot == shots)
            tables.append(WordingTable(run, shots, of_shots))
    return tables


def rows_for_people(summary: Summary) -> list[Row]:
    """Each category above its tasks, the overall row last; a single task alone, because there is nothing to average."""
    if len(summary.tasks) == 1:
        return list(summary.tasks)
    rows: list[Row] = []
    for category in summary.categories:
        rows += [category, *(task for task in summary.tasks if task.category == category.name)]
    return [*rows, summary.overall]


def title(table: TaskTable | WordingTable) -> str:
    """The model and the number of demonstrations; of a model folder the last part."""
    return f"{short_model_name(table.run.model)}, {table.num_fewshot}-shot"


def difference_name(summary: Summary, group: str) -> str:
    """The heading of a group's differences."""
    return f"{group} minus {summary.groups[0]}"


def comparison_line(comparison: GroupComparison, metric: Metric) -> str:
    """One comparison as a sentence: the difference, its interval, p, n and the method; or why there is none."""
    names = f"Over tasks, {comparison.group} minus {comparison.reference}"
    found = comparison.finding
    if found is None:
        return f"{names}: no p-value, {comparison.reason}"
    parts = [f"{difference_with_unit(found.estimate, metric)}"]
    if found.low is not None and found.high is not None:
        parts.append(
            f"95% interval {difference_in_unit(found.low, metric)} to {difference_in_unit(found.high, metric)}"
        )
    if found.p_value is not None:
        parts.append(p_value(found.p_value))
    return f"{names}: {', '.join(parts)} ({found.method}, n = {found.n} tasks)"


def half_precision_line(found: HalfPrecision) -> str:
    """How many choices half precision leaves open, or that it is not known."""
    head = f"computed in {found.dtype}"
    if found.why_not:
        return f"{head}; the number of choices within its error of a tie is not known: {found.why_not}"
    prompts = f"{found.sampled_prompts} prompt{'' if found.sampled_prompts == 1 else 's'}"
    if found.bound is None:
        return f"{head}; on {prompts} its scores were not finite, so every choice could be another one in float32"
    measured = f"{found.bound:.2g}, twice the largest error on {prompts} scored in float32 as well"
    if found.rescored and found.scored_again is not None and found.expected_changes is not None:
        percent = share_in_percent(found.scored_again / found.choices)
        again = f"{found.scored_again:,} of {found.choices:,} choices ({percent}%)"
        return (
            f"{head}; {again}, those no further from a tie than its error bound ({measured}), were scored again in "
            f"float32, which changed {found.changed_again:,}; of the others, float32 is expected to change "
            f"{_few(found.expected_changes)}"
        )
    if found.rescored:
        return f"{head}; choices no further from a tie than its error bound ({measured}) were scored again in float32"
    share = f" ({share_in_percent(found.close / found.choices)}%)" if found.choices else ""
    counted = f"{found.close:,} of {found.choices:,} choices{share}"
    return f"{head}; {counted} are within its error bound of a tie ({measured}), and may differ in float32"


def _few(expected: float) -> str:
    return "fewer than 0.01" if expected < 0.01 else f"{expected:.2g}"


def ranking_title(ranking: WordingRanking) -> str:
    """The task, the group and how many wordings it has."""
    count = len(ranking.wordings)
    return f"{ranking.task}, {ranking.group}: {count} wording{'' if count == 1 else 's'}"


def _comparison(summary: Summary, group: str, metric: Metric) -> GroupComparison:
    reference = summary.groups[0]
    try:
        return GroupComparison(group, reference, compare_groups(summary, group, width=metric.width), None)
    except NotEnoughDataError as error:
        return GroupComparison(group, reference, None, str(error))


def _some_scores(run: RunScores) -> Sequence[WordingScore]:
    if not run.scores:
        raise NotEnoughDataError(
            "the run holds no finished cells", where=run.path, hint="Finish it with `phraseproof evaluate`"
        )
    return run.scores


def present_groups(runs: Sequence[RunScores]) -> list[str]:
    """The groups that have scores, in the order in which `evaluate` was given them."""
    present = {score.group for run in runs for score in run.scores}
    return [name for name in dict.fromkeys(group for run in runs for group in run.groups) if name in present]


def _order_in(run: RunScores, runs: Sequence[RunScores], group_order: Sequence[str]) -> list[str]:
    """The part of `group_order` that this run has; a name that no run has is the user's mistake."""
    everywhere = dict.fromkeys(score.group for each in runs for score in each.scores)
    group_order = group_order or present_groups(runs)
    for name in group_order:
        if name not in everywhere:
            raise UsageError(
                f"no group of wordings is called {name!r}",
                expected=f"some of: {', '.join(everywhere)}",
                where="--group-order",
            )
    here = {score.group for score in run.scores}
    return [name for name in group_order if name in here]
