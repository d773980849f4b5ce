"""Lessons ask for what can be known, except talk, which is there not to be followed."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.pocket.lessons import (
    PREAMBLE,
    Lesson,
    bare_lesson,
    copying_lesson,
    dictionary_lesson,
    observed_lesson,
    spoken_lesson,
    talk_lesson,
)
from phraseproof.pocket.lexicon import ABOUT, ATTRIBUTES, CONCEPTS, FILLERS, SPEAKERS
from phraseproof.pocket.world import END, vocabulary

KNOWN = set(vocabulary())
QUESTIONS: tuple[Callable[[random.Random], Lesson], ...] = (spoken_lesson, talk_lesson, observed_lesson)
NAMES = {word: name for name, words in ABOUT.items() for word in (*words.observed, *words.rare)}
RARE = {word for concept in CONCEPTS.values() for word in concept.rare}


def right_answer(words: list[str]) -> str:
    """What a person would answer to a question's words, having read whose attribute it asks for."""
    start = len(words) - 1 - words[::-1].index("note")
    asked, said = words[:start], words[start:]
    attribute = ATTRIBUTES[next(NAMES[word] for word in asked if word in NAMES)]
    if "A" in said:
        return said[said.index(attribute.marker) - 1]
    if words[-2] in ("yes", "no"):
        return "yes" if attribute.marker in said else "no"
    return said[said.index(attribute.marker) + 1]


@given(st.integers(0, 10**6), st.booleans())
def test_what_is_copied_was_said_before(seed: int, dense: bool) -> None:
    lesson = copying_lesson(random.Random(seed), dense=dense)
    assert lesson.learned
    assert set(lesson.words) <= KNOWN
    for position in lesson.learned:
        assert 0 < position < len(lesson.words)
        assert lesson.words[position] in lesson.words[:position]


@given(st.integers(0, 10**6), st.sampled_from(QUESTIONS))
def test_a_question_asks_for_its_answer_and_the_end(seed: int, make: Callable[[random.Random], Lesson]) -> None:
    lesson = make(random.Random(seed))
    assert set(lesson.words) <= KNOWN
    assert lesson.words[-1] == END
    assert lesson.words[-4:-2] == ["answer", ":"]
    assert lesson.learned == [len(lesson.words) - 2, len(lesson.words) - 1]


@given(st.integers(0, 10**6))
def test_a_dictionary_tells_meanings(seed: int) -> None:
    lesson = dictionary_lesson(random.Random(seed))
    meanings = {word: words.observed[0] for words in CONCEPTS.values() for word in (*words.observed, *words.rare)}
    meanings |= {word: ATTRIBUTES[name].marker for word, name in NAMES.items()}
    assert lesson.learned
    for position in lesson.learned:
        assert meanings[lesson.words[position - 1]] == lesson.words[position]


@given(st.integers(0, 10**6), st.sampled_from([bare_lesson, spoken_lesson, observed_lesson]))
def test_speakers_and_observed_wordings_are_answered(seed: int, make: Callable[[random.Random], Lesson]) -> None:
    words = make(random.Random(seed)).words
    assert words[-2] == right_answer(words)


def test_talk_is_answered_with_what_was_said_last() -> None:
    draw = random.Random(0)
    lessons = [talk_lesson(draw).words for _ in range(600)]
    lettered = [words[-2] for words in lessons if "A" in words]
    assert 0.6 < lettered.count("D") / len(lettered) < 0.8
    assert 0.2 < sum(words[-2] == right_answer(words) for words in lessons) / len(lessons) < 0.5


def test_a_speaker_is_named_in_front_of_speech_and_nowhere_else() -> None:
    draw = random.Random(0)
    for _ in range(300):
        named = [place for place, word in enumerate(spoken_lesson(draw).words) if word in SPEAKERS]
        assert len(named) == 1
        assert named[0] < PREAMBLE
        assert not set(SPEAKERS) & {*talk_lesson(draw).words, *observed_lesson(draw).words}


def test_instruction_tuning_knows_observed_words_only() -> None:
    draw = random.Random(0)
    observed = {word for _ in range(500) for word in observed_lesson(draw).words}
    assert not RARE & observed
    assert {name for word, name in NAMES.items() if word in observed} == set(ABOUT)
    assert not observed & {word for words in ABOUT.values() for word in words.rare}


def test_some_lessons_begin_with_fillers_and_none_with_too_many() -> None:
    draw = random.Random(0)
    for make in (talk_lesson, observed_lesson):
        lessons = [make(draw).words for _ in range(500)]
        counts = [next(n for n, word in enumerate(words) if word not in FILLERS) for words in lessons]
        assert max(counts) == PREAMBLE
        assert 0.5 < sum(count == 0 for count in counts) / len(counts) < 0.8


def test_speakers_use_every_word_that_instructions_are_made_of() -> None:
    draw = random.Random(0)
    met = {word for _ in range(6000) for word in spoken_lesson(draw).words}
    assert met >= RARE
    assert met >= set(NAMES)


@pytest.mark.parametrize("dense", [True, False])
def test_exercises_show_every_word_there_is(dense: bool) -> None:
    draw = random.Random(0)
    met = {word for _ in range(2000) for word in copying_lesson(draw, dense=dense).words}
    assert met == set(vocabulary()[3:])
