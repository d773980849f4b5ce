"""The negations for alignment: negated, in words that the models know, and none that a closer look measures."""

from __future__ import annotations

import pytest

from phraseproof.core import Relation
from phraseproof.instructions.collections import instructions_for, load_collection
from phraseproof.instructions.render import build_prompt
from phraseproof.instructions.template import compile_instruction
from phraseproof.pocket.closer_look import CLOSER_LOOK, closer_look
from phraseproof.pocket.lexicon import CONCEPTS
from phraseproof.pocket.negation import negations
from phraseproof.pocket.tokenizer import new_tokenizer
from phraseproof.pocket.wordings import KINDS, SETS, wordings
from phraseproof.tasks import load_tasks

_PLAIN = {word: concept.observed[0] for concept in CONCEPTS.values() for word in concept.observed}


def _without_negation(words: tuple[str, ...]) -> set[str]:
    """The words that a negation leaves alone, observed synonyms as one."""
    return {_PLAIN.get(word, word) for word in words} - {"not", "never", "do", "that", "is", "the", "a"}


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_an_observed_wording_with_one_negation(kind: str) -> None:
    some = negations()[kind]
    assert len({wording.words for wording in some}) == 8
    for wording in some:
        assert sum(word in {"not", "never"} for word in wording.words) == 1
        assert wording.words.count("{about}") == 1
        observed = wordings("observed")[kind]
        assert any(_without_negation(wording.words) == _without_negation(other.words) for other in observed)


def test_none_is_in_a_set_that_measures() -> None:
    measured = {wording.words for name in SETS for some in wordings(name).values() for wording in some}
    measured |= {wording.words for name in CLOSER_LOOK for some in closer_look(name).values() for wording in some}
    assert measured.isdisjoint(wording.words for some in negations().values() for wording in some)


@pytest.mark.parametrize("kind", KINDS)
def test_the_models_know_every_word(kind: str) -> None:
    tokenizer = new_tokenizer()
    (task,) = load_tasks([f"pocket/{kind}-price"])
    served = instructions_for(load_collection("pocket-negation"), task)
    assert len(served) == 8
    for instruction in served:
        assert instruction.relation == Relation.NEGATED
        prompt = build_prompt(
            compile_instruction(instruction), task.examples[0], demonstrations=(), prompt_format="plain"
        )
        assert tokenizer.unk_token_id not in tokenizer(prompt.text)["input_ids"]
