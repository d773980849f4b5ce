"""The step of studies that read hidden states: one vector per example and wording, in the folder of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.studies.steps import given_runs, main_step
from phraseproof.studies.study import Step, StepForecast, StudyRequest

if TYPE_CHECKING:
    from phraseproof.evaluation.observer import Observer

EXAMPLES = 300
"""The maximum number of examples per task, as the paper has them (Figure 4)."""


@dataclass(frozen=True)
class RepresentationStep:
    """The vectors of the wordings of a run, stored in the run's folder."""

    spec: EvaluationSpec
    folder: Path

    @property
    def title(self) -> str:
        """As of every step."""
        return f"read the hidden states of {self.spec.model} on {', '.join(self.spec.tasks)}"

    def forecast(self, *, timed: bool) -> StepForecast:
        """As of every step. Neither tokens nor time are known."""
        del timed
        from phraseproof.evaluation.represent import cells_of
        from phraseproof.evaluation.resolve import resolve
        from phraseproof.store.run_file import RUN_FILE
        from phraseproof.store.vectors import FOLDER, load_vectors

        evaluation = resolve(self.spec, out=self.folder, forecast=True)
        prompts = {each.cell.task: len(each.task.examples) for each in evaluation.planned}
        cells = cells_of(evaluation)
        done = set[object]()
        if (self.folder / FOLDER / RUN_FILE).exists():
            stored = load_vectors(self.folder)
            done = set(stored.cells) - set(stored.missing)
        missing = sum(prompts[cell.task] for cell in cells - done)
        return StepForecast(sum(prompts[cell.task] for cell in cells), missing)

    def carry_out(self, observer: Observer) -> int:
        """As of every step."""
        from phraseproof.evaluation.represent import cells_of, represent
        from phraseproof.evaluation.resolve import resolve

        evaluation = resolve(self.spec, out=self.folder, observer=observer)
        vectors = represent(evaluation, self.folder, observer=observer)
        return len(set(vectors.missing) & cells_of(evaluation))


def representation_steps(request: StudyRequest) -> Sequence[Step]:
    """For every model the run of `table-3`, whose accuracies distances are compared with, and its vectors."""
    if request.runs:
        return given_runs(request)
    steps: list[Step] = []
    for model in request.models:
        run = main_step(request, model)
        limit = EXAMPLES if run.spec.limit is None else min(EXAMPLES, run.spec.limit)
        steps += [run, RepresentationStep(run.spec.with_changes(limit=limit), run.folder)]
    return steps
