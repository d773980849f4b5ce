"""Examples for the pocket's untuned models are the lessons of the shipped ones, as the tokenizer reads them."""

from __future__ import annotations

import random

from phraseproof.models import load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from phraseproof.models.options import ModelOptions
from phraseproof.pocket.lessons import observed_lesson
from phraseproof.pocket.tuning import SETTINGS, tuning_examples
from phraseproof.pocket.world import vocabulary
from phraseproof.tuning.tokens import tokenize_examples


def test_tokens_are_those_of_the_lessons() -> None:
    draw = random.Random("3 tuning")
    index = {word: place for place, word in enumerate(vocabulary())}
    lessons = [observed_lesson(draw) for _ in range(20)]
    model = load_model("pocket/tiny", ModelOptions(device="cpu"))
    assert isinstance(model, HuggingFaceModel)
    found = tokenize_examples(tuning_examples(20, seed=3), model, prompt_format="plain", max_tokens=SETTINGS.max_tokens)
    assert len(found.rows) == 20
    assert (found.truncated, found.unknown) == (0, 0)
    for row, lesson in zip(found.rows, lessons, strict=True):
        assert [*row.context, *row.target] == [index[word] for word in lesson.words]
        assert len(row.context) == lesson.learned[0]
