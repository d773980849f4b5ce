"""How much generated answers vary by themselves, next to how much they vary with the wording."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from phraseproof.analysis.grids import Floats

if TYPE_CHECKING:
    from phraseproof.store.queries import Run


class RepeatVariance(NamedTuple):
    """Of one task and group, at one number of demonstrations.

    Attributes:
        wordings, repeats: how many there are.
        std_repeats: the standard deviation of a wording's mean score over repeats: the root of the mean of the
            wordings' variances (each with n - 1).
        std_wordings: the standard deviation over wordings of their means over all repeats (n - 1); `None` of one
            wording.
        std_beyond_repeats: what of it remains without the variance of repeats, which means over few repeats still
            have: the root of the larger of 0 and std_wordings^2 - std_repeats^2 / repeats.
        changed: the share of examples whose answer is not the same in every repeat, over all wordings.
    """

    task: str
    group: str
    num_fewshot: int
    wordings: int
    repeats: int
    std_repeats: float
    std_wordings: float | None
    std_beyond_repeats: float | None
    changed: float


def repeat_variances(run: Run) -> tuple[RepeatVariance, ...]:
    """The variances of a run whose answers were generated several times; none of other runs.

    Only wordings with the same complete repeats are compared: cells that failed leave their wording out.
    """
    if run.accuracies or max((cell.repeat for cell in run.cells), default=0) == 0:
        return ()
    by = ("task", "group", "num_fewshot", "instruction", "repeat")
    means = sorted(run.mean_scores(*by), key=lambda row: tuple(row[name] for name in by))
    answers = run.query_rows(
        """
        SELECT task, "group", num_fewshot, avg(changed::INTEGER) AS changed FROM (
            SELECT task, "group", num_fewshot, count(DISTINCT
                CASE WHEN len(options) > 0 THEN coalesce(predicted, -1)::VARCHAR ELSE text END) > 1 AS changed
            FROM outcomes GROUP BY task, "group", num_fewshot, fewshot_seed, instruction, example_id
        ) GROUP BY ALL
        """
    )
    changed = {(row["task"], row["group"], row["num_fewshot"]): float(row["changed"]) for row in answers}
    grids: dict[tuple[str, str, int], dict[str, dict[int, float]]] = {}
    for row in means:
        place = row["task"], row["group"], row["num_fewshot"]
        grids.setdefault(place, {}).setdefault(row["instruction"], {})[row["repeat"]] = row["mean_score"]
    found: list[RepeatVariance] = []
    for place, of_wordings in grids.items():
        most = max(map(len, of_wordings.values()))
        complete = [list(of.values()) for of in of_wordings.values() if len(of) == most]
        if most > 1:
            found.append(_variance(place, np.array(complete), changed[place]))
    return tuple(found)


def _variance(place: tuple[str, str, int], means: Floats, changed: float) -> RepeatVariance:
    """Of means as an array [wordings, repeats]."""
    wordings, repeats = means.shape
    within = float(means.var(axis=1, ddof=1).mean())
    between = float(means.mean(axis=1).var(ddof=1)) if wordings > 1 else None
    beyond = None if between is None else max(0.0, between - within / repeats) ** 0.5
    return RepeatVariance(
        *place, wordings, repeats, within**0.5, None if between is None else between**0.5, beyond, changed
    )
