"""Stands between a Hugging Face model and its batches, for tests of what happens when a batch misbehaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from phraseproof.models.huggingface.model import HuggingFaceModel

Score = Callable[[Any], list[list[float]]]


def wrap_batches(monkeypatch: pytest.MonkeyPatch, model: HuggingFaceModel, around: Callable[[Any, Score], Any]) -> None:
    """Let `around(batch, score)` answer for every batch; `score` is how the model itself would."""
    made = model.backend.batch_scorer

    def batch_scorer(limit: Any) -> Score:
        score = made(limit)
        return lambda batch: around(batch, score)

    monkeypatch.setattr(model.backend, "batch_scorer", batch_scorer)
