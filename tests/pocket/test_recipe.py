"""The recipes: stages that can be shortened, learning rates that fall, and shares that add up."""

from __future__ import annotations

import pytest

from phraseproof.pocket.recipe import RECIPE, RECIPES, Mix, Stage


def test_a_learning_rate_is_held_and_then_falls() -> None:
    stage = Stage(100, RECIPE.tuning.mix, 1e-3, 1e-5, held=0.4)
    assert stage.rate_at(0) == stage.rate_at(40) == 1e-3
    assert stage.rate_at(70) == pytest.approx((1e-3 + 1e-5) / 2)
    assert stage.rate_at(100) == stage.rate_at(300) == pytest.approx(1e-5)


@pytest.mark.parametrize("steps", [100, 777, 3000])
def test_a_shorter_recipe_keeps_its_stages_in_proportion(steps: int) -> None:
    short = RECIPE.shortened(steps)
    assert short.steps == steps
    for stage, whole in zip(short.stages, RECIPE.stages, strict=True):
        assert stage.mix == whole.mix
        assert abs(stage.steps / steps - whole.steps / RECIPE.steps) < 0.02


def test_a_slower_stage_has_both_rates_multiplied() -> None:
    stage = Stage(10, RECIPE.talk.mix, 2e-3, 1e-3).slower(0.5)
    assert (stage.learning_rate, stage.last_learning_rate, stage.steps) == (1e-3, 5e-4, 10)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_mix_adds_up_to_one(name: str) -> None:
    assert all(sum(stage.mix) == pytest.approx(1) for stage in RECIPES[name].stages)


@pytest.mark.parametrize(
    ("name", "steps"),
    [("tiny", (600, 1200, 500, 900)), ("medium", (600, 1200, 500, 900)), ("small-t5", (400, 700, 600, 900))],
)
def test_stages_are_as_long_as_the_model_card_says(name: str, steps: tuple[int, ...]) -> None:
    assert tuple(stage.steps for stage in RECIPES[name].stages) == steps
    assert RECIPES[name].steps == sum(steps)


def test_medium_learns_its_first_two_stages_at_half_the_rate() -> None:
    for stage, other in zip(RECIPES["medium"].stages[:2], RECIPES["small"].stages[:2], strict=True):
        assert stage.learning_rate == other.learning_rate / 2
    assert RECIPES["medium"].stages[2:] == RECIPES["small"].stages[2:]


def test_bases_are_the_stages_before_tuning_without_observed_wordings() -> None:
    for name, length in (("tiny-base", 1.0), ("tiny-base-long", 1.4)):
        recipe = RECIPES[name]
        assert recipe.size == RECIPES["tiny"].size
        assert [stage.steps for stage in recipe.stages] == [length * 600, length * 1200, length * 500, 0]
        assert all(stage.mix.observed == 0 for stage in recipe.stages[:3])
        assert [stage.learning_rate for stage in recipe.stages] == [stage.learning_rate for stage in RECIPE.stages]


def test_the_encoder_decoder_has_no_exercises() -> None:
    for stage in RECIPES["small-t5"].stages:
        assert isinstance(stage.mix, Mix)
        assert stage.mix.copying == stage.mix.dictionary == 0
