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

from phraseproof.alignment.pairs import wording_hashes, wording_names
from phraseproof.alignment.trainer import train
from phraseproof.analysis.grids import TaskGrid, load_grids
from phraseproof.analysis.paired import compare_runs
from phraseproof.evaluation.evaluate import evaluate
from phraseproof.instructions.collections import load_collection
from phraseproof.instructions.fingerprint import asked_by, fingerprint
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.pocket import folder
from phraseproof.pocket.lexicon import ATTRIBUTES
from phraseproof.pocket.mitigation import KEPT_OUT, SETTINGS, mitigation_pairs
from phraseproof.pocket.wordings import KINDS

TASKS = ",".join(f"pocket/label-{attribute}" for attribute in ATTRIBUTES if attribute not in KEPT_OUT)
"""Of the kind that other wordings cost most (docs/pocket.md)."""
STEPS = 20


def test_pairs_come_from_every_task_that_is_not_kept_out() -> None:
    pairs = mitigation_pairs(2)
    assert len(pairs) == 2 * len(KINDS) * (len(ATTRIBUTES) - len(KEPT_OUT))
    assert all(pair.paraphrases for pair in pairs)
    asked_about = {pair.source.partition(",")[0].rpartition("-")[2] for pair in pairs if pair.source}
    assert asked_about == set(ATTRIBUTES) - set(KEPT_OUT)


def test_negations_come_on_request_and_no_closer_look_measures_them() -> None:
    assert not any(pair.negations for pair in mitigation_pairs(1))
    pairs = mitigation_pairs(1, kinds=("label", "has"), negations=True)
    assert len(pairs) == 2 * (len(ATTRIBUTES) - len(KEPT_OUT))
    assert all(len(pair.negations) == 8 for pair in pairs)
    measured = {fingerprint(asked_by(each)) for each in load_collection("pocket-negated").instructions}
    assert measured.isdisjoint(wording_hashes(pairs))
    assert "pocket-negation/has-1" in wording_names(pairs)


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = replace(SETTINGS, max_steps=STEPS)
    return train("pocket", mitigation_pairs(4), Path(tmp_path_factory.mktemp("adapter")), settings).folder


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
def test_negations_are_answered_alike_so_that_pushing_finds_little_to_amplify(tmp_path: Path) -> None:
    """The distance of negated wordings from their reference before any step, over 18 pairs: its bound is 2 nats."""
    settings = replace(SETTINGS, method="negation", max_steps=1, gradient_accumulation=18)
    train("pocket", mitigation_pairs(1, negations=True), tmp_path, settings)
    rows = [json.loads(line) for line in (tmp_path / "training.jsonl").read_text().splitlines()]
    (first,) = [row for row in rows if row["step"] == 1]
    assert 0 <= first["other"] < 0.2


@pytest.mark.slow
def test_some_steps_help_on_wordings_that_training_never_saw(adapter: Path, tmp_path: Path) -> None:
    def measured(name: str, options: ModelOptions) -> tuple[TaskGrid, ...]:
        model = load_model("pocket", options)
        return load_grids(evaluate(model, TASKS, {"unobserved": "pocket-test"}, tmp_path / name, limit=4))

    (found,) = compare_runs(measured("base", ModelOptions()), measured("aligned", ModelOptions(adapter=adapter)))
    gain = found.overall.all
    assert gain.low is not None
    assert gain.low > 0
