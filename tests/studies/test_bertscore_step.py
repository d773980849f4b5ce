"""The step that judges stored texts by BERTScore: what it lacks, and that it asks no model."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.evaluation.observer import SilentObserver
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.studies import bertscore_step
from phraseproof.studies.bertscore_step import BertScoreStep, bertscore_lack
from support.hub_cache import use_cache


def test_without_the_encoder_nothing_is_done_and_the_forecast_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bertscore_step, "find_spec", lambda _: True)
    use_cache(monkeypatch, tmp_path / "hub")
    step = BertScoreStep(EvaluationSpec(model="scripted", tasks=("everyday/notes",)), tmp_path / "run")
    assert step.title == "judge the texts of scripted on everyday/notes by bertscore"
    found = step.forecast(timed=True)
    assert (found.prompts, found.missing) == (0, 0)
    assert "hf download roberta-large" in found.remark
    assert step.carry_out(SilentObserver()) == 0
    assert not step.folder.exists()


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bertscore_step, "find_spec", lambda _: None)
    assert bertscore_lack() == "the package bert-score is not installed (pip install 'phraseproof[bertscore]')"
