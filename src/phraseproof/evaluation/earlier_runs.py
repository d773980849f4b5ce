"""Takes outcomes over from other run folders of the same model, so that no example is scored twice under a wording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from phraseproof.core import Example, Task
from phraseproof.evaluation.plan import CellIdentities, PlannedCell
from phraseproof.evaluation.reuse import Reuse
from phraseproof.store.stored import stored_files, stored_samples
from phraseproof.store.writer import RunStore


class EarlierRun(NamedTuple):
    """A run folder whose outcomes are taken over where model, format, wording and example are equal.

    Prompts with demonstrations are not: other runs may have drawn these from other examples.

    Attributes:
        folder: of the run.
        tasks: that it evaluated, as they were before a sample was drawn. They may have other examples than the tasks
            of the evaluation that takes them over.
    """

    folder: Path
    tasks: tuple[Task, ...]


def take_over(
    store: RunStore,
    planned: Sequence[PlannedCell],
    reuse: Reuse,
    earlier: Sequence[EarlierRun],
    identities: CellIdentities,
    *,
    derives: bool = True,
) -> None:
    """Write the outcomes that a run folder lacks and other folders hold to its journals, as if it had been stopped.

    Args:
        store: the run folder that lacks them. The plan is registered in it.
        planned: the cells that it lacks.
        reuse: finds what it holds.
        earlier: the other folders.
        identities: of the evaluation's cells.
        derives: as for `Reuse`.
    """
    for each in earlier:
        files = store.files()
        known = {(task.name, example.id): example for task in each.tasks for example in task.examples}
        theirs = Reuse(each.tasks, identities, stored_samples(each.folder), derives=derives)
        their_files = stored_files(each.folder)
        wanted = {
            place: names
            for place, cell in enumerate(planned)
            if not cell.cell.num_fewshot and (names := _shared(cell, known) - reuse.held(cell, files))
        }
        with store.claim([planned[place].cell for place in wanted]) as claimed:
            mine = set(claimed)
            for place, names in wanted.items():
                cell = planned[place]
                if cell.cell not in mine:
                    continue
                rows = theirs.stored(cell, their_files)
                if found := [row for name, row in rows.items() if name in names]:
                    store.append(cell.cell, found)


def _shared(planned: PlannedCell, known: Mapping[tuple[str, str], Example]) -> set[str]:
    """The names of a cell's examples that another run has with the same content."""
    task = planned.task
    return {example.id for example in task.examples if known.get((task.name, example.id)) == example}
