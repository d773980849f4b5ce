"""The shipped encoder-decoder's recipe; what the shipped models do is in test_shipped_model.py."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForSeq2SeqLM

from phraseproof.models.pocket import folder
from phraseproof.pocket.recipe import RECIPES
from phraseproof.pocket.training import save, train

NAME = "pocket/small-t5"


@pytest.mark.slow
def test_its_recipe_makes_such_a_folder_and_a_seed_gives_the_same_weights(tmp_path: Path) -> None:
    recipe = RECIPES["small-t5"].shortened(8)._replace(batch=4, patience=1.0)
    first, again, other = (train(recipe, seed=seed) for seed in (0, 0, 1))
    assert all(torch.equal(weight, again.state_dict()[name]) for name, weight in first.state_dict().items())
    assert not torch.equal(first.state_dict()["shared.weight"], other.state_dict()["shared.weight"])
    save(first, tmp_path)
    shipped = AutoModelForSeq2SeqLM.from_pretrained(folder(NAME))
    made = AutoModelForSeq2SeqLM.from_pretrained(tmp_path)
    assert {name: weight.shape for name, weight in made.state_dict().items()} == {
        name: weight.shape for name, weight in shipped.state_dict().items()
    }
