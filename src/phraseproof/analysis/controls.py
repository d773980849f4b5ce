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
from phraseproof.core import Finding, Relation
from phraseproof.errors import NotEnoughDataError

MARGIN = 0.02

CONTROLS = (Relation.NEGATED, Relation.NONSENSICAL, Relation.INCORRECT)
"""The relations that should lower accuracy."""

_REFERENCES = (Relation.CLOSEST, Relation.OBSERVED, Relation.UNOBSERVED, Relation.PARAPHRASE, Relation.TASK_DESIGNER)


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
            else other correct ones.
        word: `at chance` if the interval of the reference does not show that it is better than guessing: controls then
            show nothing. Else `not reading` if the control scores as well, by a one-sided test of non-inferiority with
            the margin; `reading` if it scores worse, by an interval that excludes 0; else `unclear`.
        finding: control minus reference; `None` if there is not enough data.
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


def results_of_controls(
    grids: Sequence[TaskGrid],
    relations: Mapping[str, Relation],
    *,
    margin: float = MARGIN,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> tuple[ControlResult, ...]:
    """The result of every control group, for all tasks together and for each.

    Args:
        grids: as `grids.load_grids` gives them.
        relations: what each group is, as `grids.group_relations` returns it.
        margin: a control that is worse by less than this scores as well.

    Returns:
        By number of demonstrations, then control, then all tasks before single ones; none where there are no controls
        or no correct wordings to compare them with.

    Raises:
        UsageError: the margin is not above 0.
    """
    reference = next((group for word in _REFERENCES for group in relations if relations[group] is word), None)
    controls = [group for word in CONTROLS for group in relations if relations[group] is word]
    if reference is None or not controls:
        return ()
    found: list[ControlResult] = []
    for shots in sorted({grid.num_fewshot for grid in grids}):
        drawn = Resampler(seed, resamples)
        samples = [(grid, draw_samples(grid, drawn)) for grid in grids if grid.num_fewshot == shots]
        for control in controls:
            shared = [(grid, of) for grid, of in samples if control in of and reference in of]
            for part in [shared, *([each] for each in shared)] if len(shared) > 1 else [shared]:
                if not part:
                    continue
                weights = paper_weights([grid.category for grid, _ in part])
                terms = [
                    Term(of[group], sign * weight)
                    for (_, of), weight in zip(part, weights, strict=True)
                    for group, sign in ((control, 1.0), (reference, -1.0))
                ]
                finding = crossed_mean(terms, name=f"{control} minus {reference}", is_difference=True)
                word, reason = _guessed(part, reference) or _judge(finding, margin, reference)
                task = part[0][0].task if len(shared) == 1 or part is not shared else None
                found.append(ControlResult(shots, task, control, relations[control], reference, word, finding, reason))
    return tuple(found)


def _guessed(part: Sequence[tuple[TaskGrid, Mapping[str, Sample]]], reference: str) -> tuple[Conclusion, str] | None:
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


def _judge(finding: Finding, margin: float, reference: str) -> tuple[Conclusion, str]:
    within = f"{100 * margin:g} points"
    try:
        answer = not_worse(finding, margin)
    except NotEnoughDataError:
        return Conclusion.UNCLEAR, "there are too few wordings and examples for an interval"
    if answer.word is Answer.EQUIVALENT:
        return Conclusion.NOT_READING, f"it scores as well as {reference}, to within {within}"
    if finding.high is not None and finding.high < 0:
        return Conclusion.READING, f"it scores worse than {reference}"
    return Conclusion.UNCLEAR, f"it may score worse than {reference}, or as well to within {within}"
