"""Agreement of two scorers' choices, against scikit-learn and by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from phraseproof.analysis.causes.choices import UNREAD, ChosenOptions, choice_agreement, chosen_options
from phraseproof.analysis.grids import Draw, Ints, TaskGrid
from support.grid_samples import grid

PLAIN: Draw = (0, 0, 0)


def chosen(*of_draws: tuple[Draw, Ints]) -> ChosenOptions:
    """Of one wording."""
    return ChosenOptions(tuple(draw for draw, _ in of_draws), np.stack([options for _, options in of_draws])[None])


def test_kappa_is_that_of_scikit_learn_and_unread_answers_are_left_out() -> None:
    rng = np.random.default_rng(0)
    one, two = rng.integers(0, 3, 60), rng.integers(0, 3, 60)
    two[:30] = one[:30]
    two[50:] = UNREAD
    found = choice_agreement(chosen((PLAIN, one)), chosen((PLAIN, two)))
    assert found.kappa == pytest.approx(cohen_kappa_score(one[:50], two[:50]))
    assert (found.prompts.tolist(), found.read.tolist()) == ([60], [50])
    assert found.same.tolist() == [int((one[:50] == two[:50]).sum())]
    assert found.share == pytest.approx(np.mean(one[:50] == two[:50]))
    assert found.unread.tolist() == pytest.approx([0, 10 / 60])


def test_only_the_same_draws_and_orders_are_compared() -> None:
    one = np.arange(60) % 4
    first = chosen((PLAIN, one), ((0, 1, 0), (one + 1) % 4), ((1, 0, 0), one))
    second = chosen(((1, 0, 0), (one + 1) % 4), (PLAIN, one), ((0, 2, 0), one))
    found = choice_agreement(first, second)
    assert (found.prompts.tolist(), found.same.tolist()) == ([120], [60])


def test_every_repeat_of_a_text_is_compared() -> None:
    one = np.zeros(60, dtype=np.intp)
    found = choice_agreement(chosen((PLAIN, one)), chosen((PLAIN, one), ((0, 0, 1), one + 1)))
    assert (found.prompts.tolist(), found.share) == ([120], 0.5)
    assert chosen((PLAIN, one), ((0, 0, 1), one - 1)).unread.mean() == 0.5


def test_without_a_read_answer_there_is_no_share_and_no_kappa() -> None:
    none = np.full(60, UNREAD, dtype=np.intp)
    found = choice_agreement(chosen((PLAIN, none)), chosen((PLAIN, none)))
    assert np.isnan(found.share)
    assert np.isnan(found.kappa)
    same = choice_agreement(chosen((PLAIN, none + 1)), chosen((PLAIN, none + 1)))
    assert same.share == 1
    assert np.isnan(same.kappa)


def of_grid(answers: Ints | None, is_read: list[list[bool]], draws: tuple[Draw, ...]) -> TaskGrid:
    scores = np.zeros((len(is_read), len(is_read[0]) // len(draws)))
    told = None if answers is None else np.where(is_read, answers, 9)
    return replace(grid(scores), answers=told, unread=9, draws=draws)


def test_options_of_a_grid_are_by_wording_draw_and_example() -> None:
    answers = np.array([[0, 1, 2, 3], [1, 1, 0, 0]])
    found = chosen_options(of_grid(answers, [[True] * 3 + [False], [True] * 4], (PLAIN, (0, 1, 0))), [1, 0], [1])
    assert found is not None
    assert found.options.tolist() == [[[1], [0]], [[1], [UNREAD]]]
    silent = chosen_options(of_grid(None, [[False, False]], (PLAIN,)), [0], [0, 1])
    assert silent is not None
    assert silent.options.tolist() == [[[UNREAD, UNREAD]]]
    assert chosen_options(grid([[1.0]]), [0], [0]) is None
