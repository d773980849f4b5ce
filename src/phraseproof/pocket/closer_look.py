"""The closer-look sets of the paper (section 4.5): closest, incorrect, negated and nonsensical wordings.

* *closest*: a wording from the tuning data, for the task itself.
* *incorrect*: a wording from the tuning data for another task with the same form of answer; here, for the attribute's
  partner.
* *negated*: a closest wording with a negation.
* *nonsensical*: a sentence that asks nothing.
"""

from __future__ import annotations

from phraseproof.pocket.templates import OBSERVED, lines
from phraseproof.pocket.wordings import KINDS, Wording, in_observed_words

CLOSER_LOOK = ("closest", "incorrect", "negated", "nonsensical")
"""The names of the sets, which are also relations of `core.Relation`."""

PARTNER_NAME = -1
"""The `name` of a wording that asks for the attribute's partner."""

_OF_EACH = 4

_NEGATED = {
    "choose": lines("""
        {read} the {note} , then do not {pick} the {option} naming the {about} .
        what does the {note} never say about the {about} ? {give} a {letter} .
        which {option} is not {right} as the {about} ?
        do not {pick} one {letter} for the {about} in this {note} .
    """),
    "label": lines("""
        {read} the {note} , then do not {give} the {about} as a {label} .
        what is not the {about} in this {note} ? {give} one {label} .
        never {sort} the {note} by its {about} .
        here is a {note} . which {label} is not its {about} ?
    """),
    "has": lines("""
        do not {check} {if} the {note} {has} its {about} .
        is the {about} not given in this {note} ? answer yes or no .
        yes or no : the {note} never {has} its {about} .
        {read} the {note} and {check} {if} it does not give the {about} .
    """),
}

_NONSENSICAL = lines("""
    the fox and the owl would like some bread .
    every tuesday the boat is in the harbour .
    simply put the kite under the cart .
    anna and boris always find the river .
""")


def closer_look(relation: str) -> dict[str, tuple[Wording, ...]]:
    """The four wordings of each kind in one of the sets, in observed words.

    Args:
        relation: one of `CLOSER_LOOK`.
    """
    found: dict[str, tuple[Wording, ...]] = {}
    for kind in KINDS:
        templates = {"negated": _NEGATED[kind], "nonsensical": _NONSENSICAL}.get(relation, OBSERVED[kind])[:_OF_EACH]
        name = PARTNER_NAME if relation == "incorrect" else 0
        found[kind] = tuple(Wording(in_observed_words(template), name) for template in templates)
    return found
