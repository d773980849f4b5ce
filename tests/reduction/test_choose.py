"""`phraseproof.choose`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import phraseproof
from phraseproof.analysis.selection.criteria import Criterion
from phraseproof.analysis.selection.stored import Over
from phraseproof.errors import UsageError
from phraseproof.instructions.collections import Collection
from phraseproof.models.scripted import ScriptedModel
from phraseproof.reduction.choose import read_criterion, read_over
from support.budget_runs import skilled, task, wordings
from support.choice_runs import write_choice_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    draw = np.random.default_rng(0)
    scores = (draw.random((4, 60)) < np.array([0.9, 0.3, 0.5, 0.4])[:, None]).astype(float)
    return write_choice_run(tmp_path_factory.mktemp("runs") / "r", {"t": scores})


def test_a_path_and_an_opened_run_give_the_same_table(run: Path) -> None:
    table = phraseproof.choose(str(run))
    assert table.rows == phraseproof.choose([phraseproof.load_run(run)], tasks="t").rows
    assert table.select(statistic="corrected")[0].wording == "ours/0"
    assert "chosen by mean accuracy" in table.notes[0]
    worst = phraseproof.choose(run, criterion="worst", over="classes")
    assert "in the worst of 2 blocks" in worst.notes[0]


def test_a_live_choice_from_python(tmp_path: Path) -> None:
    collection = Collection("mine", tuple(wordings("mine", 4)))
    given = (ScriptedModel(skilled), task(size=90), {"mine": collection})
    table = phraseproof.choose_live(*given, out=tmp_path / "r", budget_calls=120, strategy="racing", self_test=False)
    (value,) = table.select(statistic="corrected")
    assert value.n == 30
    assert "examples that the search did not see" in table.notes[0]
    with pytest.raises(UsageError, match="halving, racing, uniform"):
        phraseproof.choose_live(*given, out=tmp_path / "r", budget_calls=120, strategy="best")


def test_names_are_read_and_unknown_ones_refused() -> None:
    assert read_criterion("lower-bound") is Criterion.LOWER_BOUND
    assert read_over("tasks, models") == read_over(["tasks", "models"]) == {Over.TASKS, Over.MODELS}
    with pytest.raises(UsageError, match="mean, worst, cvar, lower-bound"):
        read_criterion("best")
    with pytest.raises(UsageError, match="--over"):
        read_over("wordings")
