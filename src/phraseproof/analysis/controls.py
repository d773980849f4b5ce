"""Whether a model reads its instruction, judged by control conditions.

A control wording asks for the opposite, for something else or for nothing. It should cost accuracy (paper, section 4.5
and Table 9). A model that scores as well with it does not read its instruction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from phraseproof.analysis.aggregation import paper_weights
from phraseproof.analysis.estimators.crossed import Sample, Term, crossed_mean, draw_samples
from phraseproof.analysis.estimators.resampling import RESAMPLES, Resampler
from phraseproof.analysis.grids import TaskGrid
from phraseproof.analysis.significance.equivalence import Answer, not_worse
from phraseproof.analysis.significance.paired_t import paired_t_test
from phraseproof.core import Finding, Relation
from phraseproof.errors import NotEnoughDataError
from phraseproof.scoring.metric import Metric

CONTROLS = (Relation.NEGATED, Relation.NONSENSICAL, Relation.INCORRECT)
"""The relations that should lower accuracy."""

_REFERENCES = (Relation.CLOSEST, Relation.OBSERVED, Relation.UNOBSERVED, Relation.PARAPHRASE, Relation.TASK_DESIGNER)

_FURTHER_REFERENCES = {Relation.INCORRECT: Relation.UNOBSERVED}
"""What a control is also compared with: the paper's Table 9 compares incorrect wordings with collected ones."""


class Conclusion(StrEnum):
    """The result of a control condition."""

    READING = "reading"
    NOT_READING = "not reading"
    UNCLEAR = "unclear"
    AT_CHANCE = "at chance"


@dataclass(frozen=True, slots=True)
class ControlResult:
    """One group of control wordings against correct ones.

    Attributes:
        task: the task, or `None` for all tasks together.
        group, relation: the control.
        reference: the group of correct wordings it is compared with: the closest if there are any, else the observed,
            else other correct ones. `incorrect` is also compared with unobserved wordings, which the paper calls
            collected: its claim is that incorrect ones do at least as well as these.
        word: `at chance` if the interval of the reference does not show that it is better than guessing: controls then
            show nothing. Else `not reading` if the control scores as well, by a one-sided test of non-inferiority with
            the margin; `reading` if it scores worse, by an interval that excludes 0; else `unclear`.
        finding: control minus reference; `None` if there is not enough data.
        over_tasks: the same by the paired t-test over tasks (the paper's); `None` on a single task.
        reason: why, as a clause whose subject is the control.
    """

    num_fewshot: int
    task: str | None
    group: str
    relation: Relation
    reference: str
    word: Conclusion
    finding: Finding | None
    reason: str
    over_tasks: Finding | None = None


def results_of_controls(
    grids: Sequence[TaskGrid],
    relations: Mapping[str, Relation],
    *,
    margin: float | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> tuple[ControlResult, ...]:
    """The result of every control group, for all tasks together and for each.

    Args:
        grids: as `grids.load_grids` gives them.
        relations: what each group is, as `grids.group_relations` returns it.
        margin: a control that is worse by less than this scores as well, in the scores' unit. By default the metric's;
            where it has none, no control is found to score as well.

    Returns:
        By number of demonstrations, then control, then reference, then all tasks before single ones; none where there
        are no controls or no correct wordings to compare them with.

    Raises:
        UsageError: the margin is not above 0.
    """
    reference = next((group for word in _REFERENCES for group in relations if relations[group] is word), None)
    controls = [group for word in CONTROLS for group in relations if relations[group] is word]
    if reference is None or not controls:
        return ()
    contrasts = [
        (control, base)
        for control in controls
        for base in dict.fromkeys([reference, *_further_references(relations[control], relations)])
    ]
    results: list[ControlResult] = []
    for shots in sorted({grid.num_fewshot for grid in grids}):
        drawn = Resampler(seed, resamples)
        samples = [(grid, draw_samples(grid, drawn)) for grid in grids if grid.num_fewshot == shots]
        for control, base in contrasts:
            shared = [(grid, of) for grid, of in samples if control in of and base in of]
            parts = [shared, *([each] for each in shared)] if len(shared) > 1 else [shared]
            results += [_compared(part, control, base, relations[control], margin) for part in parts if part]
    return tuple(results)


_Tasks = Sequence[tuple[TaskGrid, Mapping[str, Sample]]]
"""The tasks that have both groups, with their samples by group."""


def _further_references(relation: Relation, relations: Mapping[str, Relation]) -> list[str]:
    wanted = _FURTHER_REFERENCES.get(relation)
    return [group for group, word in relations.items() if word is wanted][:1]


def _compared(part: _Tasks, control: str, reference: str, relation: Relation, margin: float | None) -> ControlResult:
    weights = paper_weights([grid.category for grid, _ in part])
    terms = [
        Term(of[group], sign * weight)
        for (_, of), weight in zip(part, weights, strict=True)
        for group, sign in ((control, 1.0), (reference, -1.0))
    ]
    name = f"{control} minus {reference}"
    finding = crossed_mean(terms, name=name, is_difference=True)
    metric = part[0][0].metric
    word, reason = _guessed(part, reference) or _judge(
        finding, metric.default_margin if margin is None else margin, reference, metric
    )
    over_tasks = None
    if len(part) > 1:
        means = [[float(of[group].grid.means.mean()) for _, of in part] for group in (reference, control)]
        over_tasks = paired_t_test(means[0], means[1], name=name)
    first = part[0][0]
    task = first.task if len(part) == 1 else None
    return ControlResult(first.num_fewshot, task, control, relation, reference, word, finding, reason, over_tasks)


def _guessed(part: _Tasks, reference: str) -> tuple[Conclusion, str] | None:
    """The word where correct wordings do no better than guessing; `None` where they do, or chance is not known."""
    weights = paper_weights([grid.category for grid, _ in part])
    chances = [grid.chance for grid, _ in part if grid.chance is not None]
    if len(chances) < len(part):
        return None
    chance = sum(weight * each for weight, each in zip(weights, chances, strict=True))
    terms = [Term(of[reference], weight) for (_, of), weight in zip(part, weights, strict=True)]
    mean = crossed_mean(terms, name=reference)
    # Without an interval nothing varies, or nothing is known of how it would.
    if (mean.estimate if mean.low is None else mean.low) > chance:
        return None
    scored = f"{100 * mean.estimate:.1f}%"
    if mean.low is not None and mean.high is not None:
        scored += f" [{100 * mean.low:.1f}, {100 * mean.high:.1f}]"
    reason = f"it shows nothing, because {reference} is not shown to be better than guessing either"
    return Conclusion.AT_CHANCE, f"{reason} ({scored}, chance {100 * chance:.1f}%)"


def _judge(finding: Finding, margin: float | None, reference: str, metric: Metric) -> tuple[Conclusion, str]:
    gain = finding if metric.higher_is_better else finding.negated
    is_worse = gain.high is not None and gain.high < 0
    if margin is None:
        if is_worse:
            return Conclusion.READING, f"it scores worse than {reference}"
        return Conclusion.UNCLEAR, f"the metric {metric.name!r} has no margin within which it scores as well"
    unit = "points" if metric.unit == "%" else metric.unit or metric.name
    within = f"{metric.scale * margin:g} {unit}"
    try:
        answer = not_worse(gain, margin)
    except NotEnoughDataError:
        return Conclusion.UNCLEAR, "there are too few wordings and examples for an interval"
    if answer.word is Answer.EQUIVALENT:
        return Conclusion.NOT_READING, f"it scores as well as {reference}, to within {within}"
    if is_worse:
        return Conclusion.READING, f"it scores worse than {reference}"
    return Conclusion.UNCLEAR, f"it may score worse than {reference}, or as well to within {within}"
