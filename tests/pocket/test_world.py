"""The pocket's questions: right answers, tempting wrong ones, and no word that the model has not met."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from phraseproof.pocket.lexicon import ATTRIBUTES
from phraseproof.pocket.wordings import KINDS
from phraseproof.pocket.world import ITEMS, Question, ask, laid_out, options_of, vocabulary

questions = st.tuples(st.sampled_from(KINDS), st.sampled_from(list(ATTRIBUTES)), st.integers(0, 10**6))


def markers_and_values(kind: str, question: Question) -> dict[str, str]:
    """What the note says of the thing, values by marker."""
    markers = {attribute.marker for attribute in ATTRIBUTES.values()}
    words = laid_out(kind, question)
    return {word: words[place + 1] for place, word in enumerate(words) if word in markers}


@given(questions)
def test_the_answer_is_what_the_note_says(drawn: tuple[str, str, int]) -> None:
    kind, attribute, seed = drawn
    question = ask(kind, attribute, random.Random(seed))
    said = markers_and_values(kind, question)
    assert len(said) == ITEMS
    value = said.get(ATTRIBUTES[attribute].marker)
    if kind == "has":
        assert question.answer == ("no" if value is None else "yes")
    elif kind == "choose":
        assert question.answer == f"{ATTRIBUTES[attribute].marker} {value}"
    else:
        assert question.answer == value


@given(questions)
def test_who_misses_the_attribute_is_tempted_by_its_partner(drawn: tuple[str, str, int]) -> None:
    kind, attribute, seed = drawn
    question = ask(kind, attribute, random.Random(seed))
    marker = ATTRIBUTES[ATTRIBUTES[attribute].partner].marker
    if kind != "has":
        partner = markers_and_values(kind, question)[marker]
        assert (f"{marker} {partner}" if kind == "choose" else partner) in question.choices
        assert partner not in question.answer


@given(questions)
def test_options_differ_and_every_word_is_in_the_vocabulary(drawn: tuple[str, str, int]) -> None:
    kind, attribute, seed = drawn
    question = ask(kind, attribute, random.Random(seed))
    assert len(set(question.choices)) == len(question.choices)
    assert {*laid_out(kind, question), *options_of(kind, question)} <= set(vocabulary())


def test_half_of_the_yes_no_questions_are_true() -> None:
    draw = random.Random(0)
    answers = [ask("has", attribute, draw).answer for attribute in ATTRIBUTES for _ in range(200)]
    assert 0.45 < answers.count("yes") / len(answers) < 0.55


def test_the_vocabulary_names_every_word_once() -> None:
    assert len(vocabulary()) == len(set(vocabulary()))
