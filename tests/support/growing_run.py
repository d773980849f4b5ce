"""A task of twelve examples, four wordings, and models that remember what they scored: for runs that grow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from phraseproof.core import Example, Instruction, Kind, OptionScores, Prompt, Task
from phraseproof.evaluation.observer import Observer, SilentObserver
from phraseproof.evaluation.prepare import prepare
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.models.scripted import ScriptedModel
from phraseproof.store.queries import Run

EXAMPLES = 12
WORDINGS = tuple(
    Instruction(id=f"w{n}", collection="mine", template=f"{'please ' * n}{{{{ question }}}}", answer="{{ choice }}")
    for n in range(4)
)


def make_task(edited: str = "") -> Task:
    examples = tuple(
        Example(f"e{n}", {"question": f"question {n}{edited}"}, ("yes", "not at all"), (float(n % 2), 1.0 - n % 2))
        for n in range(EXAMPLES)
    )
    return Task("t", Kind.BINARY, "c", examples, data=f"the data{edited}")


class Model(ScriptedModel):
    """The scripted model; remembers what it scored, and stops after a number of prompts."""

    def __init__(self, stops_after: int | None = None) -> None:
        super().__init__()
        self.asked: list[str] = []
        self._stops_after = stops_after

    def score_options(
        self, prompts: Sequence[Prompt], *, method: str = "loglikelihood", on_done: Callable[[int], None] | None = None
    ) -> list[OptionScores]:
        if self._stops_after is not None and len(self.asked) >= self._stops_after:
            raise KeyboardInterrupt
        self.asked += [prompt.text for prompt in prompts]
        return super().score_options(prompts, method=method, on_done=on_done)


class Unreachable(ScriptedModel):
    """A model that must not be called."""

    def score_options(
        self, prompts: Sequence[Prompt], *, method: str = "loglikelihood", on_done: Callable[[int], None] | None = None
    ) -> list[OptionScores]:
        raise AssertionError("the model was called")


class Listener(SilentObserver):
    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.notes: list[str] = []
        self.done = 0

    def started(self, *, total: int, done: int) -> None:
        self.total, self.done = total, done

    def advanced(self, prompts: int) -> None:
        self.done += prompts

    def warned(self, message: str) -> None:
        self.warnings.append(message)

    def noted(self, message: str) -> None:
        self.notes.append(message)


def evaluate(
    out: Path,
    model: ScriptedModel,
    wordings: int = 2,
    *,
    task: Task | None = None,
    observer: Observer | None = None,
    **changes: Any,
) -> Run:
    task = task or make_task()
    groups = {"mine": {task.name: list(WORDINGS[:wordings])}}
    evaluation = prepare(model, [task], groups, EvaluationSpec(**changes))
    return evaluation.run(out, self_test=False, observer=observer)


def rows_of(run: Run) -> list[dict[str, Any]]:
    return sorted(
        run.outcomes().to_pylist(), key=lambda row: (row["instruction"], row["num_fewshot"], row["example_id"])
    )
