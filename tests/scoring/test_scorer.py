from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.scoring.registry import scorer

options_ = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=6)
logprob = st.floats(-1000, 0) | st.just(-math.inf)


@given(options_, st.data(), st.sampled_from(["loglikelihood", "paper"]))
def test_the_largest_wins_and_ties_go_to_the_first(options: list[str], data: st.DataObject, name: str) -> None:
    values = data.draw(st.lists(logprob, min_size=len(options), max_size=len(options)))
    assert scorer(name).choose(values, options) == int(np.argmax(values))


def test_values_that_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="not a number"):
        scorer("loglikelihood").choose([math.nan, -1.0], ["a", "b"])
    with pytest.raises(ValueError, match="one log-probability per option"):
        scorer("loglikelihood").choose([-1.0], ["a", "b"])
    with pytest.raises(ValueError, match="one log-probability per option"):
        scorer("loglikelihood").choose([], [])


def test_scorers_that_need_the_same_numbers_are_derived_from_each_other() -> None:
    assert scorer("loglikelihood_norm").can_derive_from(scorer("loglikelihood"))
    assert scorer("loglikelihood").can_derive_from(scorer("loglikelihood_norm"))
    assert not scorer("paper").can_derive_from(scorer("loglikelihood"))
