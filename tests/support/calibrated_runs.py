"""A run whose model prefers some options whatever the question, for tests of calibration."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

from phraseproof.core import Example, Instruction, Kind, Prompt, Task
from phraseproof.evaluation.prepare import prepare
from phraseproof.evaluation.run import Evaluation
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.models.scripted import ScriptedModel
from phraseproof.store.queries import Run

LABELS = ("billing", "bug", "praise")
DEFAULT = EvaluationSpec()


def noise(*parts: object) -> float:
    """A number between 0 and 1 that depends on the parts."""
    return zlib.crc32("|".join(map(str, parts)).encode()) / 2**32


def prefers(strength: float = 4.0, skill: float = 1.5) -> Callable[[Prompt, str], float]:
    """A model that knows the label a question mentions, and prefers some labels more under each wording."""

    def score(prompt: Prompt, option: str) -> float:
        wording = prompt.text.split(":")[0]
        knows = skill if f"about {option}" in prompt.text else 0.0
        return -6 + knows + strength * (noise(wording, option) - 0.5) + 0.5 * noise(prompt.text, option)

    return score


def labelled_task(count: int = 30, *, labels: Sequence[int] | None = None, name: str = "t") -> Task:
    """Examples that choose among three labels; in turn by default."""
    right = [n % 3 for n in range(count)] if labels is None else list(labels)
    examples = tuple(
        Example(
            f"e{n}",
            {"question": f"number {n} about {LABELS[label]}?"},
            LABELS,
            tuple(float(place == label) for place in range(3)),
        )
        for n, label in enumerate(right)
    )
    return Task(name, Kind.MULTI_CLASS, "C", examples)


def evaluation(
    *tasks: Task, score: Callable[[Prompt, str], float] | None = None, spec: EvaluationSpec = DEFAULT, wordings: int = 5
) -> Evaluation:
    """An evaluation of a model with preferences, under wordings in two groups."""
    given = tasks or (labelled_task(),)
    members = [
        Instruction(id=f"w{n}", collection="c", template=f"Say {n}: {{{{ question }}}}", answer="{{ choice }}")
        for n in range(wordings)
    ]
    groups = {
        "first": {task.name: members[:2] for task in given},
        "others": {task.name: members[2:] for task in given},
    }
    return prepare(ScriptedModel(score or prefers()), list(given), groups, spec)


def run(
    out: Path,
    *tasks: Task,
    score: Callable[[Prompt, str], float] | None = None,
    spec: EvaluationSpec = DEFAULT,
    wordings: int = 5,
) -> Run:
    """The run of `evaluation`."""
    return evaluation(*tasks, score=score, spec=spec, wordings=wordings).run(out, self_test=False)
