"""The first part of the demo: a real model's spread on a shipped task, its cause, and what reduces it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from phraseproof.analysis.answers import load_answers
from phraseproof.analysis.causes.run import run_causes
from phraseproof.analysis.causes.sentence import cause_sentence
from phraseproof.analysis.classification import constant_wordings
from phraseproof.analysis.reductions.judging import JudgedTask
from phraseproof.evaluation.evaluate import evaluate
from phraseproof.evaluation.observer import Observer
from phraseproof.reduction.reduce import reduce
from phraseproof.store.queries import Run

MODEL = "smollm2"
TASK = "everyday/tickets"
_GROUPS = {"everyday": "everyday-observed"}


class RealDemonstration(NamedTuple):
    """The result of the demo on the real model.

    Attributes:
        task: every way to answer, judged on examples that it was not fitted on.
        cause: why the wordings differ, as a sentence.
        constant: how many wordings get one answer for nearly every ticket.
    """

    task: JudgedTask
    cause: str
    constant: int


def measure_real(folder: Path, *, limit: int, observer: Observer) -> Run:
    """Evaluate SmolLM2-135M-Instruct on support tickets under ten wordings.

    Args:
        folder: the run folder. Cells that it holds are not computed again.
        limit: the maximum number of tickets.
        observer: is notified of the progress.

    Raises:
        ModelError, MissingExtraError: the package with the model, or what reads it, is not installed.
    """
    return evaluate(MODEL, TASK, _GROUPS, folder, limit=limit, observer=observer)


def conclude_real(run: Run) -> RealDemonstration:
    """The cause of the run's spread, and what reduces it."""
    (causes,) = run_causes(run).tasks
    (task,) = reduce(run).tasks
    (answers,) = load_answers(run)
    return RealDemonstration(task, cause_sentence(causes), len(constant_wordings(answers)))
