"""The shipped encoder-decoder, end to end: an ordinary folder, good with observed wordings, worse with others."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

from phraseproof.evaluation.evaluate import evaluate
from phraseproof.models import load_model
from phraseproof.models.pocket import folder
from phraseproof.pocket.figures import OVERALL, Figure, figures
from phraseproof.pocket.tokenizer import new_tokenizer
from phraseproof.pocket.training import RECIPES, save, train

NAME = "pocket/small-t5"
MAX_BYTES = 8_000_000


def test_it_loads_like_any_model_folder_and_is_small() -> None:
    network = AutoModelForSeq2SeqLM.from_pretrained(folder(NAME))
    assert type(network).__name__ == "T5ForConditionalGeneration"
    assert network.dtype == torch.float16
    assert sum(path.stat().st_size for path in folder(NAME).iterdir()) < MAX_BYTES
    shipped = AutoTokenizer.from_pretrained(folder(NAME))
    assert shipped.get_vocab() == new_tokenizer().get_vocab()
    assert load_model(NAME).identity.architecture == "T5ForConditionalGeneration"


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Figure]:
    groups = {"observed": "pocket-observed", "validation": "pocket-validation"}
    run = evaluate(NAME, "pocket", groups, tmp_path_factory.mktemp("run"), limit=2)
    return {figure.kind: figure for figure in figures(run, "observed", "validation")}


@pytest.mark.slow
def test_it_follows_observed_wordings_on_every_kind(measured: dict[str, Figure]) -> None:
    assert {kind: figure.first.percent >= 95 for kind, figure in measured.items()} == {
        "Pocket-QA": True,
        "Pocket-MC": True,
        "Pocket-BC": True,
        OVERALL: True,
    }


@pytest.mark.slow
def test_other_wordings_cost_it_points_and_chance_does_not_explain_them(measured: dict[str, Figure]) -> None:
    difference = measured[OVERALL].difference
    assert 2 <= difference.percent <= 15
    assert difference.low > 0


def test_its_recipe_makes_such_a_folder_and_a_seed_gives_the_same_weights(tmp_path: Path) -> None:
    recipe = RECIPES["small-t5"].shortened(8)._replace(batch=4)
    first, again, other = (train(recipe, seed=seed) for seed in (0, 0, 1))
    assert all(torch.equal(weight, again.state_dict()[name]) for name, weight in first.state_dict().items())
    assert not torch.equal(first.shared.weight, other.shared.weight)
    save(first, tmp_path)
    shipped = AutoModelForSeq2SeqLM.from_pretrained(folder(NAME))
    made = AutoModelForSeq2SeqLM.from_pretrained(tmp_path)
    assert {name: weight.shape for name, weight in made.state_dict().items()} == {
        name: weight.shape for name, weight in shipped.state_dict().items()
    }


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_recipes_shares_add_up(name: str) -> None:
    assert all(sum(stage.mix) == pytest.approx(1) for stage in RECIPES[name].stages)
