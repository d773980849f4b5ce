"""The spread over wordings of every task of a run under each of its scorers, or the reason why it is not compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from phraseproof.analysis.causes.artefact import Artefact, artefact, scorer_pair
from phraseproof.analysis.causes.choices import chosen_options
from phraseproof.analysis.causes.run import control_groups, why_lines
from phraseproof.analysis.causes.scorers import ScorerSpread, SpreadOf, scorer_spread, why_not_compared
from phraseproof.analysis.grids import Floats, TaskGrid, load_grids
from phraseproof.errors import RunError
from phraseproof.scoring.accuracy import METRIC as ACCURACY

if TYPE_CHECKING:
    from phraseproof.store.queries import Run


@dataclass(frozen=True, slots=True)
class RunScorers:
    """The scorers of a run, compared; empty where it has fewer than two.

    Attributes:
        tasks: in the run's order; numbers of demonstrations ascending.
        reasons: why not, for each number of demonstrations and task that is not compared.
        reason: why the run as a whole is not; empty if it is.
        left_out: what is not part of a comparison, by number of demonstrations.
        artefacts: of the tasks that were scored by log-likelihoods and by generated texts, the two compared.
    """

    tasks: tuple[ScorerSpread, ...] = ()
    reasons: tuple[tuple[int, str, str], ...] = ()
    reason: str = ""
    left_out: tuple[tuple[int, str], ...] = ()
    artefacts: tuple[Artefact, ...] = ()

    def at_shots(self, num_fewshot: int) -> RunScorers:
        """The same for one number of demonstrations."""
        return RunScorers(
            tuple(task for task in self.tasks if task.num_fewshot == num_fewshot),
            tuple(each for each in self.reasons if each[0] == num_fewshot),
            self.reason,
            tuple(each for each in self.left_out if each[0] == num_fewshot),
            tuple(each for each in self.artefacts if each.num_fewshot == num_fewshot),
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """Why comparisons are missing, and what is not part of them."""
        missing = why_lines("Scorings", "compared", self.reason, self.reasons)
        return (*missing, *(line for _, line in self.left_out))


NOT_COMPARED = RunScorers()


def run_scorers(run: Run, *, seed: int = 0) -> RunScorers:
    """Compare the spread over all wordings of each task, without control wordings, between all scorers of the run.

    Every metric and every scorer will do, also one that reads generated texts.
    """
    scorers = run.scorings
    if len(scorers) < 2:
        return NOT_COMPARED
    found: dict[tuple[int, str], dict[str, TaskGrid]] = {}
    for name in scorers:
        try:
            grids = load_grids(run.select(name))
        except RunError as error:
            return RunScorers(reason=f"scoring {name}: {error.problem}")
        for grid in grids:
            found.setdefault((grid.num_fewshot, grid.task), {})[name] = grid
    controls = control_groups(run)
    tasks: list[ScorerSpread] = []
    reasons: list[tuple[int, str, str]] = []
    left_out: list[tuple[int, str]] = []
    artefacts: list[Artefact] = []
    pair = scorer_pair(scorers)
    for (shots, task), grids in sorted(found.items(), key=lambda each: each[0][0]):
        missing = _why_not(grids, scorers)
        if missing:
            reasons.append((shots, task, missing))
            continue
        shared = _shared([grids[name] for name in scorers], controls)
        missing = why_not_compared(len(shared.wordings), shared.scores.shape[2])
        if missing:
            reasons.append((shots, task, missing))
            continue
        first = grids[scorers[0]]
        of = SpreadOf(task, first.category, shots, scorers, shared.wordings, first.metric)
        spread = scorer_spread(shared.scores, of, seed=seed)
        tasks.append(spread)
        if pair is not None and first.metric.name == ACCURACY.name and first.chance is not None:
            places = [scorers.index(name) for name in pair]
            one, two = (chosen_options(grids[scorers[place]], *shared.places[place]) for place in places)
            if one is not None and two is not None:
                artefacts.append(artefact(spread, shared.scores[places], (one, two), chance=first.chance, seed=seed))
        left_out += [(shots, f"{task}: {what}, and are left out where scorings are compared.") for what in shared.lost]
    return RunScorers(tuple(tasks), tuple(reasons), left_out=tuple(left_out), artefacts=tuple(artefacts))


def _why_not(grids: dict[str, TaskGrid], scorers: Sequence[str]) -> str:
    lacking = [name for name in scorers if name not in grids]
    if lacking:
        return f"it has no outcomes of the scoring {lacking[0]}"
    metrics = list(dict.fromkeys(grid.metric.name for grid in grids.values()))
    return "" if len(metrics) == 1 else f"its scores are in different metrics ({', '.join(metrics)})"


class _Shared(NamedTuple):
    """What all scorers have.

    Attributes:
        places: of each scorer the rows and columns of its grid.
        scores: [S, W, E]
        lost: what some scorer lacks, the start of a sentence each.
    """

    wordings: tuple[str, ...]
    places: tuple[tuple[list[int], list[int]], ...]
    scores: Floats
    lost: tuple[str, ...]


def _shared(grids: Sequence[TaskGrid], controls: set[str]) -> _Shared:
    rows = [_rows(grid, controls) for grid in grids]
    wordings = [name for name in rows[0] if all(name in of for of in rows)]
    everywhere = set(grids[0].examples).intersection(*(grid.examples for grid in grids[1:]))
    examples = [name for name in grids[0].examples if name in everywhere]
    scores = np.zeros((len(grids), len(wordings), len(examples)))
    places: list[tuple[list[int], list[int]]] = []
    for place, (grid, of) in enumerate(zip(grids, rows, strict=True)):
        column = {name: number for number, name in enumerate(grid.examples)}
        places.append(([of[name] for name in wordings], [column[name] for name in examples]))
        if grid.table is not None:
            scores[place] = grid.table.take(places[-1][0]).on(places[-1][1]).whole()
    return _Shared(tuple(wordings), tuple(places), scores, tuple(_lost(grids, rows, len(wordings), len(examples))))


def _rows(grid: TaskGrid, controls: set[str]) -> dict[str, int]:
    """The row of each wording that is no control; of a wording of two groups the first."""
    rows: dict[str, int] = {}
    for row, (group, wording) in enumerate(zip(grid.groups, grid.wordings, strict=True)):
        if group not in controls:
            rows.setdefault(wording, row)
    return rows


def _lost(grids: Sequence[TaskGrid], rows: Sequence[dict[str, int]], wordings: int, examples: int) -> Iterator[str]:
    for what, kept, whole in (
        ("wordings", wordings, len({name for of in rows for name in of})),
        ("examples", examples, len({name for grid in grids for name in grid.examples})),
    ):
        if whole > kept:
            yield f"{whole - kept} of {whole} {what} were not scored under every scoring"
