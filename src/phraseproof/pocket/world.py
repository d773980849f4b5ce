"""The pocket's questions: a note about a thing, and what is asked of it. Everything is drawn at random."""

from __future__ import annotations

import random
from typing import NamedTuple

from phraseproof.pocket.lexicon import ABOUT, ATTRIBUTES, CONCEPTS, FILLERS, JUNK, SPEAKERS, THINGS
from phraseproof.pocket.wordings import KINDS, literal_words

ITEMS = 4
"""What a note says of its thing."""

LETTERS = ("A", "B", "C", "D")
YES_NO = ("yes", "no")


class Question(NamedTuple):
    """One input of a task.

    Attributes:
        note: its words, stops apart; of a `choose` question only its head, for what it says are the options.
        choices: the options' texts.
        target: the index of the right one.
    """

    note: tuple[str, ...]
    choices: tuple[str, ...]
    target: int

    @property
    def answer(self) -> str:
        """The text of the right option."""
        return self.choices[self.target]


def task_names() -> list[str]:
    """`choose-maker`, ..., `has-bottom`: three kinds for eight attributes."""
    return [f"{kind}-{attribute}" for kind in KINDS for attribute in ATTRIBUTES]


def ask(kind: str, attribute: str, draw: random.Random, *, items: int = ITEMS) -> Question:
    """A new question of a kind about an attribute.

    Where the attribute is given, its partner is given too: whoever misses what is asked for finds a tempting wrong
    answer. Of `has` questions, half are true; of the others three in four give the partner.
    """
    partner = ATTRIBUTES[attribute].partner
    others = [name for name in ATTRIBUTES if name not in (attribute, partner)]
    true = kind != "has" or draw.random() < 0.5
    given = [attribute] if true else []
    if kind != "has" or draw.random() < 0.75:
        given.append(partner)
    given += draw.sample(others, items - len(given))
    draw.shuffle(given)
    values: dict[str, str] = {}
    for name in given:
        twin = values.get(ATTRIBUTES[name].partner)
        values[name] = draw.choice([value for value in ATTRIBUTES[name].values if value != twin])
    note = ["the", draw.choice(THINGS), ":"]
    lines = [f"{ATTRIBUTES[name].marker} {values[name]}" for name in given]
    if kind == "choose":
        return Question(tuple(note), tuple(lines), given.index(attribute))
    note += [*" , ".join(lines).split(), "."]
    if kind == "has":
        return Question(tuple(note), YES_NO, int(not true))
    choices = ATTRIBUTES[attribute].values
    return Question(tuple(note), choices, choices.index(values[attribute]))


def laid_out(kind: str, question: Question) -> list[str]:
    """The words of a question as every wording of its kind lays it out, up to where the answer begins."""
    words = ["note", ":", *question.note]
    if kind == "choose":
        for letter, line in zip(LETTERS, question.choices, strict=False):
            words += [letter, *line.split()]
    return [*words, "answer", ":"]


def options_of(kind: str, question: Question) -> tuple[str, ...]:
    """The words that are scored."""
    return LETTERS[: len(question.choices)] if kind == "choose" else question.choices


def vocabulary() -> list[str]:
    """Every word there is, sorted: the special tokens come first."""
    words = {*THINGS, *LETTERS, *YES_NO, *SPEAKERS, *FILLERS, *JUNK, *literal_words()}
    words |= {"note", "answer", "asks", "the", ":", ".", ",", ";", "?"}
    for attribute in ATTRIBUTES.values():
        words |= {attribute.marker, *attribute.values}
    for concept in (*CONCEPTS.values(), *ABOUT.values()):
        words |= {*concept.observed, *concept.rare}
    return [PADDING, UNKNOWN, END, *sorted(words)]


PADDING, UNKNOWN, END = "<pad>", "<unk>", "</s>"
