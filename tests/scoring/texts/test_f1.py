from __future__ import annotations

import pytest
from lm_eval.tasks.qasper.metrics import f1_abstractive

from phraseproof.core import Outcome
from phraseproof.scoring.texts.f1 import METRIC


@pytest.mark.parametrize("text", ["a cat sat", "Sat, sat, the dog sat.", "one two three four"])
def test_the_best_reference_has_the_f1_of_squads_script(text: str) -> None:
    references = ("the cat sat on a mat", "dog sat sat", "")
    outcome = Outcome("1", 0.0, text=text, reference=references[0], other_references=references[1:])
    assert METRIC.score(outcome) == pytest.approx(max(f1_abstractive([text], [each]) for each in references))


def test_an_empty_text_equals_a_reference_without_words_only() -> None:
    assert METRIC.score(Outcome("1", 0.0, text="", reference="The.")) == 1.0
    assert METRIC.score(Outcome("1", 0.0, text="", reference="a dog")) == 0.0
    assert METRIC.score(Outcome("1", 0.0, text="dog", reference="the")) == 0.0
