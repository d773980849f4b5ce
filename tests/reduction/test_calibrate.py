"""`phraseproof.calibrate`: effects, warnings, derived runs and files, of runs that a scripted model made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import phraseproof
from phraseproof.analysis.calibrated import cross_fitted, fitted_on
from phraseproof.analysis.option_values import load_option_values, scores
from phraseproof.errors import NotEnoughDataError, RunError, UsageError
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.store.queries import Run, WordingScore, load_run
from phraseproof.store.run_file import write_run_file
from support.calibrated_runs import labelled_task, prefers, run
from support.stored_cells import finished_run, make_cell


def test_a_prior_that_hides_a_skill_is_removed(tmp_path: Path) -> None:
    source = run(tmp_path / "run", labelled_task(60))
    found = phraseproof.calibrate(source, "prior-matching", resamples=200)
    (effect,) = found.effects
    (values,) = load_option_values(source)
    before = scores(values.values, values).mean()
    after = scores(cross_fitted(values, "prior-matching"), values).mean()
    assert effect.before["mean"].estimate == pytest.approx(before)
    assert effect.after["mean"].estimate == pytest.approx(after)
    assert effect.gain.estimate == pytest.approx(after - before)
    assert effect.gain.low is not None
    assert effect.gain.low > 0
    assert found.warnings == ()
    assert found.run is None
    assert found.calibrator is None
    assert not list(tmp_path.glob("*/calibration"))


def test_all_compares_the_methods_that_ask_nothing_and_writes_nothing(tmp_path: Path) -> None:
    source = run(tmp_path / "run")
    found = phraseproof.calibrate(source.path, "all", resamples=100)
    assert [effect.method for effect in found.effects] == ["batch", "prior-matching", "per-byte", "per-token"]
    assert found.notes == ()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]
    with pytest.raises(UsageError, match="chooses none: --out needs one of them"):
        phraseproof.calibrate(source, "all", out=tmp_path / "x")
    with pytest.raises(UsageError, match="chooses none: --save needs one of them"):
        phraseproof.calibrate(source, "all", save=tmp_path / "x")


def test_all_leaves_out_what_a_run_does_not_hold(tmp_path: Path) -> None:
    finished_run(tmp_path, make_cell(), make_cell("b" * 32, instruction="mine/two"))
    found = phraseproof.calibrate(tmp_path, "all", resamples=50)
    assert [effect.method for effect in found.effects] == ["batch", "prior-matching", "per-byte"]
    assert found.notes == ("per-token left out: the options' numbers of tokens are not stored for t under mine/one",)


def test_harm_under_imbalance_is_measured_and_warned_of(tmp_path: Path) -> None:
    # 28 of 30 answers are 'bug', and the model knows it: balancing the classes takes that away.
    source = run(tmp_path, labelled_task(30, labels=[1] * 28 + [0, 2]), score=prefers(strength=0.5, skill=1.0))
    found = phraseproof.calibrate(source, "batch", resamples=200)
    harm, classes = found.warnings
    assert harm.startswith("t: batch lowers accuracy by ")
    assert classes == (
        "t: 93% of the right answers are 'bug', and batch assumes about 33%: such a correction can do harm"
    )


def test_the_file_corrects_as_the_method_fitted_on_all_examples(tmp_path: Path) -> None:
    source = run(tmp_path / "run")
    phraseproof.calibrate(source, "batch", save=tmp_path / "c.json", resamples=50)
    (values,) = load_option_values(source)
    expected = fitted_on(values, values, "batch")
    calibrator = phraseproof.Calibrator.load(tmp_path / "c.json")
    for row, wording in enumerate(values.wordings):
        found = calibrator.apply(values.values[row], task="t", wording=wording)
        assert np.allclose(found, expected[row])


def test_runs_without_log_probabilities_are_refused_with_one_line(tmp_path: Path) -> None:
    texts = run(tmp_path / "texts")
    for cell in texts.content["cells"]:
        cell["scoring"] = "generate"
    with pytest.raises(NotEnoughDataError, match="stores no log-probabilities") as error:
        phraseproof.calibrate(Run(texts.path, texts.content))
    assert "\n" not in str(error.value)


def test_imported_accuracies_are_refused_with_one_line(tmp_path: Path) -> None:
    row = WordingScore("t", "C", "g", "c/w", 0, 0.5, None)
    write_run_file(tmp_path, {"schema_version": 1, "settings": {}, "cells": [], "accuracies": {"one": row._asdict()}})
    with pytest.raises(NotEnoughDataError, match="holds imported accuracies") as error:
        phraseproof.calibrate(tmp_path)
    assert "\n" not in str(error.value)


def test_a_run_with_a_budget_is_refused(tmp_path: Path) -> None:
    source = run(tmp_path, labelled_task(60), spec=EvaluationSpec(budget=0.5))
    with pytest.raises(RunError, match="of its grid"):
        phraseproof.calibrate(source)


def test_a_calibrated_run_is_not_calibrated_again(tmp_path: Path) -> None:
    source = run(tmp_path / "run")
    phraseproof.calibrate(source, out=tmp_path / "derived", resamples=50)
    with pytest.raises(UsageError, match="calibrated already: its scoring is loglikelihood\\+batch"):
        phraseproof.calibrate(tmp_path / "derived")


def test_lengths_need_log_likelihoods_of_whole_options(tmp_path: Path) -> None:
    source = run(tmp_path, spec=EvaluationSpec(scoring="loglikelihood_norm"))
    with pytest.raises(UsageError, match="the scoring is loglikelihood_norm"):
        phraseproof.calibrate(source, "per-byte")
    found = phraseproof.calibrate(source, "all", resamples=50)
    assert {effect.method for effect in found.effects} == {"batch", "prior-matching"}
    assert found.notes[0].startswith("per-byte and per-token left out")


def test_seeds_and_shots_are_effects_of_their_own(tmp_path: Path) -> None:
    source = run(tmp_path, spec=EvaluationSpec(num_fewshot=(0, 1), fewshot_seeds=(0, 1)))
    found = phraseproof.calibrate(source, "batch", save=tmp_path / "c.json", out=tmp_path / "d", resamples=50)
    assert [effect.num_fewshot for effect in found.effects] == [0, 1]
    assert found.calibrator is not None
    assert len(found.calibrator.corrections) == 10
    assert len(load_run(tmp_path / "d").cells) == len(source.cells) == 15


def test_two_tasks_have_an_effect_each_and_one_together(tmp_path: Path) -> None:
    source = run(tmp_path, labelled_task(name="a"), labelled_task(24, name="b"))
    found = phraseproof.calibrate(source, "batch", resamples=50)
    assert [effect.name for effect in found.effects] == ["a", "b", "Overall"]
    gains = [effect.gain.estimate for effect in found.effects]
    assert gains[2] == pytest.approx((gains[0] + gains[1]) / 2)
