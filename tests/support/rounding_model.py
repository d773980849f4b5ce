"""A model that rounds its scores as half precision would, and evaluations with it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from phraseproof.core import Example, Instruction, Kind, ModelIdentity, OptionScores, Prompt, ScoresOptions, Task
from phraseproof.errors import ModelError
from phraseproof.evaluation.prepare import prepare
from phraseproof.evaluation.run import Evaluation
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.models.scripted import ScriptedModel
from phraseproof.store.queries import Run

INF = math.inf


class Rounding(ScriptedModel):
    """Draws scores by a hash, and rounds log-probabilities to so many decimals, as half precision would.

    Args:
        broken: why the model cannot be loaded in float32.
    """

    def __init__(self, decimals: int | None = 1, *, broken: str | None = None) -> None:
        super().__init__()
        self.decimals, self.broken = decimals, broken
        self.exact_calls: list[int] = []

    @property
    def identity(self) -> ModelIdentity:
        return replace(super().identity, dtype="float32" if self.decimals is None else "bfloat16")

    def in_float32(self) -> ScoresOptions | None:
        if self.decimals is None:
            return None
        exact = Rounding(None, broken=self.broken)
        exact.exact_calls = self.exact_calls
        return exact

    def score_options(
        self, prompts: Sequence[Prompt], *, method: str = "loglikelihood", on_done: Callable[[int], None] | None = None
    ) -> list[OptionScores]:
        scores = super().score_options(prompts, method=method, on_done=on_done)
        if (decimals := self.decimals) is None:
            if self.broken:
                raise ModelError(self.broken)
            self.exact_calls.append(len(prompts))
            return scores
        return [score._replace(logprobs=tuple(round(value, decimals) for value in score.logprobs)) for score in scores]


def evaluation(
    model: Any, *, examples: int = 150, wordings: int = 4, answer: str = "{{ choice }}", **settings: Any
) -> Evaluation:
    """Four options a question, so that rounding to a decimal makes many ties."""
    words = [f"w{number}" for number in range(examples)]
    credit = (1.0, 0.0, 0.0, 0.0)
    task = Task(
        "words",
        Kind.MULTIPLE_CHOICE,
        "words",
        tuple(Example(word, {"question": word}, ("a", "bb", "ccc", "dddd"), credit) for word in words),
    )
    asks = [
        Instruction(id=f"n{n}", collection="mine", template=f"{n}: {{{{ question }}}}?", answer=answer)
        for n in range(wordings)
    ]
    return prepare(model, [task], {"mine": {task.name: asks}}, EvaluationSpec(**settings))


def choices(run: Run) -> dict[tuple[str, str], int]:
    return {(row["instruction"], row["example_id"]): row["predicted"] for row in run.outcomes().to_pylist()}


def margins(run: Run) -> list[float]:
    ordered = [sorted(row["option_logprobs"], reverse=True) for row in run.outcomes().to_pylist()]
    return [values[0] - values[1] for values in ordered]
