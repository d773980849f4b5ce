"""From a state to a page: what each page shows, and the templates that show it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from phraseproof.errors import PhraseproofError, RunError
from phraseproof.reports.build import numbers
from phraseproof.reports.build.settings import differing_settings
from phraseproof.reports.build.text import printable, printable_lines
from phraseproof.reports.html.page_templates import page_templates
from phraseproof.store.queries import load_run
from phraseproof.store.summary import RunSummary, summarize_run
from phraseproof.version import __version__
from phraseproof.viewer.comparison import CHANGES, compare_on_task
from phraseproof.viewer.example import example_of, letter
from phraseproof.viewer.folder import ViewedFolder
from phraseproof.viewer.grid import grid_of, settled
from phraseproof.viewer.index import RunIndex
from phraseproof.viewer.library import Library, state_of
from phraseproof.viewer.paging import page_of
from phraseproof.viewer.recent import Recent
from phraseproof.viewer.state import PageState
from phraseproof.viewer.wordings import groups_of, kinds_of, task_keys, tasks_of, with_task, wordings_of

if TYPE_CHECKING:
    import jinja2

TEMPLATES = Path(__file__).with_name("templates")
STATIC = Path(__file__).with_name("static")

RUNS_PER_PAGE = 30
LONGEST_TEXT = 20_000
"""Characters of a prompt or an answer that a page shows."""

MOST_OPTIONS = 1_000
"""Answers from this one on are hashes of free texts, not options."""

_LISTED = 200
"""Wordings that are suggested where one can be named."""


class ViewerPages:
    """The pages over a folder.

    Args:
        folder: what is shown.
        library: opens its runs.
    """

    def __init__(self, folder: ViewedFolder, library: Library) -> None:
        self.folder = folder
        self.library = library
        self._summaries: Recent[tuple[object, ...], RunSummary] = Recent(4 * RUNS_PER_PAGE)

    def runs(self, state: PageState) -> str:
        """The runs of the folder."""
        text = state.q.casefold()
        names = page_of([name for name in self.folder.names() if text in name.casefold()], state.page, RUNS_PER_PAGE)
        summaries: list[tuple[str, RunSummary | None, str]] = []
        for name in names.rows:
            try:
                path = self.folder.path(name)
                key = (name, *state_of(path))
                summaries.append((name, self._summaries.get(key, lambda path=path: summarize_run(load_run(path))), ""))
            except (PhraseproofError, OSError) as error:
                summaries.append((name, None, error.problem if isinstance(error, PhraseproofError) else str(error)))
        return self._render("runs.html.j2", state, names=names, summaries=summaries)

    def run(self, state: PageState) -> str:
        """One run: its tasks, and the wordings of one of them.

        Raises:
            RunError: no such run, or a damaged one.
        """
        index = self._index(state)
        one = len(task_keys(index)) == 1
        if one or state.task:
            state = with_task(index, state)
        if not state.task:
            return self._render("tasks.html.j2", state, index=index, tasks=tasks_of(index, state), metric=index.metric)
        wordings = wordings_of(index, state)
        return self._render(
            "wordings.html.j2", state, index=index, wordings=wordings, metric=index.metric, **self._choices(index)
        )

    def examples(self, state: PageState) -> str:
        """The grid of a task.

        Raises:
            RunError: as `run`, or the run has no outcomes.
        """
        index = self._with_outcomes(state)
        state = settled(index, state)
        grid = grid_of(index, state)
        names = [each.instruction for each in index.of_task(state.task, state.shots)[:_LISTED]]
        has_options = any(
            cell is not None and cell.answer is not None and 0 <= cell.answer < MOST_OPTIONS
            for line in grid.examples.rows
            for cell in line.cells
        )
        return self._render(
            "examples.html.j2",
            state,
            index=index,
            grid=grid,
            has_options=has_options,
            most_options=MOST_OPTIONS,
            metric=index.metric,
            names=names,
            **self._choices(index),
        )

    def example(self, state: PageState) -> str:
        """One example under all wordings.

        Raises:
            RunError: as `examples`, or the task has no such example.
        """
        index = self._with_outcomes(state)
        state = settled(index, state)
        view = example_of(index, state)
        if view is None:
            raise RunError("the run has no such example", got=state.example or "nothing", where=state.task)
        return self._render(
            "example.html.j2", state, index=index, view=view, metric=index.metric, **self._choices(index)
        )

    def compare(self, state: PageState) -> str:
        """Two runs on a task.

        Raises:
            RunError: as `examples`; or the runs share no task, or have other metrics.
        """
        before, after = self._with_outcomes(state), self._with_outcomes(state.having(run=state.other))
        shared = [key for key in task_keys(after) if key in task_keys(before)]
        if not shared:
            raise RunError("the two runs have no task in common")
        if (state.task, state.shots) not in shared:
            task, shots = next((key for key in shared if key[0] == state.task), shared[0])
            state = state.having(task=task, shots=shots)
        if state.show not in CHANGES:
            state = state.having(show="differ")
        found = compare_on_task(before, after, state)
        return self._render(
            "compare.html.j2",
            state,
            index=after,
            before=before,
            found=found,
            differing=differing_settings(before.run, after.run),
            metric=after.metric,
            **(self._choices(after) | {"keys": shared}),
        )

    def refused(self, problem: str, hint: str | None = None, got: str | None = None) -> str:
        """The page of a request that cannot be answered."""
        return self._render("refused.html.j2", PageState(), problem=problem, hint=hint, got=got)

    def _index(self, state: PageState) -> RunIndex:
        return self.library.open(self.folder.path(state.run), state.scoring, state.metric)

    def _with_outcomes(self, state: PageState) -> RunIndex:
        index = self._index(state)
        if not index.columns:
            why = "published accuracies of wordings" if index.run.accuracies else "no complete cell yet"
            raise RunError(f"the run holds {why}, and no outcomes of examples", got=state.run)
        return index

    def _choices(self, index: RunIndex) -> dict[str, Any]:
        return {"groups": groups_of(index), "kinds": kinds_of(index), "keys": task_keys(index)}

    def _render(self, template: str, state: PageState, **values: Any) -> str:
        found = _environment().get_template(template)
        return found.render(
            state=state, folder=self.folder, version=__version__, name_of=self.folder.shown_name, **values
        )


def cut(text: str) -> str:
    """A text of at most `LONGEST_TEXT` characters, with a note of what is left out; control characters are escaped."""
    rest = len(text) - LONGEST_TEXT
    shown = printable_lines(text[:LONGEST_TEXT])
    return f"{shown}\n… {rest:,} more characters, which are in the run's files" if rest > 0 else shown


@cache
def _environment() -> jinja2.Environment:
    filters: dict[str, Callable[..., object]] = {
        "line": printable,
        "lines": cut,
        "letter": letter,
        "in_unit": numbers.value_in_unit,
        "with_unit": numbers.value_with_unit,
        "difference": numbers.difference_in_unit,
        "title_with_unit": numbers.title_with_unit,
        "percent": numbers.share_in_percent,
        "number": _number,
        "list_pair": _twice,
    }
    return page_templates(TEMPLATES, filters)


def _number(value: float) -> str:
    return f"{value:,}"


def _twice(value: object) -> tuple[object, object]:
    """A value of a choice, which is its own name."""
    return value, value
