"""The grid of a task: wordings by examples, filtered by how wordings disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from phraseproof.viewer.index import Column, RunIndex
from phraseproof.viewer.paging import Page, page_of
from phraseproof.viewer.questions import questions
from phraseproof.viewer.recent import Recent
from phraseproof.viewer.rows import StoredRow, read_rows
from phraseproof.viewer.search import SearchResult, search
from phraseproof.viewer.state import NEEDS_BASE, PageState
from phraseproof.viewer.wordings import WordingLine, is_shown, ranked_lines, with_task

ROWS_PER_PAGE = 40
COLUMNS_PER_PAGE = 12


class GridCell(NamedTuple):
    """One wording on one example.

    Attributes:
        score: the mean over draws.
        answer: the index of the chosen option, as in the index; `None` where draws have different answers.
        is_best, is_worst: the score is the best or the worst that the metric has.
    """

    score: float
    answer: int | None
    is_best: bool
    is_worst: bool


class ExampleLine(NamedTuple):
    """An example.

    Attributes:
        id: its name.
        question: what distinguishes its prompt from those of other examples; empty where it is not known.
        right: the expected answer, as text; empty where there is none.
        mean: of the scores of all shown wordings.
        num_wordings: shown wordings that answered it.
        num_answers: distinct answers over wordings and draws.
        cells: of the columns of this page; `None` where a wording lacks the example.
    """

    number: int
    id: str
    question: str
    right: str
    mean: float
    num_wordings: int
    num_answers: int
    cells: tuple[GridCell | None, ...]


class GridPage(NamedTuple):
    """A page of the grid.

    Attributes:
        columns: of this page, with their means; the wording that others are compared with comes first.
        examples: of this page.
        base: the wording that others are compared with, if one is chosen.
        search: what was searched; `None` without a text.
    """

    columns: Page[WordingLine]
    examples: Page[ExampleLine]
    base: Column | None
    search: SearchResult | None


def grid_of(index: RunIndex, state: PageState) -> GridPage:
    """The page of the grid that a state shows. The state is `settled`.

    Raises:
        RunError: a file is damaged or gone.
    """
    lines = shown_lines(index, state)
    found = None
    if state.q:
        found = search(index, state.task, state.shots, state.q)
    numbers = page_of(matching_examples(index, state), state.page, ROWS_PER_PAGE)
    columns = page_of(lines, state.cols, COLUMNS_PER_PAGE)
    rows = _example_lines(index, numbers.rows, lines, columns.rows)
    examples = Page(rows, numbers.number, numbers.size, numbers.total)
    base = lines[0].column if lines and lines[0].column.instruction == state.base else None
    return GridPage(columns, examples, base, found)


def shown_lines(index: RunIndex, state: PageState) -> list[WordingLine]:
    """The wordings that the state shows: that which others are compared with, then the others in the state's order."""
    lines = ranked_lines(index, state.task, state.shots)
    base = next((line for line in lines if line.column.instruction == state.base), None)
    others = [line for line in lines if line is not base and is_shown(line.column, state)]
    if state.by == "worst":
        others.reverse()
    elif state.by == "plan":
        others.sort(key=lambda line: line.column.number)
    return [base, *others] if base is not None else others


def matching_examples(index: RunIndex, state: PageState) -> Sequence[int]:
    """The numbers of the examples that the state shows, in its order.

    Raises:
        RunError: a file is damaged or gone.
    """
    if not state.q:
        return _filtered(index, state)
    found = search(index, state.task, state.shots, state.q).examples
    return [number for number in _filtered(index, state) if number in found]


def _filtered(index: RunIndex, state: PageState) -> Sequence[int]:
    key = (state.task, state.shots, state.group, state.kind, state.base, state.show, state.sort)
    known: Recent[tuple[Any, ...], list[int]] = index.kept.setdefault("filtered", Recent(16))
    return known.get(key, lambda: _query_examples(index, state))


def _query_examples(index: RunIndex, state: PageState) -> list[int]:
    lines = shown_lines(index, state)
    if not lines:
        return []
    judge = index.metric
    best, worst = best_and_worst(index)
    sign = 1 if judge.higher_is_better else -1
    condition = {
        "all": "true",
        "differ": "max(score) > min(score)",
        "answers": "max(last_answer) > min(first_answer)",
        "wrong": f"count(*) FILTER (score <> {best!r}) > 0",
        "always-wrong": f"count(*) FILTER (score = {worst!r}) = count(*)",
        "changed": "count(*) FILTER (score <> base) > 0",
        "lost": f"count(*) FILTER ({sign} * (score - base) < 0) > 0",
        "gained": f"count(*) FILTER ({sign} * (score - base) > 0) > 0",
    }[state.show]
    order = {
        "spread": "abs(avg(score) - 0.5)" if judge.is_binary else "min(score) - max(score)",
        "lowest": f"{sign} * avg(score)",
        "highest": f"{-sign} * avg(score)",
        "plan": "example",
    }[state.sort]
    base = lines[0].column.number
    # Names and numbers of ours only: what an address says is a key of the two tables above, or a parameter.
    sql = f"""
        WITH answers AS (
            SELECT example, col, avg(score) AS score, min(answer) AS first_answer, max(answer) AS last_answer
            FROM outcomes WHERE col IN (SELECT unnest(?::INTEGER[])) GROUP BY example, col
        )
        SELECT example FROM answers
        LEFT JOIN (SELECT example, score AS base FROM answers WHERE col = ?) USING (example)
        GROUP BY example HAVING {condition} ORDER BY {order}, example
    """  # noqa: S608
    numbers = [line.column.number for line in lines]
    return [number for (number,) in index.rows(sql, [numbers, base])]


class _Total(NamedTuple):
    mean: float
    num_wordings: int
    num_answers: int
    place: StoredRow


def _example_lines(
    index: RunIndex, numbers: Sequence[int], lines: Sequence[WordingLine], columns: Sequence[WordingLine]
) -> list[ExampleLine]:
    if not numbers or not lines:
        return []
    totals = _totals(index, numbers, [line.column.number for line in lines])
    shown = [line.column.number for line in columns]
    cells = _grid_cells(index, numbers, shown)
    stored = read_rows(index, [total.place for total in totals.values()], ("options", "target", "reference", "prompt"))
    asked = questions(index, stored)
    return [
        ExampleLine(
            number,
            index.examples[number][1],
            asked.get(number, ""),
            right_answer(stored[totals[number].place]),
            totals[number].mean,
            totals[number].num_wordings,
            totals[number].num_answers,
            tuple(cells.get((number, column)) for column in shown),
        )
        for number in numbers
    ]


def _totals(index: RunIndex, numbers: Sequence[int], columns: Sequence[int]) -> dict[int, _Total]:
    chosen = "example IN (SELECT unnest(?::INTEGER[])) AND col IN (SELECT unnest(?::INTEGER[]))"
    rows = index.rows(
        f"""
        WITH of_wordings AS (
            SELECT example, col, avg(score) AS score, min(cell) AS cell, arg_min(row, cell) AS row
            FROM outcomes WHERE {chosen} GROUP BY example, col
        ),
        distinct_answers AS (
            SELECT example, count(DISTINCT answer) AS num_answers FROM outcomes WHERE {chosen} GROUP BY example
        )
        SELECT example, avg(score), count(*), any_value(num_answers), min(cell), arg_min(row, cell)
        FROM of_wordings JOIN distinct_answers USING (example) GROUP BY example
        """,  # noqa: S608 - a text of ours
        [list(numbers), list(columns)] * 2,
    )
    return {
        number: _Total(mean, wordings, answers, StoredRow(cell, row, number))
        for number, mean, wordings, answers, cell, row in rows
    }


def _grid_cells(index: RunIndex, numbers: Sequence[int], columns: Sequence[int]) -> dict[tuple[int, int], GridCell]:
    best, worst = best_and_worst(index)
    rows = index.rows(
        "SELECT example, col, avg(score), min(answer), max(answer) FROM outcomes WHERE example IN "
        "(SELECT unnest(?::INTEGER[])) AND col IN (SELECT unnest(?::INTEGER[])) GROUP BY example, col",
        [list(numbers), list(columns)],
    )
    return {
        (example, column): GridCell(score, first if first == last else None, score == best, score == worst)
        for example, column, score, first, last in rows
    }


def best_and_worst(index: RunIndex) -> tuple[float, float]:
    """The best and the worst score that the metric has."""
    judge = index.metric
    return (judge.high, judge.low) if judge.higher_is_better else (judge.low, judge.high)


def right_answer(row: Mapping[str, Any]) -> str:
    """The expected answer of an outcome as text; empty where there is none."""
    if row["options"] and row["target"] is not None:
        return str(row["options"][row["target"]])
    return str(row["reference"] or "")


def settled(index: RunIndex, state: PageState) -> PageState:
    """The state with a task of the run, without a wording to compare with that the task lacks."""
    state = with_task(index, state)
    columns = index.of_task(state.task, state.shots)
    base = state.base if any(column.instruction == state.base for column in columns) else ""
    show = "differ" if state.show in NEEDS_BASE and not base else state.show
    return state.having(base=base, show=show)
