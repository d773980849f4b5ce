"""Defaults are the paper's, and values that cannot be right are refused."""

from __future__ import annotations

from typing import Any

import pytest

from phraseproof.errors import UsageError
from phraseproof.tuning.settings import TuningSettings


def test_defaults_are_the_papers() -> None:
    found = TuningSettings()
    assert (found.learning_rate, found.schedule, found.warmup_ratio) == (2e-5, "cosine", 0.03)
    assert (found.epochs, found.examples_per_step, found.max_tokens) == (3, 128, 512)
    assert found.warmup_steps(1219) == 37, "36.57, rounded up"
    assert list(found.kept_epochs) == []
    assert list(TuningSettings(keep_epochs="all").kept_epochs) == [1, 2, 3]


@pytest.mark.parametrize(
    "changes",
    [
        {"learning_rate": 0},
        {"warmup_ratio": 1},
        {"examples_per_step": 0},
        {"epochs": 0},
        {"max_tokens": 1},
        {"too_long": "cut"},
        {"mixed_precision": "int8"},
        {"keep_epochs": (4,)},
        {"max_grad_norm": -1},
    ],
)
def test_other_values_are_refused(changes: dict[str, Any]) -> None:
    (name,) = changes
    with pytest.raises(UsageError, match=f"^--{name.replace('_', '-')}: "):
        TuningSettings(**changes)
