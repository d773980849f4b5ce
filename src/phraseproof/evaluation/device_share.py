"""What a process on another device needs to compute its share of an evaluation: everything resolved but the model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from phraseproof.core import Cell, Instruction, Model, Task
from phraseproof.evaluation.observer import Observer
from phraseproof.evaluation.plan import PlannedCell
from phraseproof.evaluation.run import Evaluation
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.evaluation.workers import on_device
from phraseproof.instructions.template import compile_instruction
from phraseproof.models import ModelOptions, load_model
from phraseproof.store.locks import LockOptions


@dataclass(frozen=True)
class DeviceShare:
    """A resolved evaluation as plain data that can be pickled. No file of tasks or wordings is read again.

    Attributes:
        spec: as resolved: prompt format and near-ties are decided.
        model: the model's name.
        options: how to load it, on any device.
        cells: the plan, in order; wordings are compiled again, since compiled templates cannot be pickled.
        tasks, whole_tasks, groups, locking: as in `Evaluation`.
    """

    spec: EvaluationSpec
    model: str
    options: ModelOptions
    cells: tuple[tuple[Cell, Task, Instruction], ...]
    tasks: tuple[Task, ...]
    whole_tasks: tuple[Task, ...]
    groups: tuple[str, ...]
    locking: LockOptions

    @classmethod
    def of(cls, evaluation: Evaluation, model: str, options: ModelOptions) -> DeviceShare:
        """The share of an evaluation of the named model."""
        return cls(
            spec=evaluation.settings,
            model=model,
            options=options,
            cells=tuple((each.cell, each.task, each.wording.instruction) for each in evaluation.planned),
            tasks=evaluation.tasks,
            whole_tasks=evaluation.whole_tasks,
            groups=evaluation.groups,
            locking=evaluation.locking._replace(breaks=False),  # the first process has done it
        )

    def evaluation(self, device: str, model: Model | None = None) -> Evaluation:
        """The same evaluation with its model on `device`; or with a model that was loaded before."""
        compiled = {wording: compile_instruction(wording) for _, _, wording in self.cells}
        return Evaluation(
            model=model or load_model(self.model, on_device(self.options, device)),
            planned=tuple(PlannedCell(cell, task, compiled[wording]) for cell, task, wording in self.cells),
            tasks=self.tasks,
            whole_tasks=self.whole_tasks,
            groups=self.groups,
            settings=self.spec,
            locking=self.locking,
        )

    def compute(self, device: str, out: Path, observer: Observer, self_test: bool) -> None:
        """Compute on `device` the cells that the run folder lacks and no other process computes."""
        self.evaluation(device).work_through(out, observer, self_test=self_test, counts_others=False)
