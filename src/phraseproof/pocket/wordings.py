"""The wordings of the pocket tasks: four sets, made from templates (`templates.py`) with a word for each concept."""

from __future__ import annotations

import random
import re
from functools import cache
from typing import NamedTuple

from phraseproof.pocket.lexicon import CONCEPTS
from phraseproof.pocket.templates import OBSERVED, PARAPHRASE, TEST, VALIDATION

KINDS = ("choose", "label", "has")
"""The kinds of tasks: multiple choice by letter, one of six labels, yes or no."""

ABOUT = "about"


class Wording(NamedTuple):
    """One wording of a set.

    Attributes:
        words: its words in lower case, with `{about}` in place of the attribute's name.
        name: the index of the name that it uses, in the attribute's observed and rare words, in that order.
    """

    words: tuple[str, ...]
    name: int


class _Recipe(NamedTuple):
    templates: dict[str, tuple[str, ...]]
    openings: tuple[str, ...]
    seed: int
    rare_share: float  # of concepts that get a rare word
    rare_names: tuple[int, ...]  # indices of the names that a wording may use instead of the observed one
    rare_name_share: float  # of wordings that use one of them


# Names of each attribute: one observed (0), one shared (1), one of paraphrases (2), two unobserved (3, 4).
_SETS = {
    "observed": _Recipe(OBSERVED, ("",), 1, 0.0, (0,), 0.0),
    "paraphrase": _Recipe(PARAPHRASE, ("", "", "kindly do this :"), 2, 0.6, (1, 2), 0.4),
    "validation": _Recipe(
        VALIDATION, ("", "", "", "one small exercise :", "small favour :", "good day ,"), 3, 0.6, (1, 3, 4), 0.4
    ),
    "test": _Recipe(
        TEST, ("", "", "", "first things first :", "something for you :", "next point :"), 6, 0.6, (1, 3, 4), 0.4
    ),
}

SETS = tuple(_SETS)


def wordings(name: str) -> dict[str, tuple[Wording, ...]]:
    """The wordings of each kind in a set, one of `SETS`. The same set every time."""
    recipe = _SETS[name]
    draw = random.Random(recipe.seed)
    return {kind: tuple(_wording(t, recipe, draw) for t in recipe.templates[kind]) for kind in KINDS}


def slot(word: str) -> str | None:
    """The concept that a word of a template names, or None if the word is printed as it is."""
    return word[1:-1] if word.startswith("{") else None


def in_observed_words(template: str) -> tuple[str, ...]:
    """The words of a template, with the commonest word for each concept. `{about}` stays."""
    slots = ((word, slot(word)) for word in template.split())
    return tuple(word if name in (None, ABOUT) else CONCEPTS[name].observed[0] for word, name in slots)


def _wording(template: str, recipe: _Recipe, draw: random.Random) -> Wording:
    words: list[str] = draw.choice(recipe.openings).split()
    for word in template.split():
        concept = slot(word)
        if concept is None or concept == ABOUT:
            words.append(word)
            continue
        known = CONCEPTS[concept]
        rare = known.shared + (known.paraphrase if recipe.templates is PARAPHRASE else known.unobserved)
        words.append(draw.choice(rare) if draw.random() < recipe.rare_share else draw.choice(known.observed))
    name = draw.choice(recipe.rare_names) if draw.random() < recipe.rare_name_share else 0
    return Wording(tuple(words), name)


def sentence(words: tuple[str, ...]) -> str:
    """Join words with the spacing and the capitals of written English."""
    text = re.sub(r" ([.,:;?])", r"\1", " ".join(words))
    text = re.sub(r"\bi\b", "I", text)
    return re.sub(r"(^|[.?] )([a-z])", lambda match: match[1] + match[2].upper(), text)


@cache
def all_templates() -> frozenset[str]:
    """The templates of all sets."""
    return frozenset(line for recipe in _SETS.values() for lines in recipe.templates.values() for line in lines)


def literal_words() -> set[str]:
    """The words of all templates and openings that are printed as they are."""
    found = {word for line in all_templates() for word in line.split()}
    found |= {word for recipe in _SETS.values() for opening in recipe.openings for word in opening.split()}
    return {word for word in found if slot(word) is None}
