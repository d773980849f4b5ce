from __future__ import annotations

import pytest

from phraseproof.core import Outcome
from phraseproof.scoring.generate import SCORER, make
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


def test_another_reading_has_another_name_and_needs_the_same_texts() -> None:
    last = make("last_line")
    assert (last.name, make("auto").name) == ("generate:last_line", "generate")
    outcome = Outcome("e", 0.0, ("A", "B"), text="B) it is.\nSo I say A", predicted=1)
    assert (SCORER.predict(outcome).predicted, last.predict(outcome).predicted) == (1, 0)
    assert last.can_derive_from(SCORER)
    assert SCORER.can_derive_from(last)
    assert not last.can_derive_from(scorer("loglikelihood"))


def test_a_text_that_was_cut_has_no_conclusion() -> None:
    conclusion = make("conclusion")
    assert conclusion.predict(Outcome("e", 0.0, ("A", "B"), text="Perhaps\nB", is_cut=False)).predicted == 1
    assert conclusion.predict(Outcome("e", 0.0, ("A", "B"), text="Perhaps\nB", is_cut=True)).predicted is None
