"""Demonstrations are those that the harness itself shows, for every document, number and seed."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from phraseproof.cli import app
from phraseproof.core import ModelIdentity, Task
from phraseproof.errors import TaskError
from phraseproof.evaluation.observer import SilentObserver
from phraseproof.evaluation.plan import CellIdentities, sample_task
from phraseproof.evaluation.request import EvaluationRequest
from phraseproof.evaluation.resolve import resolve
from phraseproof.hardening.splits import divide_examples
from phraseproof.instructions.render import build_prompt, draw_demonstrations
from phraseproof.instructions.template import compile_instruction
from support.harness_folder import OPTIONS, TEXTS, loaded, write

pytestmark = pytest.mark.usefixtures("own_cache")


def contexts(folder: Path, shots: int, seed: int) -> list[str]:
    """The prompts of all documents by the harness alone."""
    from lm_eval.tasks import TaskManager

    task: Any = TaskManager(include_path=folder, include_defaults=False).load(["birds"])["tasks"]["birds"]
    task.set_fewshot_seed(seed)
    task.set_config("num_fewshot", shots)
    task.build_all_requests()
    return list(dict.fromkeys(instance.arguments[0] for instance in task.instances))


def prompts(task: Task, shots: int, seed: int) -> list[str]:
    wording = compile_instruction(task.instructions[0])
    found = [
        build_prompt(
            wording,
            example,
            demonstrations=draw_demonstrations(task, example, shots, seed),
            prompt_format="plain",
        )
        for example in task.examples
    ]
    return [each.text for prompt in found for each in prompt.alternatives or (prompt,)]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"fewshot_split": "test"},
        {"fewshot_split": "test", "fewshot_config": {"sampler": "first_n"}, "fewshot_delimiter": "\n"},
        {"fewshot_config": {"fewshot_delimiter": " ### "}, "description": "Birds.\n"},
        {"fewshot_split": "test", "description": "Animals, {{question}}:\n\n", "gen_prefix": "It is the"},
        {"fewshot_config": {"samples": [{"question": "Who?", "first": "a", "second": "b", "answer": 0}] * 3}},
    ],
)
@pytest.mark.parametrize("base", [OPTIONS, TEXTS], ids=["options", "texts"])
def test_prompts_equal_those_of_the_harness(base: dict[str, Any], changes: dict[str, Any], tmp_path: Path) -> None:
    if base is TEXTS and "samples" in changes.get("fewshot_config", {}):
        changes = {"fewshot_config": {"samples": [{"question": "Who?", "label": "a"}] * 3}}
    task = loaded(write(tmp_path, base=base, **changes))
    for shots, seed in ((0, 1234), (1, 1234), (2, 1234), (2, 7)):
        assert prompts(task, shots, seed) == contexts(tmp_path, shots, seed)


def test_prompts_with_options_in_them_equal_those_of_the_harness(tmp_path: Path) -> None:
    task = loaded(
        write(tmp_path, doc_to_text="answer", doc_to_target="question", target_delimiter="? ", gen_prefix="it is")
    )
    assert prompts(task, 0, 0) == contexts(tmp_path, 0, 0)
    with pytest.raises(TaskError, match="in another way than those of the tested documents"):
        prompts(task, 2, 1234)  # the harness puts a space between gen_prefix and the answer, and another delimiter here
    task = loaded(write(tmp_path, doc_to_text="answer", doc_to_target="question", target_delimiter="? "))
    assert prompts(task, 2, 1234) == contexts(tmp_path, 2, 1234)


def test_a_sample_shows_every_example_the_same_demonstrations(tmp_path: Path) -> None:
    task = loaded(write(tmp_path, fewshot_split="test"))
    whole = {each.id: draw_demonstrations(task, each, 2, 1234) for each in task.examples}
    some = sample_task(pickle.loads(pickle.dumps(task)), 2, 0)
    assert len(some.examples) == 2
    assert all(draw_demonstrations(some, each, 2, 1234) == whole[each.id] for each in some.examples)
    assert all(each.fields["question"] not in [d.fields["question"] for d in whole[each.id]] for each in task.examples)


def test_the_rule_is_part_of_the_identity_of_few_shot_cells(tmp_path: Path) -> None:
    def identity(task: Task, shots: int) -> str:
        identities = CellIdentities(ModelIdentity("m", "r", "a"), "plain")
        return identities.of(task, task.instructions[0], shots, 1, scoring="loglikelihood", metric="accuracy")

    task = loaded(write(tmp_path, fewshot_split="test"))
    first = loaded(write(tmp_path, fewshot_split="test", fewshot_config={"sampler": "first_n"}))
    assert identity(task, 0) == identity(first, 0)
    assert identity(task, 2) != identity(first, 2)
    assert identity(task, 2) != identity(replace(task, draws=None), 2)


def test_too_few_and_other_ways_of_writing_are_errors(tmp_path: Path) -> None:
    task = loaded(write(tmp_path, fewshot_split="test"))
    with pytest.raises(TaskError, match=r"too few examples for 4 demonstrations \(got 4\)"):
        draw_demonstrations(task, task.examples[0], 4, 1)
    other = loaded(write(tmp_path, fewshot_config={"target_delimiter": "="}))
    with pytest.raises(TaskError, match=r"in another way than those of the tested documents.* Use --num-fewshot 0"):
        draw_demonstrations(other, other.examples[0], 1, 1)


def test_another_pool_is_drawn_from_by_our_own_rule(tmp_path: Path) -> None:
    task = loaded(write(tmp_path, fewshot_split="test"))
    kept = replace(task, examples=task.examples[:3])
    assert {each.id for each in draw_demonstrations(kept, kept.examples[0], 2, 0)} == {"1", "2"}
    solved = [{"question": f"{number}?", "first": "a", "second": "b", "answer": 0} for number in range(4)]
    task = loaded(write(tmp_path, fewshot_config={"samples": solved}))
    same_size = replace(task, demonstrations=task.examples)
    assert all("/" not in each.id for each in draw_demonstrations(same_size, task.examples[0], 3, 0))
    with pytest.raises(TaskError, match="'demonstration/1' is none of those"):
        draw_demonstrations(task, task.demonstrations[1], 1, 0)


@pytest.mark.parametrize("split", [None, "test"])
def test_tested_documents_are_shown_but_are_no_demonstrations_to_train_on(split: str | None, tmp_path: Path) -> None:
    rows = "question,first,second,answer\n" + "".join(f"{number}?,a,b,{number % 2}\n" for number in range(40))
    tmp_path.joinpath("rows.csv").write_text(rows, encoding="utf-8")
    task = loaded(write(tmp_path, fewshot_split=split, description="Animals, {{question}}:\n\n"))
    assert task.demonstrations == ()
    assert prompts(task, 2, 1234) == contexts(tmp_path, 2, 1234)
    sides = divide_examples(task, 0.5, 0)
    train, test = ({each.fields["question"] for each in side.examples} for side in sides)
    assert len(train) == len(test) == 20
    assert not train & test
    assert all(
        shown.fields["question"] in train
        for example in sides.training.examples
        for shown in draw_demonstrations(sides.training, example, 3, 1234)
    )


def test_no_demonstrations_are_an_error_also_of_a_sample(tmp_path: Path) -> None:
    task = loaded(write(tmp_path, fewshot_config={"samples": []}))
    for each in (task, sample_task(task, 2, 0)):
        with pytest.raises(TaskError, match="the task has none"):
            draw_demonstrations(each, each.examples[0], 1, 0)


@pytest.mark.parametrize("split", [None, "test"])
def test_where_the_tested_document_may_be_shown_a_line_says_so(split: str | None, tmp_path: Path) -> None:
    task = loaded(write(tmp_path, fewshot_split=split))
    assert prompts(task, 3, 1234) == contexts(tmp_path, 3, 1234)
    shown = [[each.fields for each in draw_demonstrations(task, example, 3, 1234)] for example in task.examples]
    is_shown = any(example.fields["question"] in str(each) for example, each in zip(task.examples, shown, strict=True))
    assert is_shown == (split is None)
    settings = ["--tasks", task.name, "--data-dir", str(tmp_path), "--observed", "task_designer", "--num-fewshot", "1"]
    found = CliRunner().invoke(app, ["evaluate", "--model", "scripted", *settings, "--out", str(tmp_path / "run")])
    assert found.exit_code == 0
    lines = " ".join(found.output.split())
    assert ("the tested one may be among them, with its answer" in lines) == is_shown
    assert ("their own examples are shown, never the tested one" in lines) != is_shown


def test_of_a_part_of_the_tested_documents_the_tested_one_is_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = loaded(write(tmp_path, fewshot_split=None))
    kept = replace(task, examples=task.examples[:3])
    for example in kept.examples:
        assert example.id not in [each.id for each in draw_demonstrations(kept, example, 2, 1234)]
    said: list[str] = []
    observer = SilentObserver()
    monkeypatch.setattr(observer, "warned", said.append)
    request = EvaluationRequest.of("scripted", kept, {"designer": "task_designer"}, num_fewshot=1)
    resolve(request, observer=observer)
    assert "their own examples are shown, never the tested one" in " ".join(said)
    assert "the tested one may be among them" not in " ".join(said)
