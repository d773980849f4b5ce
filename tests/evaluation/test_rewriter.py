"""A model as a paraphraser."""

from __future__ import annotations

from typing import Any

import pytest

from phraseproof.core import ModelIdentity, Prompt, Sampling
from phraseproof.errors import ModelError, UsageError
from phraseproof.evaluation.rewriter import AT_ONCE, Rewriter
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.scripted import ScriptedModel
from support import tiny_models
from support.openai_server import chat_reply, serve


def say_seed(prompt: Prompt, sampling: Sampling) -> str:
    return f"{prompt.text} {sampling.seed} {sampling.temperature}"


def test_every_attempt_draws_by_another_seed() -> None:
    rewrite = Rewriter(ScriptedModel(write=say_seed), max_new_tokens=5, sampling=Sampling(0.5, seed=7))
    prompts = [f"p{index}" for index in range(AT_ONCE + 3)]
    assert list(rewrite(prompts, 0)) == [(index, f"{prompt} 7 0.5") for index, prompt in enumerate(prompts)]
    assert dict(rewrite(prompts[:1], 2)) == {0: "p0 9 0.5"}
    assert rewrite.sampling == "temperature 0.5, top_p 1, seed 7, at most 5 new tokens"
    assert Rewriter(ScriptedModel(), max_new_tokens=5, sampling=Sampling()).sampling == "greedy, at most 5 new tokens"


def test_answers_are_handed_over_before_all_are_there() -> None:
    rewrite = Rewriter(ScriptedModel(write=say_seed), max_new_tokens=5, sampling=Sampling())
    asked = iter(rewrite(["p"] * 3 * AT_ONCE, 0))
    assert next(asked)[0] == 0


def test_chat_models_are_asked_in_their_template() -> None:
    model = ScriptedModel(write=say_seed, has_chat_template=True)
    ((_, text),) = Rewriter(model, max_new_tokens=5, sampling=Sampling())(["hello"], 0)
    assert text == "<user>hello</user>\n<assistant> 0 0.0"


def test_a_server_hands_over_each_answer() -> None:
    with serve(lambda asked: chat_reply(asked.body["messages"][0]["content"].upper())) as served:
        model = load_model("openai/m", ModelOptions(args={"base_url": served.base_url}))
        found = dict(Rewriter(model, max_new_tokens=5, sampling=Sampling())(["a", "b"], 0))
    assert found == {0: "A", 1: "B"}


def test_what_answers_hang_on_tells_models_and_settings_apart() -> None:
    def settings_of(model_seed: int, tokens: int, **how: Any) -> object:
        return Rewriter(ScriptedModel(seed=model_seed), max_new_tokens=tokens, sampling=Sampling(**how)).settings

    found = [
        settings_of(0, 5),
        settings_of(1, 5),
        settings_of(0, 6),
        settings_of(0, 5, temperature=1.0),
        settings_of(0, 5, seed=1),
    ]
    assert all(one != other for place, one in enumerate(found) for other in found[:place])


def test_lengths_are_tokens_where_there_is_a_tokenizer() -> None:
    local = load_model(str(tiny_models.tiny_llama()))
    count, unit = Rewriter(local, max_new_tokens=5, sampling=Sampling()).count()
    assert unit == "tokens"
    assert count("the river is north") >= 4
    count, unit = Rewriter(ScriptedModel(), max_new_tokens=5, sampling=Sampling()).count()
    assert (unit, count("the river is")) == ("words", 3)


class ScoresOnly:
    @property
    def identity(self) -> ModelIdentity:
        return ModelIdentity("mute", "1", "none")


def test_what_cannot_be() -> None:
    with pytest.raises(ModelError, match="mute: the model cannot generate text"):
        Rewriter(ScoresOnly(), max_new_tokens=5, sampling=Sampling())
    for sampling, tokens in ((Sampling(-1), 5), (Sampling(1, 0), 5), (Sampling(), 0)):
        with pytest.raises(UsageError):
            Rewriter(ScriptedModel(), max_new_tokens=tokens, sampling=sampling)
