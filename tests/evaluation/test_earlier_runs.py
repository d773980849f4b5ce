"""What another run folder of the same model holds is not computed again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from phraseproof.core import Task
from phraseproof.evaluation.earlier_runs import EarlierRun
from phraseproof.evaluation.prepare import prepare
from phraseproof.evaluation.run import Evaluation
from phraseproof.evaluation.spec import EvaluationSpec
from support.growing_run import WORDINGS, Listener, Model, evaluate, make_task, rows_of

TASK = make_task()
LAST = replace(TASK, examples=TASK.examples[6:])


def _evaluation(model: Model, task: Task, **changes: object) -> Evaluation:
    spec = EvaluationSpec().with_changes(**changes)
    return prepare(model, [task], {"mine": {task.name: list(WORDINGS[:3])}}, spec)


def test_examples_of_other_sets_are_taken_over(tmp_path: Path) -> None:
    # Two wordings on a sample of four of the last six examples, then three wordings on all twelve.
    few = evaluate(tmp_path / "few", Model(), task=LAST, limit=4)
    earlier = [EarlierRun(few.path, (LAST,)), EarlierRun(tmp_path / "none", ())]
    listener = Listener()
    found = _evaluation(model := Model(), TASK).run(
        tmp_path / "all", self_test=False, earlier=earlier, observer=listener
    )
    assert len(model.asked) == len(set(model.asked)) == 3 * 12 - 2 * 4
    assert listener.done == listener.total == 3 * 12
    assert listener.warnings == []
    scratch = _evaluation(Model(), TASK).run(tmp_path / "scratch", self_test=False)
    assert rows_of(found) == rows_of(scratch)
    assert not list(found.path.rglob("*.jsonl"))
    # And from a larger set to a smaller one, under another group.
    again = _evaluation(model := Model(), LAST).run(
        tmp_path / "last", self_test=False, earlier=[EarlierRun(found.path, (TASK,))]
    )
    assert model.asked == []
    assert {row["example_id"] for row in rows_of(again)} == {example.id for example in LAST.examples}


@pytest.mark.parametrize("changes", [{"prompt_format": "alpaca"}, {"num_fewshot": (1,)}])
def test_other_prompts_are_not(tmp_path: Path, changes: dict[str, object]) -> None:
    # Demonstrations come from the task's other examples, which two sets do not share.
    same = changes if "num_fewshot" in changes else {}
    run = _evaluation(Model(), TASK, **same).run(tmp_path / "a", self_test=False)
    earlier = [EarlierRun(run.path, (TASK,))]
    _evaluation(model := Model(), LAST, **changes).run(tmp_path / "b", self_test=False, earlier=earlier)
    assert len(model.asked) == 3 * 6


def test_edited_examples_are_not(tmp_path: Path) -> None:
    run = evaluate(tmp_path / "a", Model(), 3)
    changed = make_task("!")
    mixed = replace(TASK, examples=(*TASK.examples[:2], *changed.examples[2:]))
    _evaluation(model := Model(), mixed).run(tmp_path / "b", self_test=False, earlier=[EarlierRun(run.path, (TASK,))])
    assert len(model.asked) == 3 * 10
