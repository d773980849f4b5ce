"""`align --dry-run`: lines or JSON on stdout, and nothing is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from phraseproof.alignment.loop.forecast import AlignmentForecast
from phraseproof.alignment.pairs import save_pairs
from phraseproof.cli import main
from phraseproof.cli.training_forecast import print_training_forecast
from phraseproof.training.timing import TrainingTiming
from phraseproof.training.work import StepTokens
from support import tiny_models
from support.tiny_pairs import shared_wordings

FORECAST = AlignmentForecast(
    method="pt+kl",
    learning_rate=5e-4,
    steps=100,
    batches_per_step=4,
    epochs=8.0,
    pairs=50,
    held_out_pairs=5,
    held_out_wordings=1,
    prompts_per_step=16.0,
    validation={"other": 7},
    evaluations=9,
    tokens=StepTokens(1200, 32),
    longest=StepTokens(1500, 40),
    counted_steps=100,
    memory_there=8_000_000_000,
    timing=TrainingTiming(6.0, 20.0, 2_500_000_000, 5),
)


def test_lines(capsys: pytest.CaptureFixture[str]) -> None:
    print_training_forecast(FORECAST, as_json=False)
    lines = {line[:16].strip(): line[16:].split(maxsplit=1) for line in capsys.readouterr().out.splitlines()}
    assert lines["steps"] == ["100", "(4 batches each; every pair 8 times)"]
    assert lines["held-out pairs"] == ["5", "(9 evaluations, under 1 wording that training does not use)"]
    assert lines["validation other"] == ["7", "(pairs, 9 evaluations)"]
    assert lines["tokens per step"] == ["1,200", "(32 of them targets; at most 1,500; all steps)"]
    assert lines["tokens"][0] == "120,000"
    # 100 steps of 6 s and 9 evaluations of 20 s.
    assert lines["time"] == ["13", "min  (5 steps were timed, evaluations 3 min of it; without loading the model)"]
    assert lines["memory"] == ["2.50", "GB  (with the longest step and a checkpoint; 8.00 GB are there)"]


def test_json_and_nothing_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_pairs(shared_wordings(8), tmp_path / "pairs.jsonl")
    options = ("--model", str(tiny_models.tiny_llama()), "--pairs", str(tmp_path / "pairs.jsonl"), "--device", "cpu")
    arguments = ("align", *options, "--out", str(tmp_path / "out"), "--max-steps", "7", "--dry-run", "--json")
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 0
    found = json.loads(capsys.readouterr().out)
    assert found["steps"] == 7
    assert found["seconds"] > 0
    assert found["timing"]["peak_memory"] > 0
    assert found["tokens"]["read"] > found["tokens"]["trained"] > 0
    assert [path.name for path in tmp_path.iterdir()] == ["pairs.jsonl"]


def test_timing_without_a_dry_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(("align", "--model", "pocket", "--pairs", "p.jsonl", "--out", str(tmp_path / "out"), "--timing"))
    assert stopped.value.code == 2
    assert "--timing requires --dry-run" in capsys.readouterr().err
