"""A task whose right options a model knows under a clear wording only: for evaluations with known results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from phraseproof.core import Example, Instruction, Kind, OptionScores, Prompt, Task
from phraseproof.evaluation.prepare import prepare
from phraseproof.evaluation.run import Evaluation
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.models.scripted import ScriptedModel

WORDS = ["apple", "bridge", "cloud", "dune", "ember", "fjord", "grove"]


def make_task(name: str = "letters", size: int = 7) -> Task:
    """Which letter does the word begin with? The right option is known to the test, not to the model."""
    examples = tuple(
        Example(word, {"question": word}, ("a-e", "f-z"), (1.0, 0.0) if word[0] <= "e" else (0.0, 1.0))
        for word in WORDS[:size]
    )
    return Task(name, Kind.BINARY, "reading", examples)


def wording(name: str, template: str, **changes: Any) -> Instruction:
    return replace(Instruction(id=name, collection="mine", template=template, answer="{{ choice }}"), **changes)


CLEAR = wording("clear", "Where does {{ question }} stand in a dictionary?")
VAGUE = wording("vague", "{{ question }}?")


class Knowing(ScriptedModel):
    """Right whenever the wording is clear; always the first option otherwise. Counts what it is asked."""

    def __init__(self) -> None:
        super().__init__(self.judge)
        self.asked: list[str] = []

    def judge(self, prompt: Prompt, option: str) -> float:
        words = prompt.text.replace("?", "").split()
        if "dictionary" not in words:
            return 1.0 if option == prompt.options[0] else 0.0
        word = next(word for word in words if word in WORDS)
        return 1.0 if option == ("a-e" if word[0] <= "e" else "f-z") else 0.0

    def score_options(
        self, prompts: Sequence[Prompt], *, method: str = "loglikelihood", on_done: Callable[[int], None] | None = None
    ) -> list[OptionScores]:
        self.asked += [prompt.text for prompt in prompts]
        found = super().score_options(prompts, method=method, on_done=on_done)
        return [self.altered(prompt, scores) for prompt, scores in zip(prompts, found, strict=True)]

    def altered(self, prompt: Prompt, scores: OptionScores) -> OptionScores:
        """What a test's model returns instead of a prompt's scores."""
        del prompt
        return scores


def make_evaluation(model: ScriptedModel | None = None, *wordings: Instruction, **settings: Any) -> Evaluation:
    task = make_task()
    groups = {"mine": {task.name: list(wordings or (CLEAR, VAGUE))}}
    return prepare(model or Knowing(), [task], groups, EvaluationSpec(**settings))
