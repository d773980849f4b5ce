"""SmolLM2 in bfloat16, with near-ties scored again, chooses as in float32."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.core import Model
from phraseproof.evaluation.half_precision import half_precision
from phraseproof.models import ModelOptions, load_model
from phraseproof.store.queries import Run
from support import real_models
from support.rounding_model import choices, evaluation

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("smollm2"), pytest.mark.timeout(1200)]


def test_choices_in_bfloat16_are_those_of_float32(tmp_path: Path) -> None:
    half = load_model("smollm2", ModelOptions(device="cpu", dtype="bfloat16"))

    def run(model: Model, *, rescore_ties: bool = False) -> Run:
        chosen = evaluation(model, examples=20, rescore_ties=rescore_ties)
        return chosen.run(tmp_path / f"{model.identity.dtype}")

    full, again = run(real_models.smollm2()), run(half, rescore_ties=True)
    found = half_precision(again)
    assert found is not None
    assert found.scored_again is not None
    assert found.scored_again < found.choices == 80
    assert found.largest_error is not None
    assert 0 < found.largest_error < 1
    assert choices(again) == choices(full)
    assert found.expected_changes is not None
    assert found.expected_changes < 0.1
