"""Examples that flip: found where wordings disagree, with the surest answers of either kind."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.core import Cell, Outcome
from phraseproof.reports.html.flips import find_flips, shares
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from phraseproof.store.queries import Run, load_run
from phraseproof.store.writer import RunStore, Usage
from support.free_texts import SameText, make_evaluation, register
from support.other_metrics import ERRORS, LETTERS

RIGHT, SURE, WRONG = (-0.5, -1.0), (-0.1, -3.0), (-2.0, -0.2)


def stored(path: Path, answers: dict[str, dict[str, tuple[float, float]]], shots: int = 0) -> Run:
    """A run of one task in which option 0 is right: log-probabilities by wording and example."""
    store = RunStore(path, {"model": {"name": "m"}})
    for number, (wording, by_example) in enumerate(answers.items()):
        cell = Cell(f"{number:032x}", "it's/a task", "T", wording, "group", shots, 0, len(by_example))
        store.register([cell], {})
        rows = [
            Outcome(
                example,
                float(yes > no),
                ("yes", "no"),
                (yes, no),
                predicted=int(no > yes),
                target=0,
                prompt_tokens=1,
                computed_tokens=1,
            )
            for example, (yes, no) in by_example.items()
        ]
        store.write(cell, rows, Usage())
    return load_run(path)


def test_only_examples_that_wordings_disagree_on_are_flips(tmp_path: Path) -> None:
    run = stored(
        tmp_path / "run",
        {
            "c/one": {"always": RIGHT, "never": WRONG, "it's split": SURE},
            "c/two": {"always": RIGHT, "never": WRONG, "it's split": WRONG},
            "c/three": {"always": RIGHT, "never": WRONG, "it's split": RIGHT},
        },
    )
    (flip,) = find_flips(run, 0, ACCURACY)
    assert (flip.task, flip.example_id, flip.num_wordings) == ("it's/a task", "it's split", 3)
    assert flip.mean_score == pytest.approx(2 / 3)
    assert flip.target == 0
    assert (flip.right.instruction, flip.wrong.instruction) == ("c/one", "c/two"), "the surest of each"
    assert flip.right.probabilities == pytest.approx([1 / (1 + math.exp(-2.9)), 1 / (1 + math.exp(2.9))])
    assert (flip.right.predicted, flip.wrong.predicted) == (0, 1)
    assert find_flips(run, 5, ACCURACY) == []


def test_the_most_disputed_come_first_and_not_too_many(tmp_path: Path) -> None:
    examples = [f"e{n}" for n in range(6)]
    # Example n is answered wrong by n of 6 wordings.
    answers = {f"c/{w}": {e: WRONG if w < n else RIGHT for n, e in enumerate(examples)} for w in range(6)}
    flips = find_flips(stored(tmp_path / "run", answers), 0, ACCURACY, per_task=3)
    assert [flip.example_id for flip in flips] == ["e3", "e2", "e4"]
    assert len(find_flips(stored(tmp_path / "run2", answers), 0, ACCURACY, per_task=3, in_all=2)) == 2


def test_wordings_that_ought_to_be_answered_wrong_take_no_part(tmp_path: Path) -> None:
    run = stored(tmp_path / "run", {"c/one": {"e": RIGHT}, "c/two": {"e": WRONG}})
    assert len(find_flips(run, 0, ACCURACY, controls=["another"])) == 1
    assert find_flips(run, 0, ACCURACY, controls=["group"]) == []


def test_under_another_metric_the_largest_differences_come_first(tmp_path: Path) -> None:
    few, many = (-0.5, -1.0), (-2.0, -0.2)
    run = stored(tmp_path / "run", {"c/one": {"a": few, "b": few}, "c/two": {"a": many, "b": few}})
    (flip,) = find_flips(run, 0, LETTERS)
    assert (flip.example_id, flip.right.instruction, flip.wrong.instruction) == ("a", "c/one", "c/two")
    (flip,) = find_flips(run, 0, ERRORS)
    assert (flip.right.instruction, flip.wrong.instruction) == ("c/two", "c/one"), "the lower score is the better one"


@pytest.mark.parametrize("seed", range(3))
def test_flips_are_those_of_the_whole_grid(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    is_right = random.random((6, 9)) < random.random(9)  # [wordings, examples], as is_there
    is_there = random.random(is_right.shape) < 0.9
    run = stored(
        tmp_path / "run",
        {
            f"c/{w}": {f"e{e}": RIGHT if is_right[w, e] else WRONG for e in range(9) if is_there[w, e]}
            for w in range(6)
            if is_there[w].any()
        },
    )
    counts = is_there.sum(axis=0)
    means = [float(is_right[is_there[:, e], e].mean()) if counts[e] else 0.0 for e in range(9)]
    flips = sorted((abs(mean - 0.5), f"e{e}", counts[e], mean) for e, mean in enumerate(means) if 0 < mean < 1)
    found, wanted = find_flips(run, 0, ACCURACY, per_task=4), flips[:4]
    assert [(flip.example_id, flip.num_wordings) for flip in found] == [(name, count) for _, name, count, _ in wanted]
    assert [flip.mean_score for flip in found] == pytest.approx([mean for *_, mean in wanted])
    assert all((flip.right.score, flip.wrong.score) == (1, 0) for flip in found)


@given(st.lists(st.floats(-1e4, 0) | st.just(-math.inf), min_size=1, max_size=6))
def test_shares_are_probabilities(logprobs: list[float]) -> None:
    found = shares(logprobs)
    assert sum(found) == pytest.approx(1)
    assert all(0 <= share <= 1 for share in found)
    best = max(range(len(found)), key=lambda n: logprobs[n])
    assert found[best] == max(found)


def test_free_texts_are_no_flips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch)
    assert find_flips(make_evaluation().run(tmp_path, self_test=False), 0, SameText()) == []
