"""The same prompts on the same model by lm-evaluation-harness: every log-likelihood within 1e-4, every choice equal."""

from __future__ import annotations

import csv
import functools
import logging
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from phraseproof.core import Prompt
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from phraseproof.scoring.registry import scorer
from support import tiny_models

pytestmark = pytest.mark.slow

SUBJECTS = ("astronomy", "college_medicine", "international_law", "us_foreign_policy")
QUESTIONS = 4
WORDINGS = (
    "Answer the question about {subject} with a letter.\n\n{question}\nA. {0}\nB. {1}\nC. {2}\nD. {3}\nAnswer:",
    "{question}\n\nWhich is right: (A) {0}, (B) {1}, (C) {2} or (D) {3}? My choice is \n",
)
FAMILIES = ("encoder-decoder", "decoder-only")


def questions(data: Path) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []
    for subject in SUBJECTS:
        with (data / "mmlu" / f"{subject}_test.csv").open(newline="", encoding="utf-8") as stream:
            rows = list(csv.reader(stream))
        for row in rows[:QUESTIONS]:
            for wording in WORDINGS:
                text = wording.format(*row[1:5], question=row[0], subject=subject.replace("_", " "))
                found.append((text, row[1:5]))
    return found


@functools.cache
def folder(family: str, data: Path) -> Path:
    texts = [text for text, _ in questions(data)]
    if family == "encoder-decoder":
        tokenizer = tiny_models.t5_tokenizer(texts, vocab_size=900)
        return tiny_models.save(tiny_models.t5_network(len(tokenizer)), tokenizer, "parity-t5")
    tokenizer = tiny_models.llama_tokenizer(texts, vocab_size=900)
    return tiny_models.save(tiny_models.llama_network(len(tokenizer), max_length=2048), tokenizer, "parity-llama")


def harness(family: str, data: Path, max_length: int) -> Any:
    """lm_eval's own backend, with the output head as it is in the file."""
    from lm_eval.models.huggingface import HFLM

    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    where = folder(family, data)
    backend = "seq2seq" if family == "encoder-decoder" else "causal"
    make: Any = HFLM  # a factory by name, of which a type checker sees only the base class
    lm = make(
        pretrained=str(where), backend=backend, device="cpu", dtype="float32", batch_size=8, max_length=max_length
    )
    if family == "encoder-decoder":
        # The harness calls tie_weights(), which under transformers 5 overwrites an untied head.
        stored = load_file(where / "model.safetensors")["lm_head.weight"]
        lm.model.lm_head.weight = torch.nn.Parameter(stored, requires_grad=False)
    return lm


def asked_of_harness(lm: Any, prompts: list[Prompt]) -> list[list[float]]:
    from lm_eval.api.instance import Instance

    requests = [
        Instance("loglikelihood", {}, (prompt.text, prompt.target_delimiter + option), 0)
        for prompt in prompts
        for option in prompt.options
    ]
    answers = iter(lm.loglikelihood(requests, disable_tqdm=True))
    return [[next(answers)[0] for _ in prompt.options] for prompt in prompts]


def assert_parity(model: Any, prompts: list[Prompt], expected: list[list[float]]) -> None:
    assert isinstance(model, HuggingFaceModel)
    for prompt, scores, theirs in zip(prompts, model.score_options(prompts), expected, strict=True):
        assert scores.logprobs == pytest.approx(theirs, abs=1e-4)
        assert scorer("loglikelihood").choose(scores.logprobs, prompt.options) == max(range(4), key=theirs.__getitem__)
    spreads = [max(theirs) - min(theirs) for theirs in expected]
    assert min(spreads) > 1e-2, "the test means nothing if all options have one score"


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    assert os.environ["HF_HUB_OFFLINE"] == "1"
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")


@pytest.mark.parametrize("answers", ["letters", "texts"])
@pytest.mark.parametrize("family", FAMILIES)
def test_parity_on_mmlu(family: str, answers: str, shared_data: Path) -> None:
    prompts = [
        Prompt(text, tuple("ABCD") if answers == "letters" else tuple(choices))
        for text, choices in questions(shared_data)
    ]
    expected = asked_of_harness(harness(family, shared_data, 4096), prompts)
    model = load_model(str(folder(family, shared_data)), ModelOptions(device="cpu", dtype="float32"))
    assert_parity(model, prompts, expected)
    chosen = {max(range(4), key=theirs.__getitem__) for theirs in expected}
    assert len(chosen) > 1, "the test means nothing if one option always wins"


@pytest.mark.parametrize("answers", ["letters", "texts"])
@pytest.mark.parametrize("family", FAMILIES)
def test_parity_where_prompts_are_cut(family: str, answers: str, shared_data: Path) -> None:
    prompts = [
        Prompt(text, tuple("ABCD") if answers == "letters" else tuple(choices))
        for text, choices in questions(shared_data)[::2]
    ]
    expected = asked_of_harness(harness(family, shared_data, 90), prompts)
    model = load_model(str(folder(family, shared_data)), ModelOptions(device="cpu", dtype="float32", max_length=90))
    assert_parity(model, prompts, expected)
    assert isinstance(model, HuggingFaceModel)
    assert any(scores.truncated for scores in model.score_options(prompts))


@pytest.mark.parametrize("family", FAMILIES)
def test_parity_on_awkward_prompts(family: str, shared_data: Path) -> None:
    options = ("the king", "a red river", "law", "of the")
    special = "<s>" if family == "decoder-only" else "</s>"
    prompts = [
        Prompt("", options),
        Prompt("Which?   \n\n\t", options),
        Prompt("Which?", options, target_delimiter=""),
        Prompt(f"{special}Which?", options),
        Prompt("Which? (", options, target_delimiter=""),
        Prompt("  Which is it", options, target_delimiter="\n"),
    ]
    if family == "decoder-only":
        prompts.append(Prompt(" \n", options))
    expected = asked_of_harness(harness(family, shared_data, 4096), prompts)
    model = load_model(str(folder(family, shared_data)), ModelOptions(device="cpu", dtype="float32"))
    assert_parity(model, prompts, expected)
