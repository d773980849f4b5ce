"""Decoder-only networks: prompt and option share the context window."""

from __future__ import annotations

from typing import Any

import pytest

from phraseproof.core import Prompt
from phraseproof.errors import ModelError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface import causal_lm
from phraseproof.models.huggingface.causal_lm import CausalLMBackend
from phraseproof.models.huggingface.model import HuggingFaceModel
from support import tiny_models
from support.leaking_heads import leaks_of_later_tokens


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


def scored(change: Any) -> list[float]:
    model = load_model(str(tiny_models.tiny_llama()), ModelOptions(device="cpu"))
    assert isinstance(model, HuggingFaceModel)
    change(model.network)
    return list(model.score_options([Prompt("the king of the river", ("A", "B"))])[0].logprobs)


def test_predictions_that_depend_on_later_tokens_are_refused_even_where_scores_hide_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checks: list[object] = []
    check = causal_lm.check_causal

    def counted(*arguments: Any) -> None:
        checks.append(arguments)
        check(*arguments)

    monkeypatch.setattr(causal_lm, "check_causal", counted)

    assert len(scored(lambda network: None)) == 2
    assert checks == [], "the trial of packing has shown it"
    with pytest.raises(ModelError, match="its prediction of a token depends on the tokens after it"):
        scored(leaks_of_later_tokens)
    assert len(checks) == 1
