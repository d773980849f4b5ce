"""Losses and distances of `forgetting`, on tiny models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from phraseproof.alignment.pairs import save_pairs
from phraseproof.analysis.aggregation import Level
from phraseproof.models.options import ModelOptions
from phraseproof.store.training_record import read_record
from phraseproof.store.vectors import load_vectors
from phraseproof.studies import forgetting, forgetting_steps
from phraseproof.studies.carry_out import carry_out, forecasts
from phraseproof.studies.forgetting import ForgettingStudy, distances_by_place
from phraseproof.studies.study import StudyRequest
from phraseproof.training.log import read_log
from support import tiny_models
from support.tiny_pairs import own_wordings


def test_losses_and_distances_of_two_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (forgetting, forgetting_steps):
        monkeypatch.setattr(module, "EPOCHS", 3)
        monkeypatch.setattr(module, "COMPARED", (1, 3))
    monkeypatch.setattr(forgetting, "SHOWN", (0, 1, 3))
    save_pairs(own_wordings(9), tmp_path / "pairs.jsonl")
    request = StudyRequest(
        models=(str(tiny_models.tiny_llama()), str(tiny_models.tiny_t5())),
        pairs=tmp_path / "pairs.jsonl",
        tasks=("pocket/has-maker", "pocket/has-buyer"),
        instructions={"observed": ("pocket-observed",), "unobserved": ("pocket-test",)},
        limit=2,
        out=tmp_path / "out",
        model_options=ModelOptions(device="cpu"),
    )
    planned = forecasts(ForgettingStudy(), request, timed=False)
    assert all(each.forecast.missing == each.forecast.prompts > 0 for each in planned)
    assert not request.out.exists()
    exhibit = carry_out(ForgettingStudy(), request)
    assert [each.forecast.missing for each in forecasts(ForgettingStudy(), request, timed=False)] == [0] * len(planned)
    losses, distances, _ = exhibit.tables
    assert [row[1] for row in losses.rows] == ["held-out pairs", "observed", "unobserved"] * 2
    # Eight pairs in two steps per epoch, one held out.
    training = planned[0].step.folder
    log = {row["step"]: row["held_out"] for row in read_log(training) if "held_out" in row}
    assert list(log) == [0, 2, 4, 6]
    shown = [f"{log[step]['validation']['observed']['ce']:.3f}" for step in (0, 2, 6)]
    assert losses.rows[1][2:5] == tuple(shown)
    rows = exhibit.results.select(statistic="cross-entropy after epoch 3", group="unobserved").rows
    assert rows[0].estimate == log[6]["validation"]["unobserved"]["ce"]
    assert rows[0].unit == "nats"
    # The weights that were kept after the first epoch are those that are measured.
    first = planned[1].step.folder
    assert read_record(training / "epochs" / "1")["result"]["step"] == 2  # type: ignore[index]
    found = distances_by_place(first)
    tasks = {name: value for (level, name), value in found.items() if level is Level.TASK}
    assert found[Level.OVERALL, "Overall"].absolute == pytest.approx(sum(each.absolute for each in tasks.values()) / 2)
    assert distances.rows[0][2] == f"{found[Level.CATEGORY, 'Pocket-BC'].absolute:.2f}"
    by_hand = load_vectors(first).of("pocket/has-maker", 0)
    is_observed = np.array(by_hand.groups) == "observed"
    observed, others = by_hand.array[is_observed], by_hand.array[~is_observed]
    distance = np.linalg.norm(others[:, None] - observed[None], axis=-1).min(axis=1).mean()
    spread = np.linalg.norm(observed[:, 0] - observed[:, 1], axis=-1).mean()
    assert tasks["pocket/has-maker"].absolute == pytest.approx(distance, rel=1e-4)
    assert tasks["pocket/has-maker"].relative == pytest.approx(distance / spread, rel=1e-4)
    assert {name.split("-tiny")[0] for name in exhibit.charts} >= {"loss-held-out-pairs", "distance-by-epoch"}
    assert len(exhibit.charts) == 4
    assert (request.out / "forgetting").is_dir()
