"""Negated wordings for the alignment methods `negation` and `joint`, which increase the distance from them.

They negate the observed wordings from the fifth on. The `negated` set that is measured (`closer_look.py`) negates the
first four, so no wording is in both. The shipped models never learned what "not" means: in their training data it is
one of the words that do not change the question.
"""

from __future__ import annotations

from phraseproof.pocket.templates import lines
from phraseproof.pocket.wordings import KINDS, Wording, in_observed_words

NEGATION = "negation"
"""The name of the set. Its collection is `pocket-negation`."""

_NEGATION = {
    "choose": lines("""
        here is a {note} . do not {give} the {letter} for its {about} .
        the question is not the {about} . {pick} one {option} .
        never {give} the {letter} next to the {right} {about} .
        by the {note} , which {letter} never stands for the {about} ?
        please {read} the {note} and do not {pick} its {about} by {letter} .
        four lines , one {about} : do not {pick} the {letter} .
        {pick} the {option} that is not {right} for the {about} .
        what is the {about} ? never {give} its {letter} .
    """),
    "label": lines("""
        the {label} should not be the {right} {about} .
        do not {give} this {note} its {about} as a {label} .
        please never {sort} by {about} .
        by the {note} , what {label} is not {right} for the {about} ?
        do not {sort} each {note} under its {about} .
        one {label} , please : not the {about} .
        {give} the {label} that is not {right} for the {about} .
        {read} the {note} and never {sort} it by {about} .
    """),
    "has": lines("""
        here is a {note} . is there not any {about} in it ?
        please do not {check} the {note} for its {about} .
        say yes if the {about} is not in the {note} , else no .
        is it true that the {note} never {has} the {about} ?
        {check} , yes or no , {if} the {about} is not there .
        the {about} : is it not in the {note} ? yes or no .
        {if} the {note} {has} the {about} , do not say yes .
        does the {note} never give the {about} ? yes or no .
    """),
}


def negations() -> dict[str, tuple[Wording, ...]]:
    """The eight negated wordings of each kind, in observed words."""
    return {kind: tuple(Wording(in_observed_words(line), 0) for line in _NEGATION[kind]) for kind in KINDS}
