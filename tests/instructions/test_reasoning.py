from __future__ import annotations

from phraseproof.instructions.reasoning import REASONING, with_reasoning


def test_the_sentence_follows_the_example_and_names_the_form_that_is_read() -> None:
    assert with_reasoning("2 + 2?", "Think first.") == "2 + 2?\n\nThink first."
    assert with_reasoning("2 + 2?", None) == "2 + 2?"
    assert "\nAnswer: " in REASONING
