"""Losses on validation files, computed once more without padding by transformers alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from accelerate import Accelerator

from phraseproof.tuning.preparation import prepare_tuning
from phraseproof.tuning.validation import FileLoss, ValidationLosses, evaluate_file
from phraseproof.tuning.work import TuningWork
from support.tiny_trainings import CPU
from support.tiny_tunings import BRIEF, EXAMPLES, FAMILIES


@pytest.mark.parametrize("family", ["t5", "llama"])
def test_a_file_has_the_mean_over_its_answers_tokens(family: str) -> None:
    prepared = prepare_tuning(str(FAMILIES[family]()), EXAMPLES, {"a": EXAMPLES[:5]}, BRIEF, CPU)
    accelerator = Accelerator(cpu=True)
    work = TuningWork(prepared, accelerator)
    tokens, network = prepared.validation["a"], prepared.model.network
    total, count = 0.0, 0
    for row in tokens.rows:
        if family == "t5":
            given: dict[str, Any] = {"input_ids": [row.context], "labels": [row.target]}
        else:
            given = {"input_ids": [row.context + row.target], "labels": [(-100,) * len(row.context) + row.target]}
        with torch.no_grad():
            loss = network(**{name: torch.tensor(value) for name, value in given.items()}).loss
        total += float(loss) * len(row.target)
        count += len(row.target)
    for size in (1, 3):
        found = evaluate_file(tokens, work.optimization.model, accelerator, size=size)
        assert found.loss == pytest.approx(total / count, rel=1e-5)
        assert found[1:] == (0.0, count, 5)
    evaluated = work.evaluate()
    assert evaluated is not None
    assert list(evaluated.files) == ["a"]


def test_a_record_is_read_back() -> None:
    found = ValidationLosses({"a": FileLoss(1.5, 0.25, 7, 4), "b": FileLoss(0.5, 1.0, 2, 2)})
    assert ValidationLosses.from_record(found.as_record()) == found
    assert (found.loss, found.ce, found.badness("loss")) == (1.0, 1.0, 1.0)
    assert found.summary == "a 1.5000, b 0.5000"
