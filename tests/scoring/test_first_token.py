from __future__ import annotations

import math

from phraseproof.core import Outcome
from phraseproof.scoring.first_token import SCORER
from phraseproof.scoring.registry import scorer
from phraseproof.scoring.scorer import Reading


def predicted(lower: tuple[float, ...], upper: tuple[float, ...] = ()) -> tuple[int | None, bool | None]:
    options = ("A", "B", "C")[: len(lower)]
    found = SCORER.predict(Outcome("e", 0.0, options, lower, option_upper_logprobs=upper, text="A"))
    return found.predicted, found.is_open


def test_the_choice_is_by_lower_bounds_and_open_where_an_upper_bound_reaches_it() -> None:
    assert predicted((-1.0, -2.0), (-0.9, -1.1)) == (0, False)
    assert predicted((-1.0, -2.0), (-0.9, -1.0)) == (0, True)
    assert predicted((-1.0, -math.inf), (-0.9, -0.5)) == (0, True)
    assert predicted((-1.0, -2.0)) == (0, False)


def test_no_listed_option_is_no_choice() -> None:
    assert predicted((-math.inf, -math.inf), (-3.0, -3.0)) == (None, True)


def test_its_numbers_are_not_those_of_log_likelihoods() -> None:
    assert scorer("first_token") is SCORER
    assert SCORER.reading is Reading.FIRST_TOKEN
    assert not SCORER.can_derive_from(scorer("loglikelihood"))
    assert not scorer("loglikelihood_norm").can_derive_from(SCORER)
