"""Alignments with validation files and kept epochs: the numbers are those of plain transformers."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from phraseproof.alignment.loop.preparation import prepare
from phraseproof.alignment.pairs import save_pairs
from phraseproof.alignment.prepared_training import AlignmentResult
from phraseproof.alignment.trainer import AlignmentSettings, align
from phraseproof.errors import UsageError
from phraseproof.store.training_record import read_record
from phraseproof.training.log import read_log
from support import tiny_models
from support.tiny_pairs import own_wordings, shared_wordings
from support.tiny_trainings import CPU

SHORT: dict[str, Any] = {
    "method": "ft",
    "learning_rate": 1e-3,
    "schedule": "constant",
    "epochs": 2,
    "held_out_fraction": 0.0,
    "gradient_accumulation": 2,
    "model_options": CPU,
}
OTHER = own_wordings(4)


def trained(out: Path, **changes: Any) -> AlignmentResult:
    return align(str(tiny_models.tiny_llama()), shared_wordings(6), out, **(SHORT | changes))


def cross_entropy(folder: Path) -> float:
    """The mean over sets of the mean over wordings of the mean over the target's tokens, by plain transformers."""
    prepared = prepare(str(tiny_models.tiny_llama()), OTHER, AlignmentSettings(held_out_fraction=0.0, method="ft"), CPU)
    network: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    sets: list[float] = []
    for place in range(len(OTHER)):
        tokens = prepared.train.tokens[place]
        target = list(tokens.target)
        losses: list[float] = []
        for prompt in (tokens.reference, *tokens.paraphrases):
            with torch.no_grad():
                logits = network(input_ids=torch.tensor([[*prompt, *target]])).logits[0, len(prompt) - 1 : -1]
            losses.append(float(torch.nn.functional.cross_entropy(logits, torch.tensor(target))))
        sets.append(sum(losses) / len(losses))
    return sum(sets) / len(sets)


def test_kept_epochs_are_the_trainings_that_end_there(tmp_path: Path) -> None:
    result = trained(tmp_path / "two", keep_epochs=[1], validation={"other": OTHER})
    assert list(result.epochs) == [1]
    assert read_record(result.epochs[1])["finished"]  # type: ignore[index]
    once = trained(tmp_path / "one", epochs=1)
    for name, weight in load_file(once.folder / "model.safetensors").items():
        torch.testing.assert_close(load_file(result.epochs[1] / "model.safetensors")[name], weight)
    # Six sets, two batches per step: an epoch is three steps.
    assert list(result.validation) == [0, 1, 2]
    assert result.before is None
    assert result.validation[1]["other"].ce == pytest.approx(cross_entropy(result.epochs[1]), rel=1e-4)
    assert result.validation[2]["other"].ce == pytest.approx(cross_entropy(result.folder), rel=1e-4)
    assert trained(tmp_path / "two", keep_epochs=[1], validation={"other": OTHER}) == result


def test_an_epoch_that_ends_within_a_step_is_kept_after_that_step(tmp_path: Path) -> None:
    # Six sets, four batches per step: the first epoch ends in the second step, the second in the third.
    result = trained(tmp_path, gradient_accumulation=4, keep_epochs="all", validation={"other": OTHER})
    assert [read_record(folder)["result"]["step"] for folder in result.epochs.values()] == [2, 3]  # type: ignore[index]
    assert [row["step"] for row in read_log(tmp_path) if "held_out" in row] == [0, 1, 2, 3]
    assert list(result.validation) == [0, pytest.approx(2 / 3), pytest.approx(4 / 3), 2]


def test_held_out_pairs_alone_decide(tmp_path: Path) -> None:
    plain = trained(tmp_path / "plain", held_out_fraction=0.25, early_stopping_patience=2)
    result = trained(tmp_path / "with", held_out_fraction=0.25, early_stopping_patience=2, validation={"other": OTHER})
    assert (result.before, result.after, result.step) == (plain.before, plain.after, plain.step)
    row = read_log(tmp_path / "with")[0].get("held_out", {})
    assert row["validation"]["other"]["pairs"] == 4
    assert {name: value for name, value in row.items() if name != "validation"} == read_log(tmp_path / "plain")[0].get(
        "held_out"
    )


def test_a_file_by_name(tmp_path: Path) -> None:
    save_pairs(OTHER, tmp_path / "other.jsonl")
    result = trained(tmp_path / "out", max_steps=1, validation={"other": str(tmp_path / "other.jsonl")})
    assert list(result.validation) == [0, pytest.approx(1 / 3)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"keep_epochs": [3]}, "--keep-epochs: the value is not valid .* all, or numbers from 1 to 2"),
        (
            {"keep_epochs": [1, 2], "max_steps": 4},
            "--keep-epochs: the training ends before epoch 2.*got epoch 2.* step 6",
        ),
        ({"keep_epochs": [1, 2], "gradient_accumulation": 40}, "--keep-epochs: two epochs end in the same step"),
        (
            {"validation": {"bare": [dataclasses.replace(OTHER[0], target="", labelled=False, source="pair 7")]}},
            "--validation bare: validation pairs need a label .*pair 7",
        ),
        ({"validation": {"none": []}}, "--validation none: there are too few pairs to evaluate on"),
    ],
)
def test_what_cannot_be_done_is_refused(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        trained(tmp_path, **changes)
    assert not (tmp_path / "phraseproof.json").exists()
