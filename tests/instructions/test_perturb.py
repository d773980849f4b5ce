"""Negated, nonsensical and formatted wordings: what changes, and all that must not."""

from __future__ import annotations

import re

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from phraseproof.core import Instruction, Prompt, Relation
from phraseproof.errors import UsageError
from phraseproof.instructions.collections import Collection, load_collection
from phraseproof.instructions.perturb import formatted, negated, nonsensical
from phraseproof.instructions.render import build_prompt
from phraseproof.instructions.template import compile_instruction
from phraseproof.instructions.validation_example import validation_example

COMPOSED = load_collection("composed")
LETTERED = Instruction(
    "lettered",
    "mine",
    ask="Choose well.",
    layout='Question: {{ question }}\nOptions:\n{{ choices | enumerate("({letter}) {choice}") }}\nAnswer:',
)


def prompt_of(wording: Instruction) -> Prompt:
    compiled = compile_instruction(wording)
    return build_prompt(compiled, validation_example(compiled), demonstrations=(), prompt_format="plain")


def only(*wordings: Instruction) -> Collection:
    return Collection("mine", wordings)


# ------------------------------------------------------------------------------------------------------------- formats


@settings(max_examples=25, phases=(Phase.explicit, Phase.reuse, Phase.generate))  # shrinking is slow
@given(st.sampled_from(COMPOSED.instructions), st.integers(0, 10_000), st.integers(1, 3))
def test_variants_say_the_same_in_another_layout(wording: Instruction, seed: int, count: int) -> None:
    found = formatted(only(wording), count, seed=seed)
    assert formatted(only(wording), count, seed=seed) == found
    assert len(found.instructions) == count or found.unchanged
    seen = {(wording.layout, wording.template, wording.separator, wording.answer)}
    own = compile_instruction(wording)
    example = validation_example(own)
    for variant in found.instructions:
        assert (variant.ask, variant.relation, variant.serves) == (wording.ask, wording.relation, wording.serves)
        seen.add((variant.layout, variant.template, variant.separator, variant.answer))
        compiled = compile_instruction(variant)
        assert compiled.fields == own.fields
        mine, theirs = prompt_of(variant), prompt_of(wording)
        for choice in example.choices:
            assert mine.text.count(choice) == theirs.text.count(choice)
        assert letters_only(mine.text) == letters_only(theirs.text)
        assert not mine.text.endswith(" ")
        if compiled.labels:
            for label in mine.options:
                assert label in mine.text
    assert len(seen) == len(found.instructions) + 1


def letters_only(text: str) -> str:
    """A prompt's words in order, without labels of options (and other single letters)."""
    return " ".join(re.findall(r"[^\W\d_]{2,}", text.lower()))


def test_what_has_no_variants_is_told() -> None:
    bare = Instruction("bare", "mine", template="{{ question }}")
    found = formatted(only(bare), 2)
    assert found.instructions == ()
    assert found.unchanged[0].reason == "0 of 2 formatting variants exist"
    with pytest.raises(UsageError, match="at least one variant"):
        formatted(only(bare), 0)


# ------------------------------------------------------------------------------------------------ negated, nonsensical


def test_negated_wordings_keep_all_but_the_ask() -> None:
    found = negated(COMPOSED)
    assert len(found.instructions) + len(found.unchanged) == len(COMPOSED.instructions)
    seeds = {f"{each.id}~negated": each for each in COMPOSED.instructions}
    for each in found.instructions:
        seed = seeds[each.id]
        assert each.relation is Relation.NEGATED
        assert each.ask != seed.ask
        same = (
            "layout",
            "template",
            "ask_last",
            "separator",
            "answer",
            "target_delimiter",
            "fewshot_delimiter",
            "serves",
            "licence",
            "author",
        )
        assert all(getattr(each, name) == getattr(seed, name) for name in same)
        assert each.source == f"composed/{seed.id}, negated by rule"
    assert "cannot be separated" in next(each for each in found.unchanged if "mc-no-cue" in each.instruction).reason


def test_nonsense_is_drawn_by_seed_and_used_up_before_it_comes_again() -> None:
    found = nonsensical(COMPOSED, seed=4)
    assert nonsensical(COMPOSED, seed=4) == found
    assert nonsensical(COMPOSED, seed=5) != found
    asks = [each.ask for each in found.instructions]
    assert len(set(asks)) == len(set(asks[:12])) == 12
    assert all(each.relation is Relation.NONSENSICAL and each.layout is not None for each in found.instructions)
    own = nonsensical(only(LETTERED), sentences=["Moo."])
    assert own.instructions[0].ask == "Moo."
    assert prompt_of(own.instructions[0]).text.startswith("Moo.\n\nQuestion:")
    with pytest.raises(UsageError, match="no sentences"):
        nonsensical(only(LETTERED), sentences=[])


def test_an_ask_that_holds_its_example_is_not_replaced() -> None:
    found = nonsensical(only(Instruction("a", "mine", ask="Is it {{ question }}?")))
    assert found.instructions == ()
    assert "part of its ask" in found.unchanged[0].reason
