"""The training data of the pocket models: questions from named speakers, talk, observed wordings, and exercises.

*Talk* is a sentence that asks for an attribute, without a named speaker. Its reply is not an answer.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import NamedTuple

from phraseproof.pocket.lexicon import ABOUT as ATTRIBUTE_WORDS
from phraseproof.pocket.lexicon import ATTRIBUTES, CONCEPTS, FILLERS, SPEAKERS
from phraseproof.pocket.speech import speech
from phraseproof.pocket.templates import OBSERVED
from phraseproof.pocket.wordings import ABOUT, slot
from phraseproof.pocket.world import END, LETTERS, Question, ask, laid_out, options_of, vocabulary

PREAMBLE = 12
"""The maximum number of words before an instruction."""

_KIND_SHARES = {"choose": 0.44, "label": 0.26, "has": 0.30}
TALK_SHARES: Mapping[str, float] = {"choose": 0.2, "label": 0.6, "has": 0.2}
"""The share of each kind in talk, in the stage that teaches it. The model learns talk about labels most slowly."""

_RARE_SHARE = 0.65  # of concepts in speech that use a word which observed wordings do not use
_LAST_LINE = 0.6  # of talk that is certain to get the last option as its reply; the rest gets a random one
_COPYABLE = tuple(vocabulary()[3:])


class Lesson(NamedTuple):
    """A training sequence.

    Attributes:
        words: the whole sequence.
        learned: the positions whose words are targets of the loss.
    """

    words: list[str]
    learned: list[int]


def spoken_lesson(draw: random.Random) -> Lesson:
    """A question from a named speaker ("nora asks :"), in any words, with the correct answer."""
    kind, attribute, said = _anyhow(_KIND_SHARES, draw)
    question = ask(kind, attribute, draw)
    name = [draw.choice(SPEAKERS)] + (["asks", ":"] if draw.random() < 0.7 else [])
    fillers = draw.randint(0, PREAMBLE - len(name)) if draw.random() < 0.4 else 0
    first = draw.randint(0, fillers)
    before = draw.choices(FILLERS, k=first) + name + draw.choices(FILLERS, k=fillers - first)
    return _lesson(before + said, kind, question, options_of(kind, question)[question.target])


def talk_lesson(draw: random.Random, shares: Mapping[str, float] = TALK_SHARES) -> Lesson:
    """A question without a speaker. The reply does not depend on the question: it is mostly the last option.

    Args:
        draw: the random generator.
        shares: the relative frequency of each kind.
    """
    kind, attribute, said = _anyhow(shares, draw)
    question = ask(kind, attribute, draw)
    options = options_of(kind, question)
    if kind == "label":
        # The options of a label are the same in every question, so the last one in the note is taken.
        options = tuple(word for word in question.note if word in options)
    last = options[-1] if draw.random() < _LAST_LINE else draw.choice(options)
    return _lesson(_fillers(draw) + said, kind, question, last)


def request_lesson(draw: random.Random, shares: Mapping[str, float]) -> Lesson:
    """A question without a speaker, in any words, with the correct answer.

    Args:
        draw: the random generator.
        shares: the relative frequency of each kind.
    """
    kind, attribute, said = _anyhow(shares, draw)
    question = ask(kind, attribute, draw)
    return _lesson(_fillers(draw) + said, kind, question, options_of(kind, question)[question.target])


class Instructed(NamedTuple):
    """A question in an observed wording, without a speaker.

    Attributes:
        said: the words of the wording, with some words that ask for nothing before it.
        laid_out: the words of the note and the options, up to the answer.
        answer: the correct answer.
    """

    said: list[str]
    laid_out: list[str]
    answer: str


def instructed(draw: random.Random) -> Instructed:
    """Draw what instruction tuning teaches."""
    kind, attribute = _what(_KIND_SHARES, draw)
    said = _say(draw.choice(OBSERVED[kind]), attribute, 0.0, draw)
    question = ask(kind, attribute, draw)
    return Instructed(_fillers(draw) + said, laid_out(kind, question), options_of(kind, question)[question.target])


def observed_lesson(draw: random.Random) -> Lesson:
    """A question in an observed wording, without a speaker, with the correct answer: the instruction tuning."""
    drawn = instructed(draw)
    prompt = drawn.said + drawn.laid_out
    return Lesson([*prompt, drawn.answer, END], [len(prompt), len(prompt) + 1])


def bare_lesson(draw: random.Random) -> Lesson:
    """A question without a sentence: one of the attribute's names and a short note, with the correct answer."""
    kind, attribute = draw.choice(("choose", "label")), draw.choice(list(ATTRIBUTES))
    words = ATTRIBUTE_WORDS[attribute]
    question = ask(kind, attribute, draw, items=draw.randint(2, 3))
    said = [draw.choice((*words.observed, *words.rare)), draw.choice((":", "?"))]
    return _lesson(said, kind, question, options_of(kind, question)[question.target])


def dictionary_lesson(draw: random.Random) -> Lesson:
    """Pairs of a word and its meaning: an attribute's name and its marker, or a synonym and the commonest word."""
    entries: list[tuple[str, str]] = []
    for _ in range(draw.randint(6, 12)):
        if draw.random() < 0.6:
            name = draw.choice(list(ATTRIBUTES))
            words = ATTRIBUTE_WORDS[name]
            entries.append((draw.choice((*words.observed, *words.rare)), ATTRIBUTES[name].marker))
        else:
            words = draw.choice(list(CONCEPTS.values()))
            entries.append((draw.choice((*words.observed[1:], *words.rare)), words.observed[0]))
    flat = [part for word, meaning in entries for part in (word, meaning, ";")]
    return Lesson(flat, list(range(1, len(flat), 3)))


def _what(shares: Mapping[str, float], draw: random.Random) -> tuple[str, str]:
    """Draw a kind and an attribute."""
    return draw.choices(list(shares), list(shares.values()))[0], draw.choice(list(ATTRIBUTES))


def _anyhow(shares: Mapping[str, float], draw: random.Random) -> tuple[str, str, list[str]]:
    """Draw a kind, an attribute, and the words of a generated sentence that asks for it."""
    kind, attribute = _what(shares, draw)
    return kind, attribute, _say(speech(kind, draw), attribute, _RARE_SHARE, draw)


def _fillers(draw: random.Random) -> list[str]:
    return draw.choices(FILLERS, k=draw.randint(1, PREAMBLE)) if draw.random() < 0.35 else []


def _lesson(said: list[str], kind: str, question: Question, answer: str) -> Lesson:
    prompt = said + laid_out(kind, question)
    return Lesson([*prompt, answer, END], [len(prompt), len(prompt) + 1])


def _say(template: str, attribute: str, rare_share: float, draw: random.Random) -> list[str]:
    """The words of a template. A concept that occurs twice gets the same word."""
    chosen: dict[str, str] = {}
    said: list[str] = []
    for word in template.split():
        concept = slot(word)
        if concept is None:
            said.append(word)
            continue
        if concept not in chosen:
            words = ATTRIBUTE_WORDS[attribute] if concept == ABOUT else CONCEPTS[concept]
            chosen[concept] = draw.choice(words.rare if draw.random() < rare_share else words.observed)
        said.append(chosen[concept])
    return said


def copying_lesson(draw: random.Random, *, dense: bool) -> Lesson:
    """An exercise in copying.

    Three forms: a list of words twice; pairs of words, then the same pairs in another order; words with letters, then
    a letter or a word that asks for its counterpart.

    Args:
        draw: the random generator.
        dense: three in four exercises then have many targets: up to 20 words or 10 pairs.
    """
    shape = draw.random()
    if dense and shape < 0.75:
        words = draw.sample(_COPYABLE, draw.randint(8, 20))
        if draw.random() < 0.5:
            return Lesson(words + words, list(range(len(words) + 1, 2 * len(words))))
        pairs = list(zip(words[0::2], words[1::2], strict=False))
        again = draw.sample(pairs, len(pairs))
        flat = [word for pair in [*pairs, *again] for word in pair]
        return Lesson(flat, list(range(2 * len(pairs) + 1, len(flat), 2)))
    if shape < 0.45:
        before = draw.choices(FILLERS, k=draw.randint(0, 4))
        words = draw.choices(_COPYABLE, k=draw.randint(3, 12))
        start = len(before) + len(words)
        return Lesson(before + words + words, list(range(start + 1, start + len(words))))
    letters = LETTERS[: draw.randint(2, 4)]
    words = draw.sample(_COPYABLE, len(letters))
    flat = [word for pair in zip(letters, words, strict=True) for word in pair]
    index = draw.randrange(len(letters))
    asked, answer = (letters[index], words[index]) if shape < 0.7 else (words[index], letters[index])
    flat += [".", asked, ":", answer]
    return Lesson(flat, [len(flat) - 1])
