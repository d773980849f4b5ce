"""The sentence says what the standard errors are, and what would halve them."""

from __future__ import annotations

import re

import numpy as np
import pytest

from phraseproof.analysis.facets.effort import standard_error
from phraseproof.analysis.facets.run import RunFacets, task_facets
from phraseproof.analysis.facets.sentence import effort_counts, effort_sentence
from support.facet_designs import design


def test_the_numbers_are_those_of_the_components() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 0.3, (1, 6, 1)) + rng.normal(0, 0.02, (4, 1, 1)) + rng.normal(0, 0.05, (4, 6, 30)) + 0.5
    task = task_facets(design(scores))
    sentence = effort_sentence(task)
    levels = {"wordings": 4, "draws": 6, "examples": 30}
    now = standard_error(task.components, levels)
    assert f"The mean, {100 * scores.mean():.3g}, has a standard error of {100 * now:.3g} points for other" in sentence
    more = standard_error(task.components, {**levels, "draws": 12})
    assert f"it would be {100 * more:.3g} with twice as many draws of demonstrations," in sentence
    assert "More wordings and more examples change next to nothing." in sentence
    found = re.search(r"(\d+) more draws of demonstrations would halve the error of the mean\.", sentence)
    assert found is not None
    needed = int(found[1])
    for extra, is_enough in ((needed, True), (needed - 1, False)):
        assert (standard_error(task.components, {**levels, "draws": 6 + extra}) <= now / 2 * (1 + 1e-9)) is is_enough


def test_where_no_single_facet_is_enough() -> None:
    rng = np.random.default_rng(1)
    levels = np.arange(5.0)
    scores = levels[:, None, None] + levels[None, :, None] + rng.normal(0, 0.1, (5, 5, 9))
    assert re.search(
        r"No number of (wordings|draws of demonstrations) alone", effort_sentence(task_facets(design(scores)))
    )


def test_many_tasks_are_counted() -> None:
    rng = np.random.default_rng(3)
    by_draws = task_facets(design(rng.normal(0, 1, (1, 6, 1)) + rng.normal(0, 0.1, (4, 6, 9))))
    by_examples = task_facets(design(rng.normal(0, 1, (1, 1, 9)) + rng.normal(0, 0.1, (4, 6, 9))))
    assert effort_counts(RunFacets((by_draws, by_examples, by_draws))) == (
        "Of 3 tasks and groups, the error of the mean falls most with more draws of demonstrations on 2 and more "
        "examples on 1."
    )


def test_equal_scores_need_no_effort() -> None:
    assert effort_sentence(task_facets(design(np.ones((2, 2, 3))))) == (
        "All scores are equal: no effort can change anything."
    )


@pytest.mark.parametrize("facets", [("wordings", "examples"), ("draws", "examples")])
def test_with_two_facets(facets: tuple[str, ...]) -> None:
    scores = np.random.default_rng(2).normal(size=(4, 20))
    sentence = effort_sentence(task_facets(design(scores, facets=facets)))
    assert ("A wording's own mean" in sentence) is ("wordings" in facets)
