"""Choices among the wordings of stored runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from phraseproof.analysis.selection.candidates import Block, Candidates
from phraseproof.analysis.selection.choice import choose_among
from phraseproof.analysis.selection.criteria import Criterion, Objective
from phraseproof.analysis.selection.stored import Over, choose_stored, load_scored_tasks
from phraseproof.errors import NotEnoughDataError, UsageError
from phraseproof.store.queries import load_run
from support.choice_runs import write_choice_run
from support.option_arrays import option_values
from support.option_grids import store_values
from support.text_runs import write_text_run


def _scores(seed: int, shares: tuple[float, ...], examples: int = 60) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return (draw.random((len(shares), examples)) < np.array(shares)[:, None]).astype(float)


def test_one_task_is_the_choice_among_its_scores_with_the_shortest_wording_first(tmp_path: Path) -> None:
    scores = _scores(0, (0.5, 0.8, 0.6))
    run = load_run(write_choice_run(tmp_path / "r", {"t": scores}, tokens=(30, 20, 10)))
    (choice,) = choose_stored([run])
    assert choice.wordings == ("ours/2", "ours/1", "ours/0")
    assert choice.costs is not None
    assert choice.costs.tolist() == [10, 20, 30]
    expected = choose_among(Candidates(("", "", ""), (Block("", 0, scores[[2, 1, 0]], 1.0),)))
    assert choice.found.values == pytest.approx(scores.mean(axis=1)[[2, 1, 0]])
    assert choice.found.corrected == pytest.approx(expected.corrected)
    assert choice.found.at_least == pytest.approx(expected.at_least)
    assert choice.wordings[choice.found.best] == "ours/1"


def test_equal_wordings_leave_the_shortest_one(tmp_path: Path) -> None:
    scores = np.tile(_scores(1, (0.7,)), (4, 1))
    run = load_run(write_choice_run(tmp_path / "r", {"t": scores}, tokens=(30, 20, 10, 40)))
    (choice,) = choose_stored([run])
    assert choice.found.maybe_best.all()
    assert choice.found.p_equal == 1
    assert choice.cheapest is not None
    assert choice.wordings[choice.found.best] == choice.wordings[choice.cheapest] == "ours/2"


def test_the_worst_class_decides_within_one_task(tmp_path: Path) -> None:
    targets = np.repeat([0, 1], [60, 20])
    # The first wording says yes always, the second is right in two of three.
    scores = np.stack([(targets == 0).astype(float), (np.arange(80) % 3 > 0).astype(float)])
    run = load_run(write_choice_run(tmp_path / "r", {"t": scores}, targets={"t": targets}))
    (by_mean,) = choose_stored([run])
    assert by_mean.wordings[by_mean.found.best] == "ours/0"
    (by_worst,) = choose_stored([run], Objective(Criterion.WORST))
    assert by_worst.blocks == ("yes", "no")
    assert by_worst.wordings[by_worst.found.best] == "ours/1"
    recalls = [scores[:, targets == right].mean(axis=1) for right in (0, 1)]
    assert by_worst.found.values == pytest.approx(np.min(recalls, axis=0))


def test_several_tasks_give_one_wording_for_all_and_one_per_task(tmp_path: Path) -> None:
    first, second = _scores(2, (0.9, 0.6, 0.5)), _scores(3, (0.2, 0.6, 0.5), 40)
    run = load_run(write_choice_run(tmp_path / "r", {"a": first, "b": second}))
    together, alone, other = choose_stored([run])
    assert [choice.tasks for choice in (together, alone, other)] == [("a", "b"), ("a",), ("b",)]
    assert together.found.values == pytest.approx((first.mean(axis=1) + second.mean(axis=1)) / 2)
    assert together.found.examples == 100
    worst, *rest = choose_stored([run], Objective(Criterion.WORST), over=[Over.TASKS])
    assert not rest
    assert worst.found.values == pytest.approx(np.minimum(first.mean(axis=1), second.mean(axis=1)))
    assert worst.wordings[worst.found.best] == "ours/1"
    (only,) = choose_stored([run], tasks=["b"])
    assert only.tasks == ("b",)


def test_several_models_are_averaged_or_compared(tmp_path: Path) -> None:
    first, second = _scores(4, (0.9, 0.6)), _scores(5, (0.3, 0.6))
    runs = [
        load_run(write_choice_run(tmp_path / name, {"t": scores}, model=name))
        for name, scores in (("one", first), ("two", second))
    ]
    (mean,) = choose_stored(runs)
    assert mean.found.values == pytest.approx((first.mean(axis=1) + second.mean(axis=1)) / 2)
    assert mean.found.examples == 60
    (worst,) = choose_stored(runs, Objective(Criterion.WORST), over=[Over.MODELS])
    assert worst.blocks == ("one", "two")
    assert worst.worst_block == "two"
    assert worst.found.values == pytest.approx(np.minimum(first.mean(axis=1), second.mean(axis=1)))
    (both,) = choose_stored(runs, Objective(Criterion.WORST))
    assert both.blocks == ("yes, one", "yes, two", "no, one", "no, two")


def test_classes_are_the_texts_of_right_answers(tmp_path: Path) -> None:
    targets = np.array([0, 1, 1] * 10)
    run = load_run(write_choice_run(tmp_path / "r", {"t": _scores(6, (0.5, 0.5), 30)}, targets={"t": targets}))
    (task,) = load_scored_tasks([run])
    assert task.classes == tuple("yes" if target == 0 else "no" for target in targets)


def test_what_cannot_be_chosen_is_refused(tmp_path: Path) -> None:
    one = load_run(write_choice_run(tmp_path / "one", {"t": _scores(7, (0.5,))}))
    with pytest.raises(NotEnoughDataError, match="two wordings"):
        choose_stored([one])
    two = load_run(write_choice_run(tmp_path / "two", {"t": _scores(8, (0.5, 0.6))}))
    with pytest.raises(UsageError, match="no task 'u'"):
        choose_stored([two], tasks=["u"])
    with pytest.raises(NotEnoughDataError, match="only one"):
        choose_stored([two], Objective(Criterion.WORST), over=[Over.MODELS])
    few = load_run(write_choice_run(tmp_path / "few", {"t": _scores(9, (0.5, 0.6), 6)}))
    with pytest.raises(NotEnoughDataError, match="too few examples"):
        choose_stored([few])


def test_a_corpus_metric_has_no_scores_of_examples_to_choose_by(tmp_path: Path) -> None:
    run = write_text_run(tmp_path / "run", "bleu", tasks=("news",), wordings=2, examples=4)
    with pytest.raises(NotEnoughDataError, match=r"bleu is computed from all examples together\. .*--metric"):
        load_scored_tasks([run])


def test_control_wordings_are_no_candidates(tmp_path: Path) -> None:
    of = option_values(np.random.default_rng(0).normal(size=(5, 40, 3)))
    of = replace(of, groups=("g",) * 4 + ("negated",))
    run = load_run(store_values(tmp_path / "run", of))
    run.content["groups"] = ["g", "negated"]
    (choice,) = choose_stored([run])
    assert set(choice.wordings) == {"c/w0", "c/w1", "c/w2", "c/w3"}
    assert "Left out: the control wordings in negated, which are meant to fail." in choice.notes
