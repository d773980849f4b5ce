"""A model in vLLM, with plain passes in place of the engine: scores equal local ones, prompt by prompt."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from phraseproof.core import ChatMessage, CutText, OptionScores, Prompt, Sampling
from phraseproof.errors import ModelError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.checkpoint import Checkpoint
from phraseproof.models.huggingface.model import HuggingFaceModel
from phraseproof.models.vllm.adapter import VllmAdapter
from phraseproof.models.vllm.model import VllmModel
from support.next_tokens import PlainEngine
from support.tiny_models import tiny_llama

_TEMPLATE = "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}"

PROMPTS = [
    Prompt("the river runs", ("to the sea", "to the town", "home"), " "),
    Prompt("the river runs", ("A", "B"), " "),
    Prompt("a house by the river", ("is old", "is"), " "),
    Prompt("", ("one", "two"), ""),
    Prompt("a long way " * 40, ("home", "to the old town"), " "),
]


def in_vllm(
    folder: Path, *, cache_tokens: int = 4096, adapter: VllmAdapter | None = None
) -> tuple[VllmModel, PlainEngine]:
    options = ModelOptions(device="cpu", max_length=48)
    network = AutoModelForCausalLM.from_pretrained(folder).eval()
    soft = adapter.soft_prompt(network.config.hidden_size) if adapter else None
    engine = PlainEngine(network, longest=49, cache_tokens=cache_tokens, soft=soft)
    return VllmModel(Checkpoint(str(folder), options, shown_as="vllm/tiny"), engine, options, adapter), engine


@pytest.fixture(scope="module")
def folder() -> Path:
    return tiny_llama(chat_template=_TEMPLATE)


@pytest.fixture(scope="module")
def local(folder: Path) -> HuggingFaceModel:
    model = load_model(str(folder), ModelOptions(device="cpu", max_length=48))
    assert isinstance(model, HuggingFaceModel)
    return model


@pytest.mark.parametrize("cache_tokens", [4096, 64])
def test_scores_equal_those_of_a_local_model(folder: Path, local: HuggingFaceModel, cache_tokens: int) -> None:
    model, engine = in_vllm(folder, cache_tokens=cache_tokens)
    done: list[int] = []
    found = model.score_options(PROMPTS, on_done=done.append)
    assert sum(done) == len(PROMPTS)
    for one, other in zip(found, local.score_options(PROMPTS), strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)
        assert one._replace(logprobs=(), computed_tokens=0) == other._replace(logprobs=(), computed_tokens=0)
    assert found[-1].truncated > 0
    assert (len(engine.calls) > 1) == (cache_tokens == 64), "a small cache is asked in several calls"
    asked = {question for call in engine.calls for question in call}
    assert len(asked) == sum(len(call) for call in engine.calls)


def test_a_soft_prompt_is_before_every_text(folder: Path, local: HuggingFaceModel, tmp_path: Path) -> None:
    from peft import PromptTuningConfig, get_peft_model

    torch.manual_seed(1)
    network = AutoModelForCausalLM.from_pretrained(folder)
    adapter = get_peft_model(network, PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=5))
    adapter.save_pretrained(str(tmp_path))
    model, engine = in_vllm(folder, adapter=VllmAdapter(tmp_path))
    adapted = load_model(str(folder), ModelOptions(device="cpu", max_length=48, adapter=tmp_path))
    assert isinstance(adapted, HuggingFaceModel)
    found = model.score_options(PROMPTS)
    for one, other, without in zip(found, adapted.score_options(PROMPTS), local.score_options(PROMPTS), strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)
        assert one.logprobs != pytest.approx(without.logprobs, abs=1e-3)
        assert (one.truncated, one.option_tokens) == (other.truncated, other.option_tokens)
    assert found[-1].truncated == local.score_options(PROMPTS)[-1].truncated + 5
    assert model.identity.adapter == adapted.identity.adapter
    assert engine.virtual_tokens == 5
    with pytest.raises(ModelError, match="fewer than 44 tokens"):
        model.generate(PROMPTS, max_new_tokens=44)
    with pytest.raises(ModelError, match="made for another base model"):
        VllmAdapter(tmp_path).soft_prompt(7)


def test_computed_tokens_are_those_that_the_cache_did_not_hold(folder: Path) -> None:
    model, _ = in_vllm(folder)
    prompts = [PROMPTS[4], PROMPTS[4]]
    first, second = model.score_options(prompts)
    assert first.computed_tokens < first.asked_tokens
    assert second.computed_tokens == 0, "the second prompt is the first"
    again = model.score_options(prompts[:1])[0]
    assert again.computed_tokens < first.computed_tokens


def test_a_prompt_that_cannot_be_scored_fails_alone(folder: Path) -> None:
    model, _ = in_vllm(folder)
    found: dict[int, OptionScores | ModelError] = {}
    prompts = [PROMPTS[0], Prompt("the river", ("", "x"), ""), PROMPTS[2]]
    model.stream_scores(prompts, on_scores=found.__setitem__)
    assert isinstance(found[1], ModelError)
    assert isinstance(found[0], OptionScores)
    assert isinstance(found[2], OptionScores)
    with pytest.raises(ModelError, match="no tokens of its own"):
        model.score_options(prompts)


def test_what_vllm_cannot_do_is_refused(folder: Path) -> None:
    model, _ = in_vllm(folder)
    with pytest.raises(ModelError, match="scoring method 'paper'"):
        model.score_options(PROMPTS, method="paper")
    with pytest.raises(ModelError, match="without options"):
        model.score_options([Prompt("a", (), "")])
    with pytest.raises(ModelError, match="no room"):
        model.generate(PROMPTS, max_new_tokens=49)


def test_texts_are_cut_to_leave_room(folder: Path) -> None:
    model, _ = in_vllm(folder)
    written = model.generate([PROMPTS[4]], max_new_tokens=8, sampling=Sampling())
    assert written == ["written"]
    assert isinstance(written[0], CutText)


def test_the_identity_names_engine_template_and_length(folder: Path, local: HuggingFaceModel) -> None:
    model, _ = in_vllm(folder)
    assert model.identity.name == "vllm/tiny"
    assert model.identity.revision == local.identity.revision
    assert model.identity.settings["engine"] == "vllm 0"
    assert model.identity.settings["max_length"] == "48"
    assert model.identity != local.identity
    assert model.has_chat_template
    assert model.format_chat([ChatMessage("user", "hello")]) == "[user] hello\n"


def test_self_test_and_forecast(folder: Path, local: HuggingFaceModel) -> None:
    model, engine = in_vllm(folder)
    forecast = model.forecast_tokens(PROMPTS[:3])
    assert not engine.calls, "a forecast computes nothing"
    assert forecast.asked == local.forecast_tokens(PROMPTS[:3]).asked
    checks = {check.name: check for check in model.self_test(PROMPTS[:3])}
    assert all(check.passed for check in checks.values()), checks
    assert "vLLM 0" in checks["scoring path"].detail
    assert "tokens computed" in checks["prefix cache"].detail
