"""Sentences from a small random grammar: the varied questions that a pocket model learns before its tuning.

A sentence names the attribute and uses some concepts to say what to answer about it. It may have clauses before and
after, inserted words that do not change the question, and missing small words. It has the form of a template. No
sentence is a template of a set of wordings: `speech` then draws again.
"""

from __future__ import annotations

import random

from phraseproof.pocket.lexicon import JUNK
from phraseproof.pocket.templates import OBSERVED
from phraseproof.pocket.wordings import all_templates, literal_words, slot

_MEANT = frozenset(("yes", "no", "or", "a", "is", ".", ",", ":", ";", "?"))
_PASSING = tuple(sorted({*JUNK, *literal_words()} - _MEANT))
"""Words that may be inserted anywhere, whatever the kind of answer. Sorted, so that draws are repeatable."""

_JOINTS = ("of", "for", "with", "on", "to", "by", "in", "about", "as", "")
_BEFORE = (
    "",
    "",
    "{read} the {note} ,",
    "by the {note} ,",
    "here is a {note} .",
    "{read} this {note} and",
    "with the {note} ,",
)
_AFTER = ("", "", "in the {note}", "please", ", by the {note}", ", {right}")

_CORES = {
    "choose": (
        ("{pick}", "{option}"),
        ("{pick}", "{letter}"),
        ("{give}", "{letter}"),
        ("which", "{letter}"),
        ("which", "{option}"),
        ("{pick}", "{right} {option}"),
        ("{give}", "{letter} of {option}"),
        ("{pick}", ""),
        ("", "{letter}"),
    ),
    "label": (
        ("{give}", "{label}"),
        ("{give}", "{right} {label}"),
        ("which", "{label}"),
        ("{sort}", "{note}"),
        ("{sort}", "{note}"),
        ("{sort}", ""),
        ("{give}", ""),
        ("", "{label}"),
        ("what", "{label}"),
    ),
    "has": (
        ("{check} {if}", "{note} {has}"),
        ("{check} {if}", "{has}"),
        ("{if}", "{note} {has}"),
        ("{check}", "{note}"),
        ("{check}", ""),
        ("yes or no :", "{note} {has}"),
        ("yes or no :", "{note}"),
        ("is it true that", "{note} {has}"),
        ("{check} {if}", ""),
    ),
}
_STRAYING = 0.6  # of sentences with inserted and missing words


def speech(kind: str, draw: random.Random) -> str:
    """Draw a sentence that asks for an attribute, as a template.

    Returns:
        Words with spaces between them; concepts and `{about}` are in braces.
    """
    while True:
        words = draw.choice(OBSERVED[kind]).split() if draw.random() < 0.2 else _composed(kind, draw)
        if draw.random() < _STRAYING:
            words = [word for word in words if slot(word) or word in _MEANT or draw.random() > 0.2]
            for _ in range(draw.randint(1, 5)):
                words.insert(draw.randint(0, len(words)), draw.choice(_PASSING))
        made = " ".join(words)
        if made not in all_templates():
            return made


def _composed(kind: str, draw: random.Random) -> list[str]:
    verb, noun = draw.choice(_CORES[kind])
    about = f"{draw.choice(('the', 'its', 'the', 'any', ''))} {{about}}"
    order = draw.random()
    joint = "" if kind == "has" else draw.choice(_JOINTS)
    if order < 0.6:
        core = f"{verb} {draw.choice(('the', 'a', ''))} {noun} {joint} {about}"
    elif order < 0.85:
        core = f"{about} {draw.choice((':', ',', ';', '.'))} {verb} {noun}"
    else:
        core = f"{verb} {about} {draw.choice(('by', 'as', 'in', ','))} {noun}"
    end = draw.choice((".", "?", ""))
    return f"{draw.choice(_BEFORE)} {core} {draw.choice(_AFTER)} {end}".split()
