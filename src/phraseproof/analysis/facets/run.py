"""The components of variance of every task of a run, or the reason why there are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from phraseproof.analysis.facets.components import Facets, variance_of_facets
from phraseproof.analysis.facets.design import DRAWS, ORDERS, FacetScores, NoDesign, load_designs
from phraseproof.analysis.facets.effort import Effort, best_split, doubled, effort
from phraseproof.analysis.facets.spread import FacetSpread, facet_spreads
from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError

if TYPE_CHECKING:
    from phraseproof.store.queries import Run


@dataclass(frozen=True, slots=True, eq=False)
class TaskFacets:
    """The components of one task, number of demonstrations and group.

    Attributes:
        design: the scores.
        mean: over all of them.
        components: of every facet and combination, in squared units of the scores; smaller sets first.
        spreads: standard deviations over wordings, draws and orders, as papers report them.
        now: the standard errors with the levels of the run.
        doubled: with twice as many levels of one facet, by facet.
        best: the numbers of levels with the smallest standard error of the mean for as many prompts.
    """

    design: FacetScores
    mean: float
    components: Mapping[Facets, Finding]
    spreads: tuple[FacetSpread, ...]
    now: Effort
    doubled: Mapping[str, Effort]
    best: Effort

    @property
    def total(self) -> float:
        """The variance of a single score: the sum of the components."""
        return sum(found.estimate for found in self.components.values())


@dataclass(frozen=True, slots=True, eq=False)
class RunFacets:
    """The components of a run, under one scorer.

    Attributes:
        tasks: numbers of demonstrations ascending.
        without: the tasks without components, and why.
        reason: why the run as a whole has none; empty if it has some.
    """

    tasks: tuple[TaskFacets, ...] = ()
    without: tuple[NoDesign, ...] = ()
    reason: str = ""

    def at_shots(self, num_fewshot: int) -> RunFacets:
        """The same for one number of demonstrations."""
        return RunFacets(
            tuple(task for task in self.tasks if task.design.num_fewshot == num_fewshot),
            tuple(each for each in self.without if each.num_fewshot == num_fewshot),
            self.reason,
        )

    @property
    def has_draws(self) -> bool:
        """Whether any task has several draws of demonstrations or orders of options."""
        return any({DRAWS, ORDERS} & set(task.design.facets) for task in self.tasks)

    @property
    def notes(self) -> tuple[str, ...]:
        """Why components are missing, and what is not part of them."""
        if self.reason:
            return (f"Components of variance: not estimated, {self.reason}.",)
        notes = [
            f"Components of variance of {each.task} under {each.group}, {each.num_fewshot}-shot: not estimated, "
            f"{each.why}."
            for each in self.without
        ]
        for task in self.tasks:
            of = task.design
            if of.left_out:
                notes.append(f"{of.task} under {of.group}, {of.num_fewshot}-shot: {of.left_out}.")
        return tuple(notes)


def run_facets(run: Run, *, seed: int = 0) -> RunFacets:
    """The components of every task under every group of wordings.

    Args:
        run: under one of its scorers, in any metric.
        seed: of the jackknife's blocks.

    Raises:
        RunError: no cell is done, or a cell is damaged.
    """
    if run.accuracies:
        return RunFacets(reason="the run was imported and holds no scores of examples")
    if run.share < 1:
        return RunFacets(reason="the run has a budget: its wordings met different examples")
    try:
        designs, without = load_designs(run)
    except NotEnoughDataError as error:
        return RunFacets(reason=error.problem)
    return RunFacets(tuple(task_facets(each, seed=seed) for each in designs), tuple(without))


def task_facets(of: FacetScores, *, seed: int = 0) -> TaskFacets:
    """The components of one design, and what other numbers of levels would give."""
    components = variance_of_facets(of.scores, of.facets, seed=seed)
    levels = of.levels
    return TaskFacets(
        of,
        float(of.scores.mean()),
        components,
        facet_spreads(of),
        effort(components, levels),
        doubled(components, levels),
        best_split(components, levels),
    )
