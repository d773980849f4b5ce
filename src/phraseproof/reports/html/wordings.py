"""The ranked list of wordings: the score, the text, and one prompt as the model read it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any, NamedTuple

from phraseproof.analysis.ranking import WordingRanking
from phraseproof.store.run_file import wording_keys

if TYPE_CHECKING:
    from phraseproof.scoring.metric import Metric
    from phraseproof.store.queries import Run


_BEST = 200
"""Of more than twice as many wordings in a category, the page lists this number of the best and of the worst."""

_PROMPTS = """
    SELECT task, instruction, arg_min(prompt, example_id) AS prompt FROM outcomes
    WHERE num_fewshot = ? AND prompt IS NOT NULL GROUP BY task, instruction
"""


class Line(NamedTuple):
    """One wording among those of a category.

    Attributes:
        place: 1 for the best; equals share the better place.
        mean: its score, averaged over its tasks, as scores are stored.
        lowest: the task it does worst on, and its score there.
        bar: the length of the bar next to the mean, from 0 to 1; `None` where values can be negative.
        text: with placeholders; example: one prompt as the model read it. Either may not be known.
    """

    place: int
    name: str
    group: str
    mean: float
    num_tasks: int
    lowest: tuple[str, float]
    bar: float | None
    text: str | None
    example: str | None


class CategoryRanking(NamedTuple):
    """The wordings of a category, best first.

    Attributes:
        lines: all of them, or the best and the worst of very many.
        num_wordings: how many there are.
        is_even: all of them were scored on the same tasks, so that their means can be compared as they are.
        by_task: the rankings behind it, where there are several tasks.
    """

    category: str
    tasks: tuple[str, ...]
    lines: tuple[Line, ...]
    is_even: bool
    by_task: tuple[WordingRanking, ...]
    num_wordings: int

    @property
    def num_best(self) -> int:
        """How many of `lines` come before those that are left out; 0 where none are."""
        return _BEST if self.num_wordings > len(self.lines) else 0


def category_rankings(
    rankings: Sequence[WordingRanking],
    metric: Metric,
    texts: Mapping[tuple[str, str], str],
    examples: Mapping[tuple[str, str], str],
) -> list[CategoryRanking]:
    """One ranking per category, of the wordings of all groups together.

    Args:
        rankings: of one run at one number of demonstrations.
        metric: what scores are in.
        texts, examples: by task and wording.
    """
    found: list[CategoryRanking] = []
    for category in dict.fromkeys(ranking.category for ranking in rankings):
        of_category = tuple(ranking for ranking in rankings if ranking.category == category)
        scores: dict[tuple[str, str, str], list[tuple[float, str]]] = {}
        for ranking in of_category:
            for wording in ranking.wordings:
                name = wording.score.instruction
                # The designers' wordings of different tasks are different texts under one name.
                text = texts.get((ranking.task, name), "")
                scores.setdefault((ranking.group, name, text), []).append((wording.score.mean_score, ranking.task))
        tasks = tuple(dict.fromkeys(ranking.task for ranking in of_category))
        lines: list[Line] = []
        means = {key: fmean(value for value, _ in values) for key, values in scores.items()}
        benefits = {key: metric.benefit(mean) for key, mean in means.items()}
        # Percent is the length of the bar; other units show the share of the longest.
        ordered = sorted(benefits.values())
        longest = 1.0 if metric.unit == "%" else max(means.values())
        for key in sorted(scores, key=lambda key: (-benefits[key], key)):
            group, name, text = key
            value, task = min(scores[key], key=lambda of_task: (metric.benefit(of_task[0]), of_task[1]))
            place = 1 + len(ordered) - bisect_right(ordered, benefits[key])
            bar = means[key] / longest if min(means.values()) >= 0 and longest > 0 else None
            shown = next((examples[task, name] for _, task in scores[key] if (task, name) in examples), None)
            lines.append(
                Line(place, name, group, means[key], len(scores[key]), (task, value), bar, text or None, shown)
            )
        served = {frozenset(task for _, task in values) for values in scores.values()}
        by_task = of_category if len(tasks) > 1 else ()
        count = len(lines)
        if count > 2 * _BEST:
            lines = [*lines[:_BEST], *lines[-_BEST:]]
            by_task = ()
        found.append(CategoryRanking(category, tasks, tuple(lines), len(served) == 1, by_task, count))
    return found


def rendered_examples(run: Run, num_fewshot: int) -> dict[tuple[str, str], str]:
    """One prompt as the model read it for each task and wording: a logged sample, else what `run.json` kept."""
    found: dict[tuple[str, str], str] = {}
    entries: Mapping[str, Mapping[str, Any]] = run.content.get("instructions", {})
    for task, instruction in dict.fromkeys((cell.task, cell.instruction) for cell in run.cells):
        for key in wording_keys(task, instruction):
            kept: Any = entries.get(key, {}).get("example")
            if kept and kept["num_fewshot"] == num_fewshot:
                found[task, instruction] = kept["prompt"]
                break
    if run.settings.get("log_samples"):
        rows = run.query_rows(_PROMPTS, [num_fewshot])
        found |= {(row["task"], row["instruction"]): row["prompt"] for row in rows}
    return found
