"""Runs of a scripted model whose answers depend on question and wording, for estimates of a share of a grid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from phraseproof.core import Example, Instruction, Kind, Prompt, Task
from phraseproof.evaluation.prepare import prepare
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.models.scripted import ScriptedModel
from phraseproof.store.queries import Run


def skilled(prompt: Prompt, option: str) -> float:
    """Right on easy questions; on hard ones only where the wording says please often enough."""
    number = int(prompt.text.rsplit(" ", 1)[1].strip("?"))
    right = number % 10 < 4 + prompt.text.count("please")
    return float((option == "yes") == right)


def task(name: str = "sums", category: str = "C", size: int = 60) -> Task:
    """A task with two options, the first of them right."""
    return Task(
        name,
        Kind.BINARY,
        category,
        tuple(Example(f"{name}{n}", {"question": f"number {n}?"}, ("yes", "no"), (1.0, 0.0)) for n in range(size)),
    )


def wordings(collection: str, count: int) -> list[Instruction]:
    """Wordings that say please 0, 1, 2 ... times."""
    return [
        Instruction(
            id=f"w{n}",
            collection=collection,
            template=f"{'please ' * n}{collection} {{{{ question }}}}",
            answer="{{ choice }}",
        )
        for n in range(count)
    ]


def run_of_tasks(
    out: Path, budget: float | None, *tasks: Task, counts: tuple[int, int] = (5, 3), **changes: Any
) -> Run:
    """A run of the scripted model on tasks with 5 observed and 3 unobserved wordings."""
    given = tasks or (task(),)
    groups: dict[str, dict[str, list[Instruction]]] = {
        "observed": {each.name: wordings("seen", counts[0]) for each in given},
        "unobserved": {each.name: wordings("new", counts[1]) for each in given},
    }
    settings = EvaluationSpec(budget=budget, **changes)
    return prepare(ScriptedModel(skilled), given, groups, settings).run(out, self_test=False)
