"""Texts in prompts and answers: the examples of a task in whose stored outcomes a text occurs."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from phraseproof.viewer.index import RunIndex
from phraseproof.viewer.recent import Recent

if TYPE_CHECKING:
    import pyarrow as pa

SECONDS = 2.0
"""How long one request searches. The next one continues."""

_COLUMNS = ("example_id", "prompt", "text", "reference", "options")


class SearchResult(NamedTuple):
    """What was found so far.

    Attributes:
        examples: numbers of examples.
        searched, cells: how many of the cells were searched; fewer than there are until the search is complete.
        has_prompts: prompts are stored in a cell that was searched.
    """

    examples: frozenset[int]
    searched: int
    cells: int
    has_prompts: bool

    @property
    def is_complete(self) -> bool:
        """Whether every cell was searched."""
        return self.searched == self.cells


@dataclass
class _Search:
    found: set[str] = field(default_factory=set[str])
    searched: int = 0
    has_prompts: bool = False
    lock: Lock = field(default_factory=Lock)


def search(index: RunIndex, task: str, num_fewshot: int, text: str, *, seconds: float = SECONDS) -> SearchResult:
    """The examples of a task whose prompt, generated text, reference, options or name contain a text.

    Case does not matter. The search is kept, so that pages of its result do not search again.

    Args:
        seconds: after which the search is interrupted. A later call with the same text continues.

    Raises:
        RunError: a file is damaged or gone.
    """
    known: Recent[tuple[str, int, str], _Search] = index.kept.setdefault("searches", Recent(8))
    state = known.get((task, num_fewshot, text.casefold()), _Search)
    # In the order of the plan, in which cells are read: `searched` counts along it.
    numbers = sorted(number for column in index.of_task(task, num_fewshot) for number in column.cells)
    cells = [index.cells[number] for number in numbers]
    with state.lock:
        end = time.monotonic() + seconds
        rest = cells[state.searched :]
        for _, table in index.run.read_cells(_COLUMNS, only=rest) if rest else ():
            state.found.update(_matching(table, text))
            state.has_prompts = state.has_prompts or table["prompt"].null_count < table.num_rows
            state.searched += 1
            if time.monotonic() > end:
                break
        by_name = index.numbers_of(task)
        examples = frozenset(by_name[name] for name in state.found if name in by_name)
        return SearchResult(examples, state.searched, len(cells), state.has_prompts)


def _matching(table: pa.Table, text: str) -> list[str]:
    """The names of the rows in which the text occurs."""
    import pyarrow as pa
    import pyarrow.compute

    pc: Any = pyarrow.compute  # its functions are made when it is imported
    hits = pa.repeat(pa.scalar(False), table.num_rows)
    for name in ("example_id", "prompt", "text", "reference"):
        column = table[name].combine_chunks()
        if column.null_count < len(column):
            hits = pc.or_(hits, pc.fill_null(pc.match_substring(column, text, ignore_case=True), False))
    options = table["options"].combine_chunks()
    of_option = pc.fill_null(pc.match_substring(pc.list_flatten(options), text, ignore_case=True), False)
    parents = pc.unique(pc.list_parent_indices(options).filter(of_option))
    ids = table["example_id"].combine_chunks()
    return pc.unique(pa.concat_arrays([ids.filter(hits), ids.take(parents)])).to_pylist()
