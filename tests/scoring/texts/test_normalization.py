from __future__ import annotations

import pytest
from lm_eval.tasks.qasper.metrics import normalize_answer

from phraseproof.core import Outcome
from phraseproof.scoring.texts.normalization import normalized, text_of


@pytest.mark.parametrize(
    "text", ["The  cat's\tmat!", "a An THE", "", "1,000.5 - x_y", "Übung, the \u201cnew\u201d one"]
)
def test_the_normal_form_is_that_of_squads_script(text: str) -> None:
    assert normalized(text) == normalize_answer(text)


def test_a_text_and_a_reference_are_needed() -> None:
    assert text_of(Outcome("1", 0.0, text="", reference="a"), "f1") == ""
    for outcome in (Outcome("1", 0.0, text="a"), Outcome("1", 0.0, reference="a")):
        with pytest.raises(ValueError, match="f1 needs a generated text"):
            text_of(outcome, "f1")
