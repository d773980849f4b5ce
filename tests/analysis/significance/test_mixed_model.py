"""The mixed-effects logistic model."""

from dataclasses import replace

import numpy as np
import pytest

from phraseproof.analysis.significance.mixed_model import mixed_effects
from phraseproof.errors import NotEnoughDataError
from support.grid_samples import draw, grid
from support.other_metrics import AnswerLength


def test_shares_add_up() -> None:
    found = mixed_effects(grid(draw(np.random.default_rng(0), 8, 60)), "g")
    assert found.wording + found.example + found.interaction == pytest.approx(1)
    assert found.wording_low < found.wording_std < found.wording_high


def test_the_same_data_give_the_same_fit() -> None:
    given = grid(draw(np.random.default_rng(0), 8, 60))
    assert mixed_effects(given, "g") == mixed_effects(given, "g")


def test_it_needs_wordings_and_examples() -> None:
    with pytest.raises(NotEnoughDataError, match="three wordings and ten examples"):
        mixed_effects(grid(np.ones((2, 20))), "g")
    with pytest.raises(NotEnoughDataError, match="all answers are right"):
        mixed_effects(grid(np.ones((3, 20))), "g")


def test_another_metric_is_refused_by_name() -> None:
    given = replace(grid(draw(np.random.default_rng(0), 8, 60)), metric=AnswerLength())
    with pytest.raises(NotEnoughDataError, match="the metric 'length' has other values"):
        mixed_effects(given, "g")
