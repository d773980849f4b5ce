"""Decoder-only networks: prompt and option share the context window."""

from __future__ import annotations

from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.causal_lm import CausalLMBackend
from phraseproof.models.huggingface.model import HuggingFaceModel
from support import tiny_models


def backend(max_length: int | None = None) -> CausalLMBackend:
    model = load_model(str(tiny_models.tiny_llama()), ModelOptions(device="cpu", max_length=max_length))
    assert isinstance(model, HuggingFaceModel)
    assert isinstance(model.backend, CausalLMBackend)
    return model.backend


def test_an_options_last_token_takes_no_room() -> None:
    assert backend(10).kept(20, 1) == 10
    assert backend(10).kept(20, 4) == 7
    assert backend(10).kept(5, 4) == 5
    assert backend(3).kept(5, 4) == 0


def test_the_declared_limit_is_the_default() -> None:
    assert backend().context_limit == 1024
    assert backend(10).context_limit == 10


def test_shared_prefixes_are_on_record() -> None:
    assert "without padding" in backend().scoring_path
