"""Prompts become requests, cut from the left where they do not fit."""

from __future__ import annotations

import pytest

from phraseproof.core import Prompt
from phraseproof.errors import ModelError
from phraseproof.models.huggingface import requests
from phraseproof.models.huggingface.requests import ContextWindow, RequestBuilder, planning_windows
from phraseproof.models.huggingface.tokenization import PromptTokenizer
from support import tiny_models


def builder() -> RequestBuilder:
    return RequestBuilder(PromptTokenizer(tiny_models.llama_tokenizer(), joined=True), "tiny")


def window(limit: int = 100, vocabulary: int | None = 500) -> ContextWindow:
    return ContextWindow(lambda context, option: min(context, limit - option), limit, vocabulary)


def test_a_cut_prompt_keeps_its_end() -> None:
    prompt = Prompt("red green blue black white north south east", ("A", "B"))
    whole = builder().build([prompt], "loglikelihood", window())
    cut = builder().build([prompt], "loglikelihood", window(limit=6))
    (one,), (other,) = whole.distinct(), cut.distinct()
    size = len(other.context)
    assert one.context[-size:].tolist() == other.context.tolist()
    assert cut.facts(0).truncated == len(one.context) - size
    assert cut.facts(0).prompt_tokens == len(one.context)


def test_tokens_without_an_embedding_are_refused_once_weights_are_known() -> None:
    prompt = Prompt("the king", ("A", "B"))
    assert len(builder().build([prompt], "loglikelihood", window(vocabulary=None))) == 1
    with pytest.raises(ModelError, match="no embedding"):
        builder().build([prompt], "loglikelihood", window(vocabulary=3))


def test_greedy_steps_are_those_of_the_shortest_option() -> None:
    built = builder().build([Prompt("the king", ("A", "red green blue"))], "paper", window())
    (request,) = built.distinct()
    assert request.steps == min(map(len, request.options))


def test_windows_bound_how_many_prompts_are_planned_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "_PROMPTS_PER_WINDOW", 2)
    prompts = [Prompt(str(number)) for number in range(5)]
    assert [len(some) for some in planning_windows(prompts)] == [2, 2, 1]
