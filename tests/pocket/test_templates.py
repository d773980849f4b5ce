"""The templates: lines of words, different in every set."""

from __future__ import annotations

import itertools

from phraseproof.pocket.lexicon import CONCEPTS
from phraseproof.pocket.templates import OBSERVED, PARAPHRASE, TEST, VALIDATION, lines
from phraseproof.pocket.wordings import ABOUT, KINDS, slot

TEMPLATES = {"observed": OBSERVED, "paraphrase": PARAPHRASE, "validation": VALIDATION, "test": TEST}


def test_lines_are_the_lines_of_a_text_without_indentation() -> None:
    assert lines("\n        one line .\n        another : {about}\n    ") == ("one line .", "another : {about}")


def test_no_template_is_in_two_sets() -> None:
    for one, other in itertools.combinations(TEMPLATES.values(), 2):
        for kind in KINDS:
            assert set(one[kind]).isdisjoint(other[kind])


def test_every_set_has_as_many_of_each_kind_as_the_model_card_says() -> None:
    counts = {name: {len(some) for some in templates.values()} for name, templates in TEMPLATES.items()}
    assert counts == {"observed": {12}, "paraphrase": {12}, "validation": {26}, "test": {16}}
    assert all(tuple(templates) == KINDS for templates in TEMPLATES.values())


def test_braces_hold_concepts_and_every_template_asks_for_the_attribute() -> None:
    for templates in TEMPLATES.values():
        for template in itertools.chain.from_iterable(templates.values()):
            concepts = [slot(word) for word in template.split() if slot(word) is not None]
            assert ABOUT in concepts
            assert set(concepts) <= {*CONCEPTS, ABOUT}
