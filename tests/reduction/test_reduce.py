"""`reduce` on stored runs, through Python and the command line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import phraseproof
from phraseproof.analysis.option_values import OptionValues, scores
from phraseproof.errors import NotEnoughDataError, UsageError
from phraseproof.reduction.reduce import reduce
from phraseproof.reduction.results import reduction_text
from phraseproof.reports.build.run_tables import Screen
from support.option_grids import simulated, store_values


def hidden_skill(seed: int = 1, task: str = "t", wordings: int = 10) -> OptionValues:
    of = simulated(np.random.default_rng(seed), wordings=wordings, examples=120, options=3, skill=2.0, prior=1.5)
    return replace(of, task=task)


def test_a_run_is_judged_as_its_values_are(tmp_path: Path) -> None:
    of = hidden_skill()
    found = reduce(store_values(tmp_path / "run", of))
    (task,) = found.tasks
    assert task.ways[0].accuracy == pytest.approx(scores(of.values, of).mean())
    ((_, recommended),) = found.recommendations
    assert recommended.way is not None
    assert "calibrated" in recommended.way
    assert found.overall is None


def test_several_tasks_have_a_mean(tmp_path: Path) -> None:
    found = reduce(store_values(tmp_path / "run", hidden_skill(1, "a"), hidden_skill(2, "b")))
    assert found.overall is not None
    means = [task.ways[0].accuracy for task in found.tasks]
    assert found.overall.ways[0].accuracy == pytest.approx(sum(means) / 2)


def test_texts_allow_ways_of_texts_only(tmp_path: Path) -> None:
    texts = store_values(tmp_path / "texts", hidden_skill(), scoring="generate")
    numbers = store_values(tmp_path / "numbers", hidden_skill())
    (of_texts,), (of_numbers,) = reduce(texts).tasks, reduce(numbers, access="text").tasks
    assert [way.way.name for way in of_texts.ways] == [way.way.name for way in of_numbers.ways]
    # The same choices, so the same numbers, whether log-probabilities were stored or not.
    assert [way.gain for way in of_texts.ways] == [way.gain for way in of_numbers.ways]
    with pytest.raises(UsageError, match="stores no log-probabilities"):
        reduce(texts, access="logprobs")


def test_tasks_with_too_little_data_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotEnoughDataError, match="at least 4 wordings and 20 examples"):
        reduce(store_values(tmp_path / "run", hidden_skill(wordings=3)))


def test_python_has_it_too(tmp_path: Path) -> None:
    assert phraseproof.reduce(store_values(tmp_path / "run", hidden_skill())).tasks[0].examples == 120


def test_the_recommended_way_is_scored_on_examples_that_were_set_aside(tmp_path: Path) -> None:
    found = reduce(store_values(tmp_path / "run", hidden_skill()), aside=0.3)
    (task,) = found.tasks
    (confirmed,) = found.confirmed.values()
    assert (task.examples, confirmed.examples) == (84, 36)
    assert confirmed.way == found.recommendations[0][1].way
    assert confirmed.low <= confirmed.gain <= confirmed.high
    assert confirmed.gain > 0.1
    assert "On 36 examples that were set aside" in " ".join(reduction_text(found, Screen()).split())
    with pytest.raises(UsageError, match="not a share"):
        reduce(found.run, aside=1.0)
