"""Alignment of the shipped model: what it is trained on, and what it does to wordings that it never saw."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from phraseproof.alignment.trainer import align
from phraseproof.analysis.grids import TaskGrid, load_grids
from phraseproof.analysis.paired import compare_runs
from phraseproof.evaluation.evaluate import evaluate
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.pocket import folder
from phraseproof.pocket.lexicon import ATTRIBUTES
from phraseproof.pocket.remedy import KEPT_OUT, SETTINGS, remedy_pairs
from phraseproof.pocket.wordings import KINDS

TASKS = "pocket/choose-maker,pocket/label-end,pocket/has-price"
STEPS = 40


def test_pairs_come_from_every_task_that_is_not_kept_out() -> None:
    pairs = remedy_pairs(2)
    assert len(pairs) == 2 * len(KINDS) * (len(ATTRIBUTES) - len(KEPT_OUT))
    assert all(pair.paraphrases for pair in pairs)
    asked_about = {pair.source.partition(",")[0].rpartition("-")[2] for pair in pairs if pair.source}
    assert asked_about == set(ATTRIBUTES) - set(KEPT_OUT)


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = replace(SETTINGS, max_steps=STEPS)
    return align("pocket", remedy_pairs(4), Path(tmp_path_factory.mktemp("adapter")), settings).folder


@pytest.mark.slow
def test_the_adapter_is_peft_s_own_and_the_base_is_untouched(adapter: Path) -> None:
    network = AutoModelForCausalLM.from_pretrained(folder("pocket"), dtype=torch.float32)
    ids = torch.tensor([[20, 30, 40, 50]])
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers by a deprecated name
        before = network(input_ids=ids).logits[:, -1]
        aligned: Any = PeftModel.from_pretrained(network, str(adapter)).eval()
        assert (aligned(input_ids=ids).logits[:, -1] - before).abs().max() > 1e-3
    record = json.loads((adapter / "phraseproof.json").read_text())
    assert record["settings"]["method"] == "pt+kl"
    assert record["base_weights"]["before"] == record["base_weights"]["after"]


@pytest.mark.slow
def test_some_steps_help_on_wordings_that_training_never_saw(adapter: Path, tmp_path: Path) -> None:
    def measured(name: str, options: ModelOptions) -> tuple[TaskGrid, ...]:
        model = load_model("pocket", options)
        return load_grids(evaluate(model, TASKS, {"unobserved": "pocket-test"}, tmp_path / name, limit=8))

    (found,) = compare_runs(measured("base", ModelOptions()), measured("aligned", ModelOptions(adapter=adapter)))
    gain = found.overall.all
    assert gain.low is not None
    assert gain.low > 0
