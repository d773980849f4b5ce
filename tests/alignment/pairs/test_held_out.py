"""Held-out pairs come in wordings that training does not see, wherever the pairs allow it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.alignment.pairs import ParaphraseSet, TextOrigin
from phraseproof.alignment.pairs.held_out import Split, split_pairs
from support.tiny_pairs import own_wordings, shared_wordings


def seen(pairs: tuple[ParaphraseSet, ...]) -> set[str]:
    return {text for pair in pairs for text in (pair.instruction, *pair.paraphrases)}


def new_wordings(split: Split) -> set[str]:
    return {text for pair in split.held_out for text in pair.paraphrases}


@pytest.mark.parametrize("fraction", [0.1, 0.3, 0.5])
def test_shared_wordings_are_split(fraction: float) -> None:
    pairs = shared_wordings(10)
    split = split_pairs(pairs, fraction, 0)
    assert split.by == "wording"
    assert len(split.held_out) == round(10 * fraction)
    assert len(split.train) + len(split.held_out) == 10
    assert new_wordings(split)
    assert not new_wordings(split) & seen(split.train)
    assert not {pair.input for pair in split.train} & {pair.input for pair in split.held_out}


def test_wordings_of_one_pair_alone_are_held_out_with_it() -> None:
    split = split_pairs(own_wordings(10), 0.2, 0)
    assert split.by == "wording"
    assert len(split.held_out) == 2
    assert all(len(pair.paraphrases) == 2 for pair in (*split.train, *split.held_out))
    assert not new_wordings(split) & seen(split.train)


def test_a_single_paraphrase_for_all_cannot_be_held_out() -> None:
    pairs = [ParaphraseSet("Which?", ("Say which.",), f"item {n}", "A") for n in range(6)]
    split = split_pairs(pairs, 0.2, 0)
    assert split.by == "pair"
    assert (len(split.train), len(split.held_out)) == (5, 1)


def test_texts_of_one_template_count_as_one_wording() -> None:
    templates = ("Choose: {{ choices }}.", "Pick: {{ choices }}.", "Take: {{ choices }}.")
    pairs = []
    for n in range(8):
        texts = [template.replace("{{ choices }}", f"a{n} or b{n}") for template in templates]
        origins = tuple(
            TextOrigin(text, f"c/{i}", template)
            for i, (text, template) in enumerate(zip(texts, templates, strict=True))
        )
        pairs.append(ParaphraseSet(f"Which, a{n} or b{n}?", tuple(texts), "", "A", origins=origins))
    split = split_pairs(pairs, 0.25, 0)
    assert split.by == "wording"
    starts = {text.partition(":")[0] for pair in split.train for text in pair.paraphrases}
    assert not starts & {text.partition(":")[0] for text in new_wordings(split)}


def test_a_reference_of_training_does_not_count_as_new() -> None:
    pairs = [ParaphraseSet("Which?", ("Say which.", "Name it."), f"item {n}", "A") for n in range(4)]
    pairs += [ParaphraseSet("Say which.", ("Which?", "Name it."), f"item {n}", "A") for n in range(4, 8)]
    split = split_pairs(pairs, 0.3, 0)
    if split.by == "wording":
        assert not new_wordings(split) & seen(split.train)


def test_nothing_to_hold_out() -> None:
    pairs = shared_wordings(4)
    assert split_pairs(pairs, 0.0, 0) == Split(tuple(pairs), (), "none")
    assert split_pairs(pairs[:1], 0.5, 0) == Split(tuple(pairs[:1]), (), "none")


_TEXTS = st.sampled_from(["one", "two", "three", "four", "five", "six"])


@given(
    wordings=st.lists(st.lists(_TEXTS, min_size=2, max_size=4, unique=True), min_size=2, max_size=12),
    fraction=st.floats(0.05, 0.9),
    seed=st.integers(0, 3),
)
def test_what_is_called_new_is_new(wordings: list[list[str]], fraction: float, seed: int) -> None:
    pairs = [ParaphraseSet(first, tuple(rest), f"item {n}", "A") for n, (first, *rest) in enumerate(wordings)]
    split = split_pairs(pairs, fraction, seed)
    assert split.train
    assert split.held_out
    assert all(pair.paraphrases for pair in (*split.train, *split.held_out))
    assert len(split.train) + len(split.held_out) + split.unused == len(pairs)
    if split.by == "wording":
        assert not new_wordings(split) & seen(split.train)


def test_the_order_of_the_file_does_not_matter() -> None:
    pairs = shared_wordings(10)
    shuffled = list(pairs)
    random.Random(1).shuffle(shuffled)
    one, other = split_pairs(pairs, 0.3, 4), split_pairs(shuffled, 0.3, 4)
    assert {pair.input for pair in one.held_out} == {pair.input for pair in other.held_out}
    assert new_wordings(one) == new_wordings(other)
    assert (
        new_wordings(one) != new_wordings(split_pairs(pairs, 0.3, 5))
        or one.held_out != split_pairs(pairs, 0.3, 5).held_out
    )
