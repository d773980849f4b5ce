"""The questions of the pocket tasks: a random note about a thing, and an attribute to find in it."""

from __future__ import annotations

import random
from typing import NamedTuple

from phraseproof.pocket.lexicon import ABOUT, ATTRIBUTES, CONCEPTS, FILLERS, JUNK, SPEAKERS, THINGS
from phraseproof.pocket.wordings import KINDS, literal_words

ITEMS = 4
"""The number of attributes in a note."""

LETTERS = ("A", "B", "C", "D")
YES_NO = ("yes", "no")


class Question(NamedTuple):
    """One question of a task.

    Attributes:
        note: its words and punctuation marks. The note of a `choose` question names only the thing, because the
            attributes are the options.
        choices: the texts of the options.
        target: the index of the correct option.
    """

    note: tuple[str, ...]
    choices: tuple[str, ...]
    target: int

    @property
    def answer(self) -> str:
        """The text of the correct option."""
        return self.choices[self.target]


def task_names() -> list[str]:
    """The names of the 24 tasks, three kinds for eight attributes: `choose-maker`, ..., `has-weight`."""
    return [f"{kind}-{attribute}" for kind in KINDS for attribute in ATTRIBUTES]


def ask(kind: str, attribute: str, draw: random.Random, *, items: int = ITEMS) -> Question:
    """Draw a question of a kind about an attribute.

    The note of a `choose` or `label` question gives the attribute and its partner, so a model that confuses them finds
    a plausible wrong answer. In half of `has` questions the answer is yes. Three in four `has` notes give the partner.

    Args:
        kind: one of `wordings.KINDS`.
        attribute: a name in `lexicon.ATTRIBUTES`.
        draw: the random generator.
        items: the number of attributes in the note.
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
    """The words of a question after the wording: note, options, and the words before the answer.

    Every wording of a kind has the same layout.
    """
    words = ["note", ":", *question.note]
    if kind == "choose":
        for letter, line in zip(LETTERS, question.choices, strict=False):
            words += [letter, *line.split()]
    return [*words, "answer", ":"]


def options_of(kind: str, question: Question) -> tuple[str, ...]:
    """The words that are scored as options: letters, labels, or yes and no."""
    return LETTERS[: len(question.choices)] if kind == "choose" else question.choices


def vocabulary() -> list[str]:
    """All words that the models know: the special tokens, then the others, sorted. The index of a word is its token."""
    words = {*THINGS, *LETTERS, *YES_NO, *SPEAKERS, *FILLERS, *JUNK, *literal_words()}
    words |= {"note", "answer", "asks", "the", ":", ".", ",", ";", "?"}
    for attribute in ATTRIBUTES.values():
        words |= {attribute.marker, *attribute.values}
    for concept in (*CONCEPTS.values(), *ABOUT.values()):
        words |= {*concept.observed, *concept.rare}
    return [PADDING, UNKNOWN, END, *sorted(words)]


PADDING, UNKNOWN, END = "<pad>", "<unk>", "</s>"
