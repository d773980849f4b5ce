"""The causes of spread of every task of a run, or the reason why there are none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from phraseproof.analysis.causes.spread import SpreadCauses, spread_causes, why_not
from phraseproof.analysis.controls import CONTROLS
from phraseproof.analysis.grids import group_relations, metric_of
from phraseproof.analysis.option_values import MOST_VALUES, OptionValues, read_option_values, sample_notes
from phraseproof.errors import NotEnoughDataError
from phraseproof.scoring.accuracy import METRIC as ACCURACY

if TYPE_CHECKING:
    from phraseproof.store.queries import Run


_NAMED = 3


@dataclass(frozen=True, slots=True)
class RunCauses:
    """The causes of spread in a run, under one scorer.

    Attributes:
        tasks: in the run's order, those whose causes could be estimated; numbers of demonstrations ascending.
        reasons: why not, for each number of demonstrations and task without causes.
        reason: why the run as a whole has none; empty if it has some.
        sampled: for tasks of which a sample of the examples was used, the number of demonstrations and a sentence.
    """

    tasks: tuple[SpreadCauses, ...] = ()
    reasons: tuple[tuple[int, str, str], ...] = ()
    reason: str = ""
    sampled: tuple[tuple[int, str], ...] = ()

    def at_shots(self, num_fewshot: int) -> RunCauses:
        """The same for one number of demonstrations."""
        return RunCauses(
            tuple(task for task in self.tasks if task.num_fewshot == num_fewshot),
            tuple(each for each in self.reasons if each[0] == num_fewshot),
            self.reason,
            tuple(each for each in self.sampled if each[0] == num_fewshot),
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """Why causes are missing, and of which tasks a sample was used, a line for the run or for each task."""
        lines = why_lines("Causes of the spread", "estimated", self.reason, self.reasons)
        return (*lines, *(line for _, line in self.sampled))


def why_lines(what: str, done: str, reason: str, reasons: Sequence[tuple[int, str, str]]) -> tuple[str, ...]:
    """Why something is missing: a line for the run, or for each reason and the tasks that have it.

    Args:
        what: is missing, at the start of the line.
        done: what was not done with it: `estimated`.
        reason: of the run; may be empty.
        reasons: numbers of demonstrations, tasks, and why.
    """
    if reason:
        return (f"{what}: not {done}, {reason}.",)
    tasks: dict[str, list[str]] = {}
    for _, task, why in reasons:
        tasks.setdefault(why, []).append(task)
    return tuple(f"{what} on {_listed(names)}: not {done}, {why}." for why, names in tasks.items())


def run_causes(run: Run, *, seed: int = 0) -> RunCauses:
    """The causes of the spread over all wordings of each task, without control wordings.

    Raises:
        RunError: no cell is done, or a cell is damaged.
    """
    if reason := why_no_causes(run):
        return RunCauses(reason=reason)
    gathered = CausesOfTasks(run, seed=seed)
    try:
        for of in read_option_values(run, most=MOST_VALUES):
            gathered.add(of)
    except NotEnoughDataError as error:
        return RunCauses(reason=error.problem)
    return gathered.found


class CausesOfTasks:
    """Estimates the causes of one task after the other, so that no two tasks are in memory.

    Args:
        run: for which `why_no_causes` has no reason.
        seed: of the folds and the bootstrap.
    """

    def __init__(self, run: Run, *, seed: int = 0) -> None:
        self._controls, self._seed = control_groups(run), seed
        self.found = RunCauses()

    def add(self, of: OptionValues) -> None:
        """Estimate the causes of a task, as `read_option_values(most=MOST_VALUES)` yields it."""
        kept = of.take(list(distinct_rows(of, self._controls)))
        missing = why_not(kept)
        tasks = () if missing else (spread_causes(kept, seed=self._seed),)
        reasons = ((of.num_fewshot, of.task, missing),) if missing else ()
        sampled = ((of.num_fewshot, line) for line in sample_notes("Causes of the spread", [of]))
        self.found = RunCauses(
            (*self.found.tasks, *tasks), (*self.found.reasons, *reasons), sampled=(*self.found.sampled, *sampled)
        )


def why_no_causes(run: Run) -> str:
    """Why the causes of a run cannot be estimated, whatever its outcomes are; empty where they can."""
    return why_no_accuracies(run, "causes are those of accuracy")


def control_groups(run: Run) -> set[str]:
    """The groups whose wordings are meant to fail."""
    return {group for group, relation in group_relations(run).items() if relation in CONTROLS}


def controls_line(run: Run) -> str:
    """Which groups a choice of wordings leaves out, as a sentence; empty where there are none."""
    controls = [group for group in run.groups if group in control_groups(run)]
    return f"Left out: the control wordings in {', '.join(controls)}, which are meant to fail." if controls else ""


def _listed(names: list[str]) -> str:
    shown = list(dict.fromkeys(names))
    more = len(shown) - _NAMED
    return ", ".join(shown) if more <= 0 else f"{', '.join(shown[:_NAMED])} and {more} more tasks"


def why_no_accuracies(run: Run, otherwise: str) -> str:
    """Why what takes accuracies of examples under every wording is missing from a run; empty where nothing is.

    Args:
        otherwise: ends the reason of a run in another metric: `causes are those of accuracy`.
    """
    if run.accuracies:
        return "the run was imported and holds no answers"
    if run.share < 1:
        return "the run has a budget: its wordings met different examples"
    metric = metric_of(run)
    return "" if metric.name == ACCURACY.name else f"the metric is {metric.name}, and {otherwise}"


def distinct_rows(of: OptionValues, controls: set[str]) -> Iterator[int]:
    """The rows of wordings that are no controls; a wording of two groups once."""
    seen: set[tuple[str, str]] = set()
    # Draws of demonstrations and orders of options have different identities.
    for row, (group, wording, identity) in enumerate(zip(of.groups, of.wordings, of.identities, strict=True)):
        if group not in controls and (wording, identity) not in seen:
            seen.add((wording, identity))
            yield row
