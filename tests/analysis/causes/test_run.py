"""The causes of a run's tasks, and the reasons why a run has none."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from phraseproof.analysis.causes import run as causes
from phraseproof.analysis.causes.run import distinct_rows, run_causes
from phraseproof.analysis.option_values import load_option_values
from phraseproof.core import Example, Instruction, Kind, Prompt, Relation, Task
from phraseproof.evaluation.prepare import prepare
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.models.scripted import ScriptedModel
from phraseproof.store.queries import Run, load_run
from support.ensemble_runs import skilled, write_ensemble_run

DEFAULT = EvaluationSpec()


def by_hash(prompt: Prompt, option: str) -> float:
    return -5 * zlib.crc32(f"{prompt.text}|{option}".encode()) / 2**32


def run(
    out: Path,
    *,
    wordings: int = 4,
    examples: int = 20,
    spec: EvaluationSpec = DEFAULT,
    relation: Relation | None = None,
    listed: bool = False,
) -> Run:
    of_task = tuple(
        Example(f"e{n}", {"question": f"number {n}?"}, ("yes", "no"), (float(n % 2), float(n % 2 == 0)))
        for n in range(examples)
    )
    end = "{{ question }} {{ choices | join(' or ') }}" if listed else "{{ question }}"
    found = [
        Instruction(id=f"w{n}", collection="c", template=f"Say {n}: {end}", answer="{{ choice }}")
        for n in range(wordings)
    ]
    control = [Instruction(id="w", collection="d", template=f"No: {end}", answer="{{ choice }}", relation=relation)]
    groups = {"first": {"t": found}, "second": {"t": [*found[:2], *control]}}
    if relation is not None:
        groups["second"] = {"t": control}
    task = Task("t", Kind.BINARY, "C", of_task)
    return prepare(ScriptedModel(by_hash), [task], groups, spec).run(out, self_test=False)


def test_a_wording_of_two_groups_counts_once(tmp_path: Path) -> None:
    (task,) = run_causes(run(tmp_path)).tasks
    assert task.wordings == ("c/w0", "c/w1", "c/w2", "c/w3", "d/w")
    assert task.groups == ("first",) * 4 + ("second",)
    assert task.examples == 20


def test_control_wordings_are_left_out(tmp_path: Path) -> None:
    (task,) = run_causes(run(tmp_path, relation=Relation.NEGATED)).tasks
    assert task.wordings == ("c/w0", "c/w1", "c/w2", "c/w3")


def test_numbers_of_demonstrations_are_apart_and_draws_are_one_wording(tmp_path: Path) -> None:
    found = run_causes(run(tmp_path, spec=EvaluationSpec(num_fewshot=(0, 1), fewshot_seeds=(0, 1))))
    assert [task.num_fewshot for task in found.tasks] == [0, 1]
    (one,) = found.at_shots(1).tasks
    assert len(one.wordings) == 5
    assert "draws" in one.shares
    assert not found.at_shots(2).tasks


def test_orders_of_options_are_draws_of_one_wording(tmp_path: Path) -> None:
    found = run(tmp_path, listed=True, spec=EvaluationSpec(option_orders=2))
    (of,) = load_option_values(found)
    rows = list(distinct_rows(of, set()))
    assert len(rows) == 2 * len(set(of.wordings))
    (task,) = run_causes(found).tasks
    assert task.has_orders
    assert "draws" in task.shares
    # Every wording's accuracy is its mean over the orders.
    means = found.query_rows("SELECT instruction, avg(score) AS mean FROM outcomes GROUP BY ALL")
    by_name = {row["instruction"]: row["mean"] for row in means}
    assert task.accuracy.tolist() == pytest.approx([by_name[name] for name in task.wordings])


def test_what_has_no_causes_says_why(tmp_path: Path) -> None:
    few = run_causes(run(tmp_path / "few", examples=5))
    (note,) = few.notes
    assert note.startswith("Causes of the spread on t: not estimated, it needs 10 examples or more")
    budget = run_causes(run(tmp_path / "budget", examples=60, spec=EvaluationSpec(budget=0.5)))
    assert budget.notes == (
        "Causes of the spread: not estimated, the run has a budget: its wordings met different examples.",
    )


def test_texts_and_imported_results_have_a_reason(tmp_path: Path) -> None:
    found = run(tmp_path)
    for cell in found.content["cells"]:
        cell["scoring"] = "generate"
    assert "stores no log-probabilities" in run_causes(Run(found.path, found.content)).reason


@pytest.mark.parametrize("field", ["task", "category"])
def test_a_task_keeps_its_names(tmp_path: Path, field: str) -> None:
    (task,) = run_causes(run(tmp_path)).tasks
    assert getattr(task, field) == {"task": "t", "category": "C"}[field]


def test_a_large_task_is_sampled_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_ensemble_run(tmp_path, {"t": skilled(0, 6, 60)})
    assert run_causes(load_run(path)).notes == ()
    monkeypatch.setattr(causes, "MOST_VALUES", 6 * 3 * 30)
    found = run_causes(load_run(path))
    assert [task.examples for task in found.tasks] == [30]
    line = "Causes of the spread on t: from 30 of its 60 examples, drawn at random, because it has 6 wordings."
    assert found.notes == found.at_shots(0).notes == (line,)
    assert found.at_shots(1).notes == ()
