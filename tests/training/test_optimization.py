"""Weight decay by group, as the Trainer of transformers has it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from accelerate import Accelerator
from transformers import Trainer

from phraseproof.models import load_model
from phraseproof.training.optimization import AdamWSettings, Optimization
from phraseproof.training.trainable_model import TrainableModel
from support import tiny_models


@pytest.mark.parametrize("family", ["t5", "llama"])
def test_biases_and_normalization_have_no_weight_decay(family: str) -> None:
    model: Any = load_model(str(tiny_models.tiny_t5() if family == "t5" else tiny_models.tiny_llama()))
    trainable = TrainableModel(model.network, None, joined=model.is_decoder_only, pad_id=model.pad_id)
    settings = AdamWSettings(0.1, 0.5, None, decays_all=False)
    optimization = Optimization(trainable, Accelerator(cpu=True), settings, is_frozen=False)
    before = optimization.weights()
    decayed = {f"network.{name}" for name in Trainer.get_decay_parameter_names(None, model.network)}  # type: ignore[arg-type]
    assert 0 < len(decayed) < len(before)
    for parameter in optimization.parameters:
        parameter.grad = torch.zeros_like(parameter)
    optimization._optimizer.step()
    for name, value in optimization.weights().items():
        expected = before[name] * (0.95 if name in decayed else 1.0)
        torch.testing.assert_close(value, expected)
