"""The training: the same weights for the same seed, every step reported, and an ordinary folder."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from phraseproof.pocket.network import DecoderSize
from phraseproof.pocket.recipe import Recipe
from phraseproof.pocket.training import Progress, save, train

TINY = Recipe(size=DecoderSize(64, 2, 2, 64), batch=4, patience=1.0).shortened(10)


def test_a_seed_gives_the_same_weights_and_another_seed_gives_others() -> None:
    first, again, other = (train(TINY, seed=seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["model.embed_tokens.weight"], other["model.embed_tokens.weight"])


def test_training_leaves_torch_as_it_was() -> None:
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    train(TINY, threads=1)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def test_steps_and_losses_are_reported() -> None:
    reported: list[Progress] = []
    train(TINY, on_step=reported.append)
    assert [progress.step for progress in reported] == list(range(1, TINY.steps + 1))
    assert all(progress.loss > 0 and progress.steps == TINY.steps for progress in reported)


def test_questions_go_on_until_they_are_understood_or_patience_ends() -> None:
    reported: list[Progress] = []
    hopeless = TINY._replace(questions=TINY.questions._replace(steps=60), patience=2.0)
    train(hopeless, on_step=reported.append)
    assert len(reported) == hopeless.steps + 100, "one more look after 100 steps, which is past its patience"
    assert reported[-1].steps == len(reported)


def test_the_saved_folder_is_an_ordinary_one(tmp_path: Path) -> None:
    network = train(TINY)
    save(network, tmp_path)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    assert loaded.dtype == torch.float16
    assert all(torch.equal(loaded.state_dict()[name], weight) for name, weight in network.state_dict().items())
    assert loaded.config.vocab_size == len(tokenizer)
