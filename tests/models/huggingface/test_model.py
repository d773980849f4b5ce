"""Scores against a plain reference: one prompt and one option at a time, a full forward pass, nothing shared."""

from __future__ import annotations

import random
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from phraseproof import core
from phraseproof.core import ChatMessage, ForecastsTokens, FormatsChat, Prompt, ScoresOptions
from phraseproof.errors import ModelError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface import requests
from phraseproof.models.huggingface.model import HuggingFaceModel
from support import tiny_models
from support.batches import wrap_batches

DECODER_ONLY: dict[str, Callable[[], Path]] = {
    "llama": tiny_models.tiny_llama,
    "gpt2": tiny_models.tiny_gpt2,
    "gpt-neox": tiny_models.tiny_gpt_neox,
    "gemma2": tiny_models.tiny_gemma2,
    "mamba": tiny_models.tiny_mamba,
}
ENCODER_DECODER: dict[str, Callable[[], Path]] = {
    "t5-untied": tiny_models.tiny_t5,
    "t5-tied": lambda: tiny_models.tiny_t5(tied=True),
    "bart": tiny_models.tiny_bart,
}
ALL = DECODER_ONLY | ENCODER_DECODER


def load(folder: Path, **options: Any) -> HuggingFaceModel:
    model = load_model(str(folder), ModelOptions(device="cpu", **options))
    assert isinstance(model, HuggingFaceModel)
    return model


def some_prompts() -> list[Prompt]:
    """Letters and texts, short and long, with and without white space at the end, twice the same."""
    prompts: list[Prompt] = []
    for index, sentence in enumerate(tiny_models.sentences(6, seed=11)):
        body = sentence.rsplit(" ", 1)[0]
        prompts.append(Prompt(body, ("A", "B", "C", "D")))
        prompts.append(
            Prompt(
                "Read this. " + body + "\n", ("red green", "the heart", "red green blue", "west"), target_delimiter=""
            )
        )
        prompts.append(Prompt(body.split("\n")[0] + "  ", (f"it is number {index}", "yes"), target_delimiter=" "))
    return [*prompts, prompts[0]]


def reference(folder: Path, prompt: Prompt, option: str) -> float:
    """lm-evaluation-harness's rule, written out the long way."""
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    stripped = prompt.text.rstrip()
    tail = prompt.text[len(stripped) :] + prompt.target_delimiter + option
    with torch.no_grad():
        if AutoConfig.from_pretrained(folder).is_encoder_decoder:
            network = AutoModelForSeq2SeqLM.from_pretrained(folder).eval()
            read = tokenizer(stripped, return_tensors="pt").input_ids
            target = tokenizer(tail, add_special_tokens=False).input_ids
            logits = network(input_ids=read, labels=torch.tensor([target])).logits[0]
        else:
            network = AutoModelForCausalLM.from_pretrained(folder).eval()
            whole = tokenizer(stripped + tail).input_ids
            size = len(tokenizer(stripped).input_ids)
            target = whole[size:]
            logits = network(input_ids=torch.tensor([whole])).logits[0, size - 1 : -1]
    logprobs = torch.log_softmax(logits.double(), dim=-1)
    return float(sum(logprobs[step, token] for step, token in enumerate(target)))


@pytest.mark.parametrize("name", ALL)
def test_scores_equal_the_plain_reference(name: str) -> None:
    folder = ALL[name]()
    prompts = some_prompts()[:9]
    scored = load(folder).score_options(prompts)
    for prompt, scores in zip(prompts, scored, strict=True):
        expected = [reference(folder, prompt, option) for option in prompt.options]
        assert scores.logprobs == pytest.approx(expected, abs=1e-4)
        assert max(expected) - min(expected) > 1e-2, "the test means nothing if all options have one score"


@pytest.mark.parametrize("name", ALL)
def test_scores_do_not_depend_on_batch_order_or_padding(name: str) -> None:
    folder = ALL[name]()
    prompts = some_prompts()
    expected = load(folder).score_options(prompts)
    order = list(range(len(prompts)))
    random.Random(3).shuffle(order)
    for size in (1, 2, 7):
        shuffled = load(folder, batch_size=size).score_options([prompts[index] for index in order])
        for index, scores in zip(order, shuffled, strict=True):
            assert scores.logprobs == pytest.approx(expected[index].logprobs, abs=1e-4)
            assert (scores.prompt_tokens, scores.asked_tokens) == (
                expected[index].prompt_tokens,
                expected[index].asked_tokens,
            )
        assert sum(s.computed_tokens for s in shuffled) == sum(s.computed_tokens for s in expected)


def test_the_prompt_matters() -> None:
    one, other = (
        Prompt("Question: which river?\nAnswer:", ("A", "B")),
        Prompt("Question: which king?\nAnswer:", ("A", "B")),
    )
    for name in ("llama", "t5-untied"):
        first, second = load(ALL[name]()).score_options([one, other])
        assert max(abs(a - b) for a, b in zip(first.logprobs, second.logprobs, strict=True)) > 1e-2


def test_capabilities_and_lazy_weights() -> None:
    for name in ("llama", "t5-untied"):
        model = load(ALL[name]())
        for capability in (ScoresOptions, ForecastsTokens, FormatsChat, core.TestsItself):
            assert isinstance(model, capability)
        assert model.identity.dtype == "float32"
        model.forecast_tokens(some_prompts())
        assert "ready" not in vars(model), "identity and forecast must not load the weights"
        assert model.score_options([]) == []


def test_token_counts() -> None:
    prompt = Prompt("the king of the river", ("A", "red green", "red blue"))
    for name, start_tokens in (("llama", 0), ("t5-untied", 1)):
        model = load(ALL[name]())
        (scores,) = model.score_options([prompt])
        (encoded,) = model.encode([prompt])
        sizes = [len(option) for option in encoded.options]
        assert scores.prompt_tokens == len(encoded.context)
        assert scores.asked_tokens == len(encoded.context) * 3 + sum(sizes)
        read = {option[:end] for option in encoded.options for end in range(1, len(option))}
        assert scores.computed_tokens == len(encoded.context) + start_tokens + len(read)


@pytest.mark.parametrize("name", ["llama", "gpt2", "t5-untied"])
def test_the_forecast_is_what_is_then_computed(name: str) -> None:
    prompts = some_prompts()
    model = load(ALL[name]())
    encoded = model.encode(prompts)
    forecast = model.forecast_tokens(prompts)
    assert forecast.asked == sum(len(e.context) * len(e.options) + sum(map(len, e.options)) for e in encoded)
    scored = model.score_options(prompts)
    assert forecast == (sum(s.asked_tokens for s in scored), sum(s.computed_tokens for s in scored))
    if name == "t5-untied":
        contexts = {e.context: e.options for e in encoded}
        trees = sum(len({o[:end] for o in options for end in range(len(o))}) for options in contexts.values())
        assert forecast.unique == sum(map(len, contexts)) + trees
    else:
        whole = {e.context + option[:-1] for e in encoded for option in e.options}
        fewest = len({tokens[:end] for tokens in whole for end in range(1, len(tokens) + 1)})
        shortest_not_shared = 3
        assert fewest <= forecast.unique <= fewest + shortest_not_shared * len(prompts)


def test_a_prompt_met_again_costs_nothing() -> None:
    prompts = some_prompts()
    assert prompts[-1] == prompts[0]
    for name in ("llama", "t5-untied"):
        scored = load(ALL[name]()).score_options(prompts)
        assert scored[-1].computed_tokens == 0
        assert scored[-1].logprobs == scored[0].logprobs
        assert scored[0].computed_tokens > 0


def test_of_prompts_planned_together_nothing_stays_when_the_next_are_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "_PROMPTS_PER_WINDOW", 5)
    model = load(tiny_models.tiny_llama())
    plan, plans = model._requests.build, list[Any]()

    def remembered(*arguments: Any) -> Any:
        assert not any(before() for before in plans)
        deduplicated = plan(*arguments)
        plans.append(weakref.ref(deduplicated.requests))
        return deduplicated

    monkeypatch.setattr(model._requests, "build", remembered)
    assert len(model.score_options([Prompt(f"Number {number}:", ("A", "B")) for number in range(17)])) == 17
    assert len(plans) == 4


def test_every_prompt_is_reported_done_once() -> None:
    prompts = some_prompts()
    done: list[int] = []
    load(tiny_models.tiny_llama(), batch_size=3).score_options(prompts, on_done=done.append)
    assert sum(done) == len(prompts)
    assert len(done) > 1


def test_batches_shrink_when_memory_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = some_prompts()
    for name in ("llama", "t5-untied"):
        model = load(ALL[name]())
        expected = model.score_options(prompts)
        tried = list[int]()

        def limited(batch: Any, score: Any, tried: list[int] = tried) -> Any:
            tried.append(len(batch))
            if len(batch) > 3:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")
            return score(batch)

        wrap_batches(monkeypatch, model, limited)
        scored = model.score_options(prompts)
        for one, other in zip(scored, expected, strict=True):
            assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)
        assert max(tried) > 3

        def never(batch: Any, score: Any) -> Any:
            raise torch.OutOfMemoryError("CUDA out of memory.")

        wrap_batches(monkeypatch, model, never)
        with pytest.raises(ModelError, match="memory ran out on a single prompt"):
            model.score_options(prompts)


def test_prompts_that_do_not_fit_are_cut_from_the_left() -> None:
    long = Prompt(" ".join(["red"] * 30 + ["the heart of the king"]), ("A", "red green blue of the west"))
    model = load(tiny_models.tiny_llama(), max_length=24)
    (scores,) = model.score_options([long])
    (encoded,) = model.encode([long])
    network = model.network
    for option, logprob in zip(encoded.options, scores.logprobs, strict=True):
        sequence = (encoded.context + option)[-25:]
        with torch.no_grad():
            logits = network(input_ids=torch.tensor([sequence[:-1]])).logits[0, -len(option) :]
        expected = torch.log_softmax(logits.double(), -1)[range(len(option)), option].sum()
        assert logprob == pytest.approx(float(expected), abs=1e-4)
    assert scores.truncated == len(encoded.context) - (25 - max(map(len, encoded.options)))
    assert load(tiny_models.tiny_t5()).score_options([long])[0].truncated == 0
    t5 = load(tiny_models.tiny_t5(), max_length=10)
    shown = t5.tokenizer(long.text).input_ids
    assert t5.score_options([long])[0].truncated == len(shown) - 10
    with pytest.raises(ModelError, match="longer than the model's context"):
        load(tiny_models.tiny_llama(), max_length=3).score_options([long])


def test_learned_positions_set_the_limit_and_relative_ones_do_not() -> None:
    assert load(tiny_models.tiny_gpt2()).identity.settings["max_length"] == "256"
    assert load(tiny_models.tiny_bart()).identity.settings["max_length"] == "128"
    assert "max_length" not in load(tiny_models.tiny_t5()).identity.settings
    endless = Prompt("red " * 600, ("A", "B"))
    assert load(tiny_models.tiny_gpt2()).score_options([endless])[0].truncated > 0
    assert load(tiny_models.tiny_bart()).score_options([endless])[0].truncated > 0


def test_prompts_that_cannot_be_scored() -> None:
    model = load(tiny_models.tiny_llama())
    with pytest.raises(ModelError, match="without options"):
        model.score_options([Prompt("red")])
    with pytest.raises(ModelError, match="unknown scoring method 'guess'"):
        model.score_options([Prompt("red", ("A",))], method="guess")
    with pytest.raises(ModelError, match="the option '' has no tokens"):
        model.score_options([Prompt("red", ("", "A"), target_delimiter="")])


def test_a_tokenizer_with_more_tokens_than_the_model() -> None:
    tokenizer = tiny_models.llama_tokenizer()
    folder = tiny_models.save(tiny_models.llama_network(300), tokenizer, "llama-too-small")
    with pytest.raises(ModelError, match="no embedding for"):
        load(folder).score_options(some_prompts())


CHAT = (
    "{% for m in messages %}<s>{{ m.role }}: {{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}answer:{% endif %}"
)


def test_chat_prompts_get_no_second_bos() -> None:
    model = load(tiny_models.tiny_llama(chat_template=CHAT))
    assert model.has_chat_template
    text = model.format_chat([ChatMessage("user", "which king?")])
    assert text == "<s>user: which king?\nanswer:"
    (encoded,) = model.encode([Prompt(text, ("A",), target_delimiter="", has_special_tokens=True)])
    assert encoded.context.count(1) == 1
    plain = load(tiny_models.tiny_llama())
    assert not plain.has_chat_template
    with pytest.raises(ModelError, match="no chat template"):
        plain.format_chat([ChatMessage("user", "?")])
    failing = load(tiny_models.tiny_llama(chat_template="{{ raise_exception('only users may speak') }}"))
    with pytest.raises(ModelError, match="only users may speak"):
        failing.format_chat([ChatMessage("user", "?")])


@pytest.mark.parametrize("name", ["llama", "mamba", "t5-untied"])
def test_streamed_scores_are_those_of_one_call(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "_PROMPTS_PER_WINDOW", 8)
    prompts, model = some_prompts(), load(ALL[name](), batch_size=2)
    streamed: dict[int, object] = {}
    model.stream_scores(prompts, on_scores=streamed.__setitem__)
    assert [streamed[index] for index in range(len(prompts))] == list(model.score_options(prompts))


def test_streamed_scores_arrive_batch_by_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    model = load(tiny_models.tiny_mamba(), batch_size=1)
    batches, seen = 0, list[int]()

    def counted(batch: Any, score: Any) -> Any:
        nonlocal batches
        batches += 1
        return score(batch)

    wrap_batches(monkeypatch, model, counted)
    model.stream_scores(some_prompts(), on_scores=lambda _index, _scores: seen.append(batches))
    assert len(set(seen)) > 3, "prompts are handed over while others are still to be scored"
