"""Eleven tasks of lm-evaluation-harness (benchmarks/harness): every score of every document equals its own."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from benchmarks.harness.parity import ELEVEN, Compared, Score, compare, harness_model, write_tasks

from support import tiny_models
from support.real_models import write_smollm2

SIX = [
    each
    for each in ELEVEN
    if each.task.endswith(("letters", "options_of_data", "begun_answer", "filters", "targets", "inputs"))
]
"""Those of a tiny model: every run of the harness takes a second."""


@cache
def tiny_model() -> Path:
    tokenizer = tiny_models.llama_tokenizer(vocab_size=900)
    return tiny_models.save(tiny_models.llama_network(len(tokenizer), max_length=4096), tokenizer, "harness-llama")


@cache
def harness(model: Path) -> Any:
    return harness_model(model)


@pytest.fixture(scope="module")
def real_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_smollm2(tmp_path_factory.mktemp("smollm2"))


def scores(each: Compared, model: Path, data: Path, folder: Path, limit: int) -> list[Score]:
    tasks = write_tasks(folder / "tasks", data)
    return list(compare(each, tasks, harness(model), model, folder / "run", limit=limit))


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.mark.slow
@pytest.mark.parametrize("each", SIX, ids=[each.task for each in SIX])
def test_scores_of_a_tiny_model(each: Compared, shared_data: Path, tmp_path: Path) -> None:
    found = scores(each, tiny_model(), shared_data, tmp_path, limit=6)
    assert [score.metric for score in found] == list(each.metrics)
    for score in found:
        assert (score.documents, score.different) == (6, 0)
        assert score.ours == pytest.approx(score.theirs, abs=1e-9)
        assert (score.error or 0.0) < 1e-3


@pytest.mark.real
@pytest.mark.parametrize("each", ELEVEN, ids=[each.task for each in ELEVEN])
def test_scores_of_a_real_model(each: Compared, real_model: Path, shared_data: Path, tmp_path: Path) -> None:
    found = scores(each, real_model, shared_data, tmp_path, limit=4)
    for score in found:
        assert (score.documents, score.different) == (4, 0)
        assert score.ours == pytest.approx(score.theirs, abs=1e-9)
        assert (score.error or 0.0) < 3e-3  # nats, of a whole text: processors round 30 layers differently
