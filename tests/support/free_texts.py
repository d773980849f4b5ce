"""A free-text task of three notes, wordings for it, a model that writes known texts, and a metric that judges them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import EntryPoint

import pytest

from phraseproof.core import GREEDY, Example, Instruction, Kind, Outcome, Prompt, Sampling, Task
from phraseproof.evaluation.prepare import prepare
from phraseproof.evaluation.run import Evaluation
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.models.scripted import ScriptedModel
from phraseproof.scoring import registry
from phraseproof.scoring.metric import Metric

METRIC = "same_text"
TEXTS = ("The library is closed.", "A child found the keys.", "Bread is sold from six.")
REFERENCES = (("The library is closed.", "No library today."), ("Keys were found.",), ("Bread is sold from six.",))
WORDINGS = tuple(
    Instruction(id=name, collection="mine", ask=ask, layout="{{ text }}")
    for name, ask in (("short", "In short:"), ("gist", "Give the gist."))
)


class SameText(Metric):
    """1 where the text is one of the references, and 0 elsewhere."""

    name = METRIC
    is_binary = True
    judges_text = True

    def score(self, outcome: Outcome) -> float:
        return float(outcome.text in outcome.references)


def register(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `same_text` known, as an installed package does."""
    entry = EntryPoint(METRIC, "support.free_texts:SameText", registry.METRICS_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry] if group == registry.METRICS_GROUP else [])


def notes(kind: Kind = Kind.SUMMARIZATION, name: str = "notes") -> Task:
    """Three examples; the first one has two references."""
    examples = tuple(
        Example(f"n{number}", {"text": text}, reference=references[0], other_references=references[1:])
        for number, (text, references) in enumerate(zip(TEXTS, REFERENCES, strict=True))
    )
    return Task(name, kind, "Notes", examples, data="the notes")


class Writer(ScriptedModel):
    """Writes the note of the prompt under the wording `short`, and nothing under `gist`; remembers what it wrote."""

    def __init__(self) -> None:
        super().__init__(write=self._text)
        self.asked: list[str] = []
        self.limits: list[int] = []

    def _text(self, prompt: Prompt, _sampling: Sampling) -> str:
        note = next(text for text in TEXTS if prompt.text.endswith(text))
        return note if prompt.text.startswith("In short:") else ""

    def generate(self, prompts: Sequence[Prompt], *, max_new_tokens: int, sampling: Sampling = GREEDY) -> list[str]:
        self.asked += [prompt.text for prompt in prompts]
        self.limits.append(max_new_tokens)
        return super().generate(prompts, max_new_tokens=max_new_tokens, sampling=sampling)


def make_evaluation(model: ScriptedModel | None = None, *tasks: Task, **options: str | int) -> Evaluation:
    """An evaluation of the notes (or of other tasks) under both wordings."""
    tasks = tasks or (notes(),)
    spec = EvaluationSpec().with_changes(**{"metric": METRIC, **options})
    return prepare(model or Writer(), tasks, {"mine": {task.name: list(WORDINGS) for task in tasks}}, spec)
