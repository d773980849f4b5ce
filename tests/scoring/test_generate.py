from __future__ import annotations

import pytest

from phraseproof.core import Outcome
from phraseproof.scoring.generate import SCORER
from phraseproof.scoring.registry import reads_text, scorer


def test_the_choice_is_what_the_text_names_by_letter_or_by_choice() -> None:
    outcome = Outcome("e", 0.0, ("A", "B"), text="It must be a pear.")
    assert SCORER.predict(outcome, ("granite", "a pear")).predicted == 1
    assert SCORER.predict(outcome).predicted is None
    assert SCORER.predict(outcome).is_open is None


def test_there_are_no_numbers_and_nothing_is_derived() -> None:
    with pytest.raises(ValueError, match="no value for each option"):
        SCORER.choose((-1.0, -2.0), ("A", "B"))
    with pytest.raises(ValueError, match="no text"):
        SCORER.predict(Outcome("e", 0.0, ("A", "B")))
    assert reads_text("generate")
    assert not reads_text("loglikelihood")
    assert not reads_text("of-a-package")
    assert not SCORER.can_derive_from(scorer("first_token"))
