"""The wordings of each task and group, ranked by their scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from phraseproof.analysis.robustness import check_scores, order_groups
from phraseproof.errors import NotEnoughDataError

if TYPE_CHECKING:
    from phraseproof.store.queries import WordingScore


class Mark(StrEnum):
    """Whether a wording is the best or the worst of its task and group."""

    BEST = "best"
    WORST = "worst"


@dataclass(frozen=True, slots=True)
class RankedWording:
    """One wording of a task and group.

    Attributes:
        score: as stored.
        mark: best or worst; equals share it; `None` for all where all score the same.
    """

    score: WordingScore
    mark: Mark | None


@dataclass(frozen=True, slots=True)
class WordingRanking:
    """The wordings of one task and one group at one number of demonstrations, best first (equals by name)."""

    num_fewshot: int
    category: str
    task: str
    group: str
    wordings: tuple[RankedWording, ...]


def rank_wordings(
    scores: Sequence[WordingScore], *, group_order: Sequence[str] = (), higher_is_better: bool = True
) -> tuple[WordingRanking, ...]:
    """Every wording's score, by demonstrations, then task, then group.

    Args:
        scores: any order; tasks and groups keep the order in which they first appear, a category's tasks together.
        group_order: groups to put first, in this order.
        higher_is_better: whether the largest score is the best one.

    Raises:
        NotEnoughDataError, RunError, UsageError: as `summarize`.
    """
    if not scores:
        raise NotEnoughDataError("there are no scores to rank", hint="Run `phraseproof evaluate` first")
    check_scores(scores)
    groups = order_groups(scores, group_order)
    category_of = {score.task: score.category for score in scores}
    categories = list(dict.fromkeys(category_of.values()))
    tasks = sorted(category_of, key=lambda task: categories.index(category_of[task]))
    found: dict[tuple[int, str, str], list[WordingScore]] = {}
    for score in scores:
        found.setdefault((score.num_fewshot, score.task, score.group), []).append(score)
    return tuple(
        WordingRanking(
            shots, category_of[task], task, group, _rank(found[shots, task, group], 1 if higher_is_better else -1)
        )
        for shots in sorted({score.num_fewshot for score in scores})
        for task in tasks
        for group in groups
        if (shots, task, group) in found
    )


def _rank(scores: Sequence[WordingScore], sign: int) -> tuple[RankedWording, ...]:
    """Best first; `sign` is -1 where less is better."""
    best = max((score.mean_score for score in scores), key=lambda value: sign * value)
    worst = min((score.mean_score for score in scores), key=lambda value: sign * value)

    def mark(score: WordingScore) -> Mark | None:
        if best == worst:
            return None
        return {best: Mark.BEST, worst: Mark.WORST}.get(score.mean_score)

    ordered = sorted(scores, key=lambda score: (-sign * score.mean_score, score.instruction))
    return tuple(RankedWording(score, mark(score)) for score in ordered)
