"""Prompts become requests, cut from the left where they do not fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from phraseproof.core import Prompt, PromptRemark, ScoresAlternatives
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface import requests
from phraseproof.models.huggingface.model import HuggingFaceModel
from phraseproof.models.huggingface.requests import ContextWindow, RequestBuilder, planning_windows
from phraseproof.models.huggingface.tokenization import PromptTokenizer
from support import tiny_models


def builder() -> RequestBuilder:
    return RequestBuilder(PromptTokenizer(tiny_models.llama_tokenizer(), joined=True), "tiny")


def window(limit: int = 100, vocabulary: int | None = 500) -> ContextWindow:
    return ContextWindow(lambda context, option: min(context, limit - option), limit, vocabulary)


def test_a_cut_prompt_keeps_its_end() -> None:
    prompt = Prompt("red green blue black white north south east", ("A", "B"))
    whole = builder().build([prompt], "loglikelihood", window()).requests
    cut = builder().build([prompt], "loglikelihood", window(limit=6)).requests
    (one,), (other,) = whole.distinct(), cut.distinct()
    size = len(other.context)
    assert one.context[-size:].tolist() == other.context.tolist()
    assert cut.facts(0).truncated == len(one.context) - size
    assert cut.facts(0).prompt_tokens == len(one.context)


def test_tokens_without_an_embedding_are_refused_once_weights_are_known() -> None:
    prompt = Prompt("the king", ("A", "B"))
    unknown = builder().build([prompt], "loglikelihood", window(vocabulary=None))
    assert len(unknown.requests) == 1
    assert not unknown.refused
    (error,) = builder().build([prompt], "loglikelihood", window(vocabulary=3)).refused.values()
    assert "no embedding" in str(error)


def test_a_prompt_that_cannot_be_scored_leaves_the_others_alone() -> None:
    tokenizer = tiny_models.llama_tokenizer()
    good = Prompt("the king", ("A", "B"))
    # Characters that the vocabulary lacks become one unknown token each.
    same = Prompt("the king", ("\u4e2d", "\u56fd")) if tokenizer.unk_token_id is not None else good
    long = Prompt("the king", ("A", "red " * 200))
    built = RequestBuilder(PromptTokenizer(tiny_models.t5_tokenizer(), joined=False), "tiny").build(
        [good, same, long, good], "loglikelihood", window()
    )
    assert sorted(built.refused) == [1, 2]
    assert "become the same tokens" in str(built.refused[1])
    assert "longer than the model's context" in str(built.refused[2])
    assert len(built.requests) == 4
    assert built.requests.places(1) == []
    assert built.requests.places(0) == built.requests.places(3)


def test_remarks_are_made_on_every_prompt() -> None:
    tokenizer = tiny_models.llama_tokenizer()
    bos = tokenizer.bos_token
    prompts = [
        Prompt("the king", ("A", "B")),
        Prompt("the king", ("red", "red green")),
        Prompt("the king", ("A", "B"), has_special_tokens=True),
        Prompt(f"{bos}{bos}the king", ("A", "B"), has_special_tokens=True),
    ]
    built = builder().build(prompts, "loglikelihood", window()).requests
    expected = [0, PromptRemark.OPTION_BEGINS_ANOTHER, PromptRemark.NO_BOS, PromptRemark.DOUBLED_BOS]
    assert [built.facts(index).remarks for index in range(4)] == expected


def test_greedy_steps_are_those_of_the_shortest_option() -> None:
    built = builder().build([Prompt("the king", ("A", "red green blue"))], "paper", window()).requests
    (request,) = built.distinct()
    assert request.steps == min(map(len, request.options))


def test_windows_bound_how_many_prompts_are_planned_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "_PROMPTS_PER_WINDOW", 2)
    prompts = [Prompt(str(number)) for number in range(5)]
    assert [len(some) for some in planning_windows(prompts)] == [2, 2, 1]


@pytest.mark.parametrize("build", [tiny_models.tiny_llama, tiny_models.tiny_t5])
def test_one_text_after_several_prompts_has_the_scores_of_each_alone(build: Callable[[], Path]) -> None:
    model = load_model(str(build()), ModelOptions(device="cpu"))
    assert isinstance(model, HuggingFaceModel)
    assert isinstance(model, ScoresAlternatives)
    single = [Prompt(f"the king of the {name}", ("is here",)) for name in ("red house", "blue", "red house")]
    prompt = replace(single[0], options=("a", "b", "c"), alternatives=tuple(single))
    plain = Prompt("the queen", ("A", "B"))
    found = model.score_options([plain, prompt, plain])
    alone = [model.score_options([each])[0] for each in single]
    assert found[1].logprobs == pytest.approx([each.logprobs[0] for each in alone], abs=1e-5)
    assert found[1].prompt_tokens == max(each.prompt_tokens for each in alone)
    assert found[1].asked_tokens == sum(each.asked_tokens for each in alone)
    assert found[0].logprobs == pytest.approx(model.score_options([plain])[0].logprobs, abs=1e-5)
    assert sum(each.computed_tokens for each in found) == model.forecast_tokens([plain, prompt, plain]).unique
    assert all(check.passed for check in model.self_test([prompt, plain]))


def test_a_prompt_with_an_alternative_that_does_not_fit_leaves_the_others_alone() -> None:
    good = Prompt("the king", ("A",))
    two = replace(good, options=("a", "b"), alternatives=(good, Prompt("the queen", ("red " * 200,))))
    built = builder().build([two, good, replace(two, alternatives=(good, good))], "loglikelihood", window())
    assert list(built.refused) == [0]
    assert "longer than the model's context" in str(built.refused[0])
    assert built.requests.places(2) == [*built.requests.places(1), *built.requests.places(1)]
