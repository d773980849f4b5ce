"""The settings of a training: the paper's values, what is refused, and what a record keeps."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.errors import UsageError


def test_defaults_are_the_papers() -> None:
    # arXiv 2306.11270, section 5 and appendix B: 10 vectors, lambda 0.8, AdamW at 5e-4 with weight decay 1e-5, three
    # paraphrases per batch, four batches per step.
    settings = AlignmentSettings()
    assert settings.method == "pt+kl"
    assert (settings.num_tokens, settings.placement) == (10, "input")
    assert settings.lambda_ == 0.8
    assert (settings.resolved("prompt").learning_rate, settings.weight_decay) == (5e-4, 1e-5)
    assert (settings.paraphrases_per_batch, settings.gradient_accumulation) == (3, 4)


@pytest.mark.parametrize(
    ("name", "bad", "good"),
    [
        ("num_tokens", 0, 1),
        ("rank", 0, 1),
        ("lora_alpha", 0.0, 0.5),
        ("lora_dropout", -0.1, 0.0),
        ("lora_dropout", 1.0, 0.9),
        ("lambda_", -0.1, 0.0),
        ("weight_decay", -1e-9, 0.0),
        ("paraphrases_per_batch", 0, 1),
        ("gradient_accumulation", 0, 1),
        ("warmup_steps", -1, 0),
        ("max_steps", 0, 1),
        ("epochs", 0, 1),
        ("eval_every", 0, 1),
        ("early_stopping_patience", 0, 1),
        ("save_every", 0, 1),
        ("held_out_fraction", -0.1, 0.0),
        ("held_out_fraction", 1.0, 0.99),
        ("lambda_", 1.01, 1.0),
        ("learning_rate", 0.0, 1e-9),
        ("learning_rate", 1e30, 1e29),
        ("max_grad_norm", 0.0, None),
        ("push_bound", 0.0, None),
        ("weight_decay", float("inf"), 1.0),
        ("lambda_", float("nan"), 0.5),
        ("learning_rate", float("nan"), 0.5),
        ("placement", "middle", "layers"),
        ("schedule", "linear", "constant"),
        ("mixed_precision", "fp8", "fp16"),
    ],
)
def test_limits(name: str, bad: Any, good: Any) -> None:
    with pytest.raises(UsageError) as raised:
        AlignmentSettings(**{name: bad})
    option = f"--{name.rstrip('_').replace('_', '-')}"
    assert str(raised.value).startswith(f"{option}: ")
    assert f"got {bad}" in str(raised.value)
    assert getattr(AlignmentSettings(**{name: good}), name) == good


def test_an_error_names_the_known_values() -> None:
    with pytest.raises(UsageError, match="expected one of: no, bf16, fp16, got fp8"):
        AlignmentSettings(mixed_precision="fp8")


def test_early_stopping_needs_held_out_pairs() -> None:
    with pytest.raises(UsageError, match=r"^--held-out-fraction: early stopping needs held-out pairs"):
        AlignmentSettings(early_stopping_patience=2, held_out_fraction=0.0)
    assert AlignmentSettings(early_stopping_patience=2).held_out_fraction == 0.1


def test_the_guard_needs_held_out_pairs() -> None:
    with pytest.raises(UsageError, match=r"^--held-out-fraction: the guard needs held-out pairs"):
        AlignmentSettings(guard=True, held_out_fraction=0.0)
    assert AlignmentSettings(guard=True).held_out_fraction == 0.1


def test_a_record_of_settings_is_json_that_gives_them_back() -> None:
    settings = AlignmentSettings(lambda_=0.3, push_bound=None, max_steps=7, keep_epochs=(1, 3))
    record = json.loads(json.dumps(settings.as_record()))
    assert set(record) == {field.name for field in dataclasses.fields(AlignmentSettings)}
    assert AlignmentSettings(**record) == settings


def test_the_rate_and_alpha_depend_on_what_is_trained() -> None:
    rates = [AlignmentSettings().resolved(trains).learning_rate for trains in ("prompt", "lora", "dora", "weights")]
    assert rates == [5e-4, 2e-4, 2e-4, 2e-5]
    assert AlignmentSettings(learning_rate=0.1).resolved("lora").learning_rate == 0.1
    assert AlignmentSettings().resolved("prompt").max_steps is None
    assert AlignmentSettings(rank=4).resolved("lora").lora_alpha == 8
    assert AlignmentSettings(rank=4, lora_alpha=3).resolved("lora").lora_alpha == 3


def test_records_of_other_methods_have_no_settings_of_low_rank_adapters() -> None:
    whole = set(AlignmentSettings().as_record("dora"))
    assert whole - set(AlignmentSettings().as_record("prompt")) == {
        *("rank", "lora_alpha", "lora_dropout", "target_modules")
    }


@pytest.mark.parametrize("method", ["lora+paft+choice", "lora+paft"])
def test_the_recommended_methods_have_a_rate_and_a_length_of_their_own(method: str) -> None:
    settings = AlignmentSettings(method=method).resolved("lora")
    assert (settings.learning_rate, settings.max_steps, settings.epochs) == (1e-3, 480, None)
    assert AlignmentSettings(method=method, epochs=2).resolved("lora").max_steps is None
    given = AlignmentSettings(method=method, learning_rate=1e-4, max_steps=9).resolved("lora")
    assert (given.learning_rate, given.max_steps) == (1e-4, 9)


def test_kept_epochs_are_within_a_known_number_of_epochs() -> None:
    # 480 steps may be many epochs.
    assert AlignmentSettings(method="lora+paft", keep_epochs=(7,)).keep_epochs == (7,)
    for options in ({}, {"method": "lora+paft", "epochs": 5}):
        with pytest.raises(UsageError, match=r"^--keep-epochs: .*expected all, or numbers from 1 to 5, got 7"):
            AlignmentSettings(keep_epochs=(7,), **options)  # pyright: ignore[reportArgumentType]
