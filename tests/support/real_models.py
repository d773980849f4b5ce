"""The real model, loaded once in a process, and the same file as plain transformers reads it."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest

from phraseproof.errors import ModelError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models import smollm2 as provider
from phraseproof.models.huggingface.model import HuggingFaceModel


@functools.cache
def smollm2() -> HuggingFaceModel:
    """`--model smollm2` on a CPU; the test is skipped where its package is not installed."""
    _file()
    model = load_model("smollm2", ModelOptions(device="cpu"))
    assert isinstance(model, HuggingFaceModel)
    return model


@functools.cache
def plain_smollm2() -> tuple[Any, Any]:
    """The network and the tokenizer as transformers alone reads the file; skips as `smollm2` does."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    path = _file()
    network = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    return network.eval(), AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)


def write_smollm2(path: Path) -> Path:
    """Write the network and the tokenizer as an ordinary folder in float32, as servers read it."""
    network, tokenizer = plain_smollm2()
    config = network.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    plain = type(network)(config)
    plain.load_state_dict(network.state_dict())
    plain.save_pretrained(str(path))
    tokenizer.save_pretrained(path)
    return path


def _file() -> Path:
    try:
        return provider.file()
    except ModelError as error:
        pytest.skip(str(error))
