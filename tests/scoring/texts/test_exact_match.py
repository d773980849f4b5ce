from __future__ import annotations

from phraseproof.core import Outcome
from phraseproof.scoring.texts.exact_match import METRIC


def test_equal_up_to_case_punctuation_and_articles_to_one_of_the_references() -> None:
    for text, expected in (("the  Eiffel tower.", 1.0), ("Tower of Eiffel", 0.0), ("Paris!", 1.0), ("", 0.0)):
        outcome = Outcome("1", 0.0, text=text, reference="Eiffel Tower", other_references=("Paris",))
        assert METRIC.score(outcome) == expected
