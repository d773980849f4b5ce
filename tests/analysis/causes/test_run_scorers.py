"""Scorers of a run: which wordings and examples are compared, and why others are not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from phraseproof.analysis.causes.run_scorers import NOT_COMPARED, run_scorers
from phraseproof.core import Example, Instruction, Kind, Prompt, Relation, Task
from phraseproof.evaluation.prepare import prepare
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.models.scripted import ScriptedModel
from phraseproof.store.queries import load_run
from support.scorer_grids import known_scorers, one_task, scorers_run


def scores(wordings: int = 6, examples: int = 30, seed: int = 0) -> np.ndarray:
    known = known_scorers(np.random.default_rng(seed), common=0.1, alone=(0.1, 0.1), wordings=wordings,
                          examples=examples)  # fmt: skip
    return known.scores


def test_scores_are_those_of_the_run_and_answers_in_text_will_do(tmp_path: Path) -> None:
    first, second = scores()
    (task,) = run_scorers(scorers_run(tmp_path / "run", {"t": {"generate": first, "loglikelihood": second}})).tasks
    assert task.scorers == ("generate", "loglikelihood")
    assert (len(task.wordings), task.examples) == (6, 30)
    assert task.stds == pytest.approx([np.std(each.mean(axis=1), ddof=1) for each in (first, second)])


def test_a_comparison_does_not_depend_on_the_scorer_that_is_selected(tmp_path: Path) -> None:
    run = one_task(tmp_path / "run")
    (first,), (second,) = run_scorers(run).tasks, run_scorers(run.select("loglikelihood")).tasks
    assert (first.common, first.alone, first.stds) == (second.common, second.alone, second.stds)


def test_wordings_and_examples_that_a_scorer_lacks_are_left_out_with_a_note(tmp_path: Path) -> None:
    first, second = scores()
    found = run_scorers(scorers_run(tmp_path / "run", {"t": {"a": first, "b": second[:4, :25]}}))
    (task,) = found.tasks
    assert (task.wordings, task.examples) == (("c/w0", "c/w1", "c/w2", "c/w3"), 25)
    assert task.stds[0] == pytest.approx(np.std(first[:4, :25].mean(axis=1), ddof=1))
    assert found.at_shots(0).notes == (
        "t: 2 of 6 wordings were not scored under every scoring, and are left out where scorings are compared.",
        "t: 5 of 30 examples were not scored under every scoring, and are left out where scorings are compared.",
    )
    assert found.at_shots(1).notes == ()


def test_what_is_not_compared_says_why(tmp_path: Path) -> None:
    first, second = scores()
    run = scorers_run(tmp_path / "run", {"few": {"a": first[:2], "b": second[:2]}, "one": {"a": first}})
    assert run_scorers(run).notes == (
        "Scorings on few: not compared, it needs 3 wordings or more that every scoring has, and there are 2.",
        "Scorings on one: not compared, it has no outcomes of the scoring b.",
    )
    assert run_scorers(scorers_run(tmp_path / "alone", {"t": {"a": first}})) == NOT_COMPARED
    cells = [replace(cell, grid_examples=60) for cell in run.all_cells]
    for cell, entry in zip(cells, run.content["cells"], strict=True):
        entry["grid_examples"] = cell.grid_examples
    budget = run_scorers(replace(run))
    assert budget.tasks == ()
    assert budget.reason.startswith("scoring a: ")


def by_length(prompt: Prompt, option: str) -> float:
    return -float(len(option)) - (sum(map(ord, prompt.text)) % 7) * (option == "yes")


def test_control_wordings_are_left_out_and_a_wording_of_two_groups_counts_once(tmp_path: Path) -> None:
    examples = tuple(Example(f"e{n}", {"question": f"number {n}?"}, ("yes", "no"), (1.0, 0.0)) for n in range(12))
    found = [
        Instruction(id=f"w{n}", collection="c", template=f"Say {n}: {{{{ question }}}}", answer="{{ choice }}")
        for n in range(3)
    ]
    control = replace(found[0], id="w", collection="d", template="No: {{ question }}", relation=Relation.NEGATED)
    task = Task("t", Kind.BINARY, "C", examples)
    groups = {"first": {"t": found}, "again": {"t": found[:2]}, "negated": {"t": [control]}}
    for scoring in ("loglikelihood", "loglikelihood_norm"):
        spec = EvaluationSpec(scoring=scoring)
        prepare(ScriptedModel(by_length), [task], groups, spec).run(tmp_path / "run", self_test=False)
    (task_found,) = run_scorers(load_run(tmp_path / "run")).tasks
    assert task_found.wordings == ("c/w0", "c/w1", "c/w2")
    assert task_found.scorers == ("loglikelihood", "loglikelihood_norm")
