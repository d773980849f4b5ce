"""The recipe: the same weights for the same seed, a folder that anyone can load, and a start that looks back."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from phraseproof.pocket.network import Size, new_network
from phraseproof.pocket.training import RECIPE, Progress, Recipe, Stage, save, train

TINY = Recipe(size=Size(64, 2, 2, 64), batch=4, patience=1.0).shortened(10)


def test_a_seed_gives_the_same_weights_and_another_seed_gives_others() -> None:
    first, again, other = (train(TINY, seed=seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["model.embed_tokens.weight"], other["model.embed_tokens.weight"])


def test_training_leaves_torch_as_it_was() -> None:
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    train(TINY, threads=1)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def test_steps_and_losses_are_told() -> None:
    told: list[Progress] = []
    train(TINY, on_step=told.append)
    assert [progress.step for progress in told] == list(range(1, TINY.steps + 1))
    assert all(progress.loss > 0 and progress.steps == TINY.steps for progress in told)


def test_questions_go_on_until_they_are_understood_or_patience_ends() -> None:
    told: list[Progress] = []
    hopeless = TINY._replace(questions=TINY.questions._replace(steps=60), patience=2.0)
    train(hopeless, on_step=told.append)
    assert len(told) == hopeless.steps + 100, "one more look after 100 steps, which is past its patience"
    assert told[-1].steps == len(told)


def test_a_learning_rate_is_held_and_then_falls() -> None:
    stage = Stage(100, RECIPE.tuning.mix, 1e-3, 1e-5, held=0.4)
    assert stage.rate_at(0) == stage.rate_at(40) == 1e-3
    assert stage.rate_at(70) == pytest.approx((1e-3 + 1e-5) / 2)
    assert stage.rate_at(100) == stage.rate_at(300) == pytest.approx(1e-5)


def test_the_saved_folder_is_an_ordinary_one(tmp_path: Path) -> None:
    network = train(TINY)
    save(network, tmp_path)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    assert loaded.dtype == torch.float16
    assert all(torch.equal(loaded.state_dict()[name], weight) for name, weight in network.state_dict().items())
    assert loaded.config.vocab_size == len(tokenizer)


@pytest.mark.parametrize("steps", [100, 777, 3000])
def test_a_shorter_recipe_keeps_its_stages_in_proportion(steps: int) -> None:
    short = RECIPE.shortened(steps)
    assert short.steps == steps
    for stage, whole in zip(short.stages, RECIPE.stages, strict=True):
        assert stage.mix == whole.mix
        assert abs(stage.steps / steps - whole.steps / RECIPE.steps) < 0.02


def test_every_mix_adds_up_to_one() -> None:
    assert all(sum(stage.mix) == pytest.approx(1) for stage in RECIPE.stages)


@pytest.mark.parametrize("width", [64, 128])
def test_the_first_head_starts_by_looking_one_position_back(width: int) -> None:
    torch.manual_seed(0)
    network = new_network(Size(width, 1, width // 32, 64), 50, padding=0, end=2).eval()
    network.set_attn_implementation("eager")
    with torch.no_grad():
        weights = network(torch.randint(3, 50, (1, 24)), output_attentions=True).attentions[0][0, 0]
    back = torch.tensor([weights[position, position - 1] for position in range(2, 24)])
    assert back.min() > 0.8
