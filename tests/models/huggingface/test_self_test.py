from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from phraseproof.core import Check, Prompt
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from support import tiny_models
from support.batches import wrap_batches


def load(folder: Path, **options: Any) -> HuggingFaceModel:
    model = load_model(str(folder), ModelOptions(device="cpu", **options))
    assert isinstance(model, HuggingFaceModel)
    return model


def named(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def prompts() -> list[Prompt]:
    bodies = [sentence.rsplit(" ", 1)[0] for sentence in tiny_models.sentences(6, seed=41)]
    return [Prompt(body, ("A", "B", "red green blue")) for body in bodies]


@pytest.mark.parametrize("folder", [tiny_models.tiny_t5, tiny_models.tiny_llama, tiny_models.tiny_mamba])
def test_a_sound_model_passes(folder: Callable[[], Path]) -> None:
    checks = named(load(folder()).self_test(prompts()))
    assert list(checks) == ["batch invariance", "options tokenise apart", "no doubled BOS", "scoring path"]
    assert all(check.passed for check in checks.values())
    assert "float32" in checks["batch invariance"].detail


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_has_a_bound_of_its_own_and_says_it(dtype: str) -> None:
    check = named(load(tiny_models.tiny_llama(), dtype=dtype).self_test(prompts()))["batch invariance"]
    assert check.passed
    assert "per token" in check.detail


def test_scores_that_depend_on_the_batch_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    model = load(tiny_models.tiny_llama())

    def careless(batch: Any, score: Any) -> list[list[float]]:
        return [[value + 0.01 * (len(batch) > 1) for value in values] for values in score(batch)]

    wrap_batches(monkeypatch, model, careless)
    check = named(model.self_test(prompts()))["batch invariance"]
    assert not check.passed
    assert "1.0e-02" in check.detail

    wrap_batches(monkeypatch, model, lambda batch, _: [[float("nan")] * len(request.options) for request in batch])
    assert not named(model.self_test(prompts()))["batch invariance"].passed


def test_a_doubled_bos_is_found() -> None:
    checks = named(load(tiny_models.tiny_llama()).self_test([Prompt("<s><s>the king", ("A", "B"))]))
    assert not checks["no doubled BOS"].passed
    assert checks["batch invariance"].passed


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        (Prompt("the ki", ("ng of the west of the", "ng of the east of the"), target_delimiter=""), "merge"),
        (Prompt("the king", ("", "A"), target_delimiter=""), "no tokens"),
    ],
)
def test_options_that_do_not_tokenise_apart_are_found_and_named(prompt: Prompt, words: str) -> None:
    checks = named(load(tiny_models.tiny_llama()).self_test([prompt, *prompts()]))
    assert not checks["options tokenise apart"].passed
    assert words in checks["options tokenise apart"].detail
    assert checks["batch invariance"].passed


def test_an_option_that_is_offered_twice_is_no_fault() -> None:
    checks = named(load(tiny_models.tiny_llama()).self_test([Prompt("the king", ("A", "A")), *prompts()]))
    assert checks["options tokenise apart"].passed


def test_characters_unknown_to_the_tokenizer_make_options_equal() -> None:
    checks = named(load(tiny_models.tiny_t5()).self_test([Prompt("the king", ("語", "文"))]))
    assert not checks["options tokenise apart"].passed


def test_the_cause_is_the_first_check_that_fails() -> None:
    checks = load(tiny_models.tiny_t5()).self_test([Prompt("the king", ("語", "文"))])
    assert [check.name for check in checks if not check.passed] == ["options tokenise apart", "batch invariance"]


@pytest.mark.parametrize(
    ("build", "path"),
    [
        (tiny_models.tiny_llama, "shared beginnings read once"),
        (tiny_models.tiny_bart, "transformers' generate, batches"),
    ],
)
def test_prompts_without_options_are_checked_by_their_texts(build: Callable[[], Path], path: str) -> None:
    checks = named(load(build()).self_test([Prompt("the king"), Prompt("Which river is north of the")]))
    assert checks["batch invariance"].detail == "2 of 2 texts are equal written alone and together"
    assert path in checks["generation path"].detail


def test_nothing_to_test_with_and_failures_are_checks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    model = load(tiny_models.tiny_llama())
    for useless in ([], [Prompt("red", ("",), target_delimiter="")]):
        assert not all(check.passed for check in model.self_test(useless))
    tight = load(tiny_models.tiny_llama(), max_length=2)
    assert not tight.self_test(prompts())[0].passed
