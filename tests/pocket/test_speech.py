"""The grammar of speech: it names the attribute, uses words of the model, and makes no wording of any set."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from phraseproof.pocket.lexicon import CONCEPTS, JUNK
from phraseproof.pocket.speech import speech
from phraseproof.pocket.wordings import ABOUT, KINDS, all_templates, literal_words, slot


@given(st.sampled_from(KINDS), st.integers(0, 10**6))
def test_a_sentence_names_the_attribute_once_and_knows_its_words(kind: str, seed: int) -> None:
    words = speech(kind, random.Random(seed)).split()
    assert words.count("{about}") == 1
    for word in words:
        concept = slot(word)
        assert concept in CONCEPTS or concept == ABOUT if concept else word in literal_words() | set(JUNK)


@given(st.sampled_from(KINDS), st.integers(0, 10**6))
def test_no_template_of_any_set_is_spoken(kind: str, seed: int) -> None:
    assert speech(kind, random.Random(seed)) not in all_templates()


def test_ways_of_asking_are_many() -> None:
    draw = random.Random(0)
    assert len({speech("label", draw) for _ in range(1000)}) > 900
