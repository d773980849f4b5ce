"""Gives metrics that grade with a model their model, whose answers are kept in the run folder, and the other run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from phraseproof.core import Model, Sampling, Task
from phraseproof.evaluation.compared_run import ComparedRun
from phraseproof.evaluation.rewriter import Rewriter
from phraseproof.identity import content_hash
from phraseproof.instructions.paraphrase_journal import Journal
from phraseproof.models import load_model
from phraseproof.models.options import ModelOptions
from phraseproof.scoring.registry import metric
from phraseproof.scoring.scorer import AUTO
from phraseproof.scoring.texts.judge import Judge

FOLDER = "judge"
"""The folder of a judge's answers in a run folder."""

_GREEDY = Sampling(temperature=0.0, top_p=1.0, seed=0)


class KeptJudge:
    """A model that grades. No prompt is asked twice, also not after a stop.

    Args:
        model: what writes the answers.
        max_new_tokens: of an answer.
        out: the run folder; `None` keeps answers in memory.
    """

    def __init__(self, model: Model, max_new_tokens: int, out: Path | None) -> None:
        self._writer = Rewriter(model, max_new_tokens=max_new_tokens, sampling=_GREEDY)
        name = f"{content_hash(self.settings)}.jsonl"
        self._path = None if out is None else out / FOLDER / name
        self._journal: Journal | None = None

    @property
    def settings(self) -> Mapping[str, object]:
        """The model and how it generates, as plain data."""
        return self._writer.settings

    def answers(self, prompts: Sequence[str]) -> list[str]:
        """The answer to each prompt; equal prompts are asked once."""
        if self._journal is None:
            self._journal = Journal(self._path, self.settings)
        journal = self._journal
        missing = [prompt for prompt in dict.fromkeys(prompts) if journal.answer(prompt, 0) is None]
        if missing:
            self._writer.write(missing, lambda place, answer: journal.keep(missing[place], 0, answer))
        return [journal.answer(prompt, 0) or "" for prompt in prompts]


def connect_judges(metrics: Iterable[str], out: Path | None, tasks: Sequence[Task] = ()) -> None:
    """Load the models of the metrics that grade with one, and open the runs that they compare texts with.

    Args:
        metrics: names of metrics.
        out: the run folder.
        tasks: in full.

    Raises:
        UsageError: a rubric without a model, or no such model.
        FileError: an error in a rubric.
        ModelError: the model cannot be loaded, or writes no texts.
        RunError: a run that a rubric compares with is missing, or holds other tasks or data.
    """
    for name in metrics:
        judge = None if name == AUTO else metric(name)
        if isinstance(judge, Judge):
            judge.read_again()
            against = judge.rubric.against
            compared = None if against is None else ComparedRun(against, tasks)
            chosen = judge.judge_model
            model = load_model(chosen.model, ModelOptions(args=chosen.args))
            judge.connect(KeptJudge(model, judge.rubric.max_new_tokens, out), compared)
