"""Estimates of a run with a budget: what they rest on, how they add up, and that they are never raw means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from phraseproof.analysis.estimators import sampled_grid
from phraseproof.analysis.estimators.budget import estimate_run, estimated_scores
from phraseproof.analysis.estimators.task_estimates import QUANTILES
from phraseproof.analysis.estimators.wording_features import wording_features
from phraseproof.analysis.robustness import summarize
from phraseproof.errors import NotEnoughDataError, RunError, UsageError
from phraseproof.evaluation.prepare import prepare
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.models.scripted import ScriptedModel
from phraseproof.store.queries import Run, load_run
from support.budget_runs import run_of_tasks, task, wordings


def test_a_whole_run_is_given_exactly(tmp_path: Path) -> None:
    whole = run_of_tasks(tmp_path, None)
    (found,) = estimate_run(whole)
    (summary,) = summarize(whole.wording_scores())
    assert found.share == 1.0
    for group in found.groups:
        exact = summary.tasks[0].groups[group.group]
        means = [row.mean_score for row in whole.wording_scores() if row.group == group.group]
        assert group.std is not None
        assert (group.mean.estimate, group.std.estimate) == pytest.approx((exact.mean, exact.std))
        assert (group.mean.low, group.mean.high) == pytest.approx((exact.mean, exact.mean))
        wanted = np.percentile(means, QUANTILES)
        assert [group.quantiles[number].estimate for number in QUANTILES] == pytest.approx(list(wanted))
    assert found.differences[0].name == "unobserved minus observed"
    assert found.differences[0].estimate == pytest.approx(summary.tasks[0].differences["unobserved"].value)


def test_a_share_gives_estimates_near_the_truth_that_say_what_they_rest_on(tmp_path: Path) -> None:
    whole = {row.instruction: row.mean_score for row in run_of_tasks(tmp_path / "whole", None).wording_scores()}
    few = run_of_tasks(tmp_path / "few", 0.5)
    (found,) = estimate_run(few)
    assert found.share == pytest.approx(0.5)
    for group in found.groups:
        for wording in group.wordings:
            assert wording.accuracy.n == 30
            assert wording.accuracy.low is not None
            assert wording.accuracy.high is not None
            assert wording.accuracy.low <= wording.accuracy.estimate <= wording.accuracy.high
            assert abs(wording.accuracy.estimate - whole[wording.instruction]) < 0.12
    scores = {row.instruction: row for row in estimated_scores(few)}
    assert scores.keys() == whole.keys()
    assert all(row.num_examples == 30 for row in scores.values())


def test_an_interval_holds_its_estimate(tmp_path: Path) -> None:
    """Also where all but one draw in a hundred are 100%."""
    settings = EvaluationSpec(budget=0.9)
    able = ScriptedModel(lambda prompt, option: float(option == "yes"))
    groups = {"observed": {"sums": wordings("seen", 6)}}
    (found,) = estimate_run(prepare(able, [task()], groups, settings).run(tmp_path, self_test=False))
    (group,) = found.groups
    assert group.std is not None
    for finding in (group.mean, group.std, *group.quantiles.values(), *(each.accuracy for each in group.wordings)):
        assert finding.low is not None
        assert finding.high is not None
        assert finding.low <= finding.estimate <= finding.high


def test_group_order_sets_the_reference_and_must_exist(tmp_path: Path) -> None:
    few = run_of_tasks(tmp_path, 0.5)
    (found,) = estimate_run(few, group_order=["unobserved"])
    assert [group.group for group in found.groups] == ["unobserved", "observed"]
    assert found.differences[0].name == "observed minus unobserved"
    with pytest.raises(UsageError, match="no group of wordings is called 'mine'"):
        estimate_run(few, group_order=["mine"])


def test_seeds_of_demonstrations_are_averaged_and_shots_are_planes(tmp_path: Path) -> None:
    few = run_of_tasks(tmp_path, 0.3, num_fewshot=(0, 1), fewshot_seeds=(0, 1))
    zero, one = estimate_run(few)
    assert (zero.num_fewshot, one.num_fewshot) == (0, 1)
    assert [group.num_wordings for group in one.groups] == [5, 3]
    assert [wording.accuracy.n for wording in one.groups[0].wordings] == [36] * 5


def test_a_single_wording_has_no_spread(tmp_path: Path) -> None:
    (found,) = estimate_run(run_of_tasks(tmp_path, 0.2, counts=(1, 2)))
    assert found.groups[0].std is None
    assert found.groups[1].std is not None
    assert len({finding.estimate for finding in found.groups[0].quantiles.values()}) == 1


def test_what_was_drawn_is_kept_and_never_out_of_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = estimate_run(run_of_tasks(tmp_path, 0.3))
    (kept,) = (tmp_path / "estimates").iterdir()

    def fail(*_: Any) -> Any:
        raise AssertionError("nothing is to be drawn")

    with monkeypatch.context() as patched:
        patched.setattr(sampled_grid, "draw_accuracies", fail)
        opened = load_run(tmp_path)
        assert estimate_run(opened) == first
        turned = estimate_run(opened, group_order=["unobserved"])
        assert [group.group for group in turned[0].groups] == ["unobserved", "observed"]
        assert turned[0].groups[0] == first[0].groups[1]
        with pytest.raises(AssertionError, match="nothing is to be drawn"):
            estimate_run(opened, seed=1)
    wider = estimate_run(run_of_tasks(tmp_path, 0.5))
    assert wider[0].scored == 240 > first[0].scored == 144
    (other,) = (tmp_path / "estimates").iterdir()
    assert other.name != kept.name
    other.write_bytes(b"not an array")
    assert estimate_run(load_run(tmp_path)) == wider
    assert estimate_run(load_run(tmp_path), covariates=True) != wider
    assert len(list((tmp_path / "estimates").iterdir())) == 2


def test_a_folder_that_cannot_be_written_is_read_all_the_same(tmp_path: Path) -> None:
    few = run_of_tasks(tmp_path, 0.3)
    (tmp_path / "estimates").write_text("in the way")
    assert estimate_run(few)[0].scored == 144


def test_missing_cells_leave_the_others(tmp_path: Path) -> None:
    few = run_of_tasks(tmp_path, 0.4)
    next((tmp_path / "cells").rglob("*.parquet")).unlink()
    (found,) = estimate_run(Run(few.path, few.content))
    assert sum(group.num_wordings for group in found.groups) == 7
    for path in (tmp_path / "cells").rglob("*.parquet"):
        path.unlink()
    with pytest.raises((RunError, NotEnoughDataError), match="no cell"):
        estimate_run(Run(few.path, few.content))


def test_covariates_are_taken_from_the_texts(tmp_path: Path) -> None:
    (found,) = estimate_run(run_of_tasks(tmp_path, 0.4), covariates=True)
    assert all(np.isfinite(wording.accuracy.estimate) for group in found.groups for wording in group.wordings)


def test_features_tell_wordings_apart_and_equal_ones_do_not_differ() -> None:
    texts = ["What is {{ x }}?", "{{ x }}\n\nAnswer:", "Please tell me what {{ x }} is", "Name {{ x }}, briefly."] * 2
    found = wording_features(texts)
    np.testing.assert_allclose(found[:4], found[4:], atol=1e-9)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(found.std(axis=0) * np.sqrt(found.shape[1]), 1)
    assert len(np.unique(found[:4].round(9), axis=0)) == 4
    assert wording_features(["same"] * 5).shape == (5, 0)
    assert wording_features(["", ""]).shape == (2, 0)
    assert np.isfinite(wording_features(["{{ x }}", "{{ y }}", "%", "!", "?"])).all()
