"""The closer-look sets say what their relation says."""

from __future__ import annotations

import re

import pytest

from phraseproof.core import Relation
from phraseproof.instructions.collections import instructions_for, load_collection
from phraseproof.instructions.render import build_prompt
from phraseproof.instructions.template import compile_instruction
from phraseproof.pocket.closer_look import CLOSER_LOOK, closer_look
from phraseproof.pocket.lexicon import ATTRIBUTES, CONCEPTS
from phraseproof.pocket.wordings import KINDS, slot, wordings
from phraseproof.pocket.world import vocabulary
from phraseproof.tasks import load_tasks


@pytest.mark.parametrize("relation", CLOSER_LOOK)
def test_each_kind_has_four_of_each_relation_in_known_words(relation: str) -> None:
    assert Relation(relation)
    for kind in KINDS:
        some = closer_look(relation)[kind]
        assert len({wording.words for wording in some}) == 4
        for wording in some:
            assert {word for word in wording.words if slot(word) is None} <= set(vocabulary())


def test_closest_are_wordings_of_training() -> None:
    for kind in KINDS:
        assert {w.words for w in closer_look("closest")[kind]} <= {_plain(w.words) for w in wordings("observed")[kind]}


def _plain(words: tuple[str, ...]) -> tuple[str, ...]:
    """Observed wordings draw among observed words; the closest ones use the commonest."""
    commonest = {word: concept.observed[0] for concept in CONCEPTS.values() for word in concept.observed}
    return tuple(commonest.get(word, word) for word in words)


def test_negated_ones_hold_a_negation_and_the_attribute() -> None:
    for some in closer_look("negated").values():
        for wording in some:
            assert {"not", "never"} & set(wording.words)
            assert "{about}" in wording.words


def test_incorrect_ones_ask_for_the_partner_and_nonsensical_ones_for_nothing() -> None:
    (task,) = load_tasks(["pocket/label-maker"])
    for relation, named in (("incorrect", {"buyer"}), ("closest", {"maker"}), ("nonsensical", set[str]())):
        served = instructions_for(load_collection(f"pocket-{relation}"), task)
        assert {item.relation for item in served} == {Relation(relation)}
        for instruction in served:
            prompt = build_prompt(
                compile_instruction(instruction), task.examples[0], demonstrations=(), prompt_format="plain"
            )
            ask = prompt.text.partition("Note:")[0]
            said = set(re.findall(r"[a-z]+", ask.lower()))
            assert said & set(ATTRIBUTES) == named
