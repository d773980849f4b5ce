"""Prompts and tokens of a training against those of the batches that the loop draws."""

from __future__ import annotations

from phraseproof.alignment.loop.preparation import prepare
from phraseproof.alignment.pairs import pairs_from_task
from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.hardening.costs import training_cost
from phraseproof.models import ModelOptions, load_model
from support.harden_data import make_task, make_wordings
from support.tiny_models import tiny_llama


def test_every_prompt_of_every_step_counts() -> None:
    wordings = make_wordings(3)
    pairs = pairs_from_task(make_task(size=1), wordings[:1], wordings[1:])
    settings = AlignmentSettings(max_steps=5, gradient_accumulation=2, held_out_fraction=0.0, prompt_format="plain")
    found = training_cost(prepare(str(tiny_llama()), pairs, settings, ModelOptions()))
    # One pair: all three wordings are in each of 5 x 2 batches.
    assert (found.steps, found.prompts) == (5, 30)
    tokenizer = load_model(str(tiny_llama())).tokenizer  # pyright: ignore[reportAttributeAccessIssue]
    (pair,) = pairs
    whole = [f"{text}\n\n{pair.input} {pair.target}" for text in pair.wordings]
    ends = len(whole)  # every target ends in the end-of-text token
    assert found.tokens == 10 * (sum(len(tokenizer(text)["input_ids"]) for text in whole) + ends)


def test_at_most_as_many_wordings_as_a_batch_has() -> None:
    wordings = make_wordings(6)
    pairs = pairs_from_task(make_task(size=4), wordings[:1], wordings[1:])
    settings = AlignmentSettings(
        max_steps=3, gradient_accumulation=4, paraphrases_per_batch=2, held_out_fraction=0.0, prompt_format="plain"
    )
    assert training_cost(prepare(str(tiny_llama()), pairs, settings, ModelOptions())).prompts == 3 * 4 * 3


def test_a_method_that_draws_one_wording_reads_one() -> None:
    wordings = make_wordings(6)
    pairs = pairs_from_task(make_task(size=4), wordings[:1], wordings[1:])
    settings = AlignmentSettings(
        method="paft", max_steps=3, gradient_accumulation=4, held_out_fraction=0.0, prompt_format="plain"
    )
    assert training_cost(prepare(str(tiny_llama()), pairs, settings, ModelOptions())).prompts == 3 * 4
