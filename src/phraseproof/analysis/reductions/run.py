"""Ways to reduce the spread over wordings, judged on every task of a run from what the run stores: no model call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from phraseproof.analysis.causes.run import control_groups, distinct_rows, why_lines, why_no_accuracies
from phraseproof.analysis.option_values import OptionValues, load_option_values
from phraseproof.analysis.reductions.judging import MIN_EXAMPLES, MIN_WORDINGS, JudgedTask, judge, overall
from phraseproof.analysis.reductions.ways import Access
from phraseproof.errors import NotEnoughDataError
from phraseproof.scoring.registry import reads_text

if TYPE_CHECKING:
    from phraseproof.core import Cell
    from phraseproof.store.queries import Run

CALIBRATION: Final = "prior-matching"
"""The method of the calibrated ways, unless another is asked for."""


@dataclass(frozen=True, slots=True)
class RunReductions:
    """What was judged on the tasks of a run.

    Attributes:
        tasks: every task that has enough data, at every number of demonstrations.
        reasons: number of demonstrations and name of every other task, and why nothing is judged on it.
        reason: why nothing is judged on the run as a whole; empty if something is.
    """

    tasks: tuple[JudgedTask, ...] = ()
    reasons: tuple[tuple[int, str, str], ...] = ()
    reason: str = ""

    def at_shots(self, num_fewshot: int) -> RunReductions:
        """The same for one number of demonstrations."""
        return RunReductions(
            tuple(task for task in self.tasks if task.num_fewshot == num_fewshot),
            tuple(each for each in self.reasons if each[0] == num_fewshot),
            self.reason,
        )

    @property
    def overall(self) -> JudgedTask | None:
        """The mean over tasks, where there are several, all at one number of demonstrations."""
        return (
            overall(self.tasks) if len(self.tasks) > 1 and len({task.num_fewshot for task in self.tasks}) == 1 else None
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """Why tasks are missing, a line for the run or for each reason."""
        return why_lines("What reduces the spread", "computed", self.reason, self.reasons)


def fair_values(run: Run, access: Access) -> tuple[OptionValues, ...]:
    """Every task with the wordings that an answer may be asked with: no control wordings, and no wording twice.

    Raises:
        NotEnoughDataError, RunError: as `load_option_values`.
    """
    controls = control_groups(run)
    found = load_option_values(run, votes=access is Access.TEXT)
    kept = tuple(of.take(rows) for of in found if (rows := list(distinct_rows(of, controls))))
    if not kept:
        raise NotEnoughDataError("all wordings are controls, which are meant to fail", where=run.name)
    return kept


def judge_tasks(
    values: Sequence[OptionValues], *, access: Access, calibration: str = CALIBRATION, seed: int = 0
) -> tuple[tuple[JudgedTask, ...], tuple[tuple[OptionValues, NotEnoughDataError], ...]]:
    """All ways on every task; then the tasks with too little data, and their errors."""
    tasks: list[JudgedTask] = []
    refused: list[tuple[OptionValues, NotEnoughDataError]] = []
    for of in values:
        try:
            tasks.append(judge(of, access=access, calibration=calibration, seed=seed))
        except NotEnoughDataError as error:
            refused.append((of, error))
    return tuple(tasks), tuple(refused)


def _num_values(run: Run) -> int:
    """How many values of options `fair_values` reads, found without reading them.

    Examples that some wordings lack count as well.
    """
    controls = control_groups(run)
    tasks: dict[tuple[str, int], dict[tuple[str, str], Cell]] = {}
    for cell in run.done_cells():
        if cell.group not in controls:
            tasks.setdefault((cell.task, cell.num_fewshot), {}).setdefault((cell.instruction, cell.identity), cell)
    first = [next(iter(cells.values())) for cells in tasks.values()]
    found = 0
    for cell, table in run.read_cells(("options",), only=first):
        most = max((len(options or ()) for options in table["options"].to_pylist()), default=0)
        found += most * sum(each.num_examples for each in tasks[cell.task, cell.num_fewshot].values())
    return found


def run_reductions(run: Run, *, most_values: int | None = None) -> RunReductions:
    """Judge all ways on all tasks of a run, with the settings that `phraseproof reduce` has by default.

    Args:
        run: the run, under one of its scorers.
        most_values: judge nothing, and read nothing, if the tasks hold more values of options than this, all wordings
            and examples together. A million values take about five seconds on one core. Default: judge any number.

    Raises:
        RunError: no cell is done, or a cell is damaged.
    """
    reason = why_no_accuracies(run, "ways are judged by accuracy")
    if reason:
        return RunReductions(reason=reason)
    access = Access.TEXT if reads_text(run.scoring) else Access.LOGPROBS
    try:
        if most_values is not None and _num_values(run) > most_values:
            return RunReductions(
                reason=f"it takes long on a run of this size. The command is: phraseproof reduce {run.name}"
            )
        values = fair_values(run, access)
    except NotEnoughDataError as error:
        return RunReductions(reason=error.problem)
    tasks, refused = judge_tasks(values, access=access)
    why = f"that takes {MIN_WORDINGS} wordings and {MIN_EXAMPLES} examples"
    return RunReductions(tasks, tuple((of.num_fewshot, of.task, why) for of, _ in refused))
