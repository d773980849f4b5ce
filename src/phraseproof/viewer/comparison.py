"""Two runs on the wordings and examples that both hold: what changed, with both answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from phraseproof.analysis.readings import require_one_reading, shared_metric
from phraseproof.viewer.example import ShownAnswer, read_answer, references_of
from phraseproof.viewer.index import Column, RunIndex
from phraseproof.viewer.paging import Page, page_of
from phraseproof.viewer.recent import Recent
from phraseproof.viewer.rows import StoredRow, read_rows
from phraseproof.viewer.state import PageState
from phraseproof.viewer.wordings import is_shown

CHANGES_PER_PAGE = 15
WORDINGS_PER_PAGE = 50

_Draw = tuple[int, int, int]


class ComparedWording(NamedTuple):
    """A wording in both runs, over the examples and draws that both hold.

    Attributes:
        before, after: mean scores.
        num_outcomes: of each run.
        num_changed: outcomes whose answer differs.
        num_lost, num_gained: outcomes whose score became worse or better.
    """

    column: Column
    before: float
    after: float
    num_outcomes: int
    num_changed: int
    num_lost: int
    num_gained: int

    @property
    def difference(self) -> float:
        """After minus before."""
        return self.after - self.before


class Change(NamedTuple):
    """An example under a wording, in both runs."""

    column: Column
    example: str
    references: tuple[str, ...]
    before: ShownAnswer
    after: ShownAnswer


class Comparison(NamedTuple):
    """A task of two runs.

    Attributes:
        wordings: those that lost most first.
        total: over all shared wordings and examples.
        changes: of the wordings that are shown.
        left_out: wordings that only one of the runs has, or that have another text in the other.
        num_examples: examples that both hold; lacking: that only one holds.
    """

    wordings: Page[ComparedWording]
    total: ComparedWording | None
    changes: Page[Change]
    left_out: int
    num_examples: int
    lacking: int


class _Pair(NamedTuple):
    column: Column
    before: int
    after: int


class _Shared(NamedTuple):
    """What two runs share of a task; `before` is kept so that no other index has its `id`."""

    before: RunIndex
    pairs: tuple[_Pair, ...]
    left_out: int
    num_examples: int
    lacking: int
    lines: tuple[ComparedWording, ...]


def compare_on_task(before: RunIndex, after: RunIndex, state: PageState) -> Comparison:
    """What changed on the task that a state names, from the first run to the second.

    Wordings are the same if group, name and, where both are known, text are; examples, if their names are.

    Raises:
        UsageError: the two runs have scores of different metrics, or answers that were read in different ways.
        RunError: a file is damaged or gone.
    """
    require_one_reading([before.run, after.run])
    shared_metric([before.run, after.run])
    known: Recent[tuple[Any, ...], _Shared] = after.kept.setdefault("shared", Recent(4))
    shared = known.get((id(before), state.task, state.shots), lambda: _shared(before, after, state))
    text = state.q.casefold()
    lines = [
        line
        for line in shared.lines
        if is_shown(line.column, state)
        and (not text or text in line.column.instruction.casefold() or text in line.column.text.casefold())
    ]
    shown = [line for line in lines if not state.wording or line.column.instruction == state.wording]
    return Comparison(
        page_of(lines, state.cols, WORDINGS_PER_PAGE),
        _total(lines),
        _changes(before, after, shared, {line.column.number for line in shown}, state),
        shared.left_out,
        shared.num_examples,
        shared.lacking,
    )


def _shared(before: RunIndex, after: RunIndex, state: PageState) -> _Shared:
    earlier = {(each.group, each.instruction): each for each in before.of_task(state.task, state.shots)}
    later = after.of_task(state.task, state.shots)
    pairs: list[_Pair] = []
    matched = 0
    for column in later:
        other = earlier.get((column.group, column.instruction))
        if other is None or (other.text and column.text and other.text != column.text):
            continue
        draws = {_draw(before, cell): cell for cell in other.cells}
        same = [(draws[_draw(after, cell)], cell) for cell in column.cells if _draw(after, cell) in draws]
        pairs += [_Pair(column, *cells) for cells in same]
        matched += bool(same)
    left_out = len(earlier) + len(later) - 2 * matched
    here, there = before.numbers_of(state.task), after.numbers_of(state.task)
    both = here.keys() & there.keys()
    lines = _lines(before, after, pairs)
    return _Shared(before, tuple(pairs), left_out, len(both), len(here) + len(there) - 2 * len(both), tuple(lines))


def _draw(index: RunIndex, cell: int) -> _Draw:
    found = index.cells[cell]
    return found.fewshot_seed, found.repeat, found.option_order


_JOINED = """
    FROM (SELECT unnest(?::INTEGER[]) AS old, unnest(?::INTEGER[]) AS cell, unnest(?::INTEGER[]) AS column_number)
    JOIN outcomes AS b USING (cell)
    JOIN examples AS later ON later.example = b.example
    JOIN earlier_outcomes AS a ON a.cell = old AND a.id = later.id
"""


def _joined(before: RunIndex, after: RunIndex, pairs: Sequence[_Pair], sql: str, more: Sequence[object]) -> list[Any]:
    """The rows of a query over pairs of outcomes, `a` of the run before and `b` of the run after."""
    cells = [pair.before for pair in pairs]
    with before.connection.cursor() as cursor:
        incoming = cursor.sql(
            "SELECT cell, row, example, id, score, answer FROM outcomes JOIN examples USING (example) "
            "WHERE cell IN (SELECT unnest(?::INTEGER[]))",
            params=[cells],
        ).to_arrow_table()
    with after.connection.cursor() as cursor:
        cursor.register("earlier_outcomes", incoming)
        given = [cells, [pair.after for pair in pairs], [pair.column.number for pair in pairs], *more]
        return cursor.execute(sql, given).fetchall()


def _lines(before: RunIndex, after: RunIndex, pairs: Sequence[_Pair]) -> list[ComparedWording]:
    if not pairs:
        return []
    sign = 1 if after.metric.higher_is_better else -1
    rows = _joined(
        before,
        after,
        pairs,
        f"""
        SELECT column_number, avg(a.score), avg(b.score), count(*), count(*) FILTER (a.answer <> b.answer),
            count(*) FILTER ({sign} * (b.score - a.score) < 0), count(*) FILTER ({sign} * (b.score - a.score) > 0)
        {_JOINED} GROUP BY column_number
        """,
        [],
    )
    columns = {pair.column.number: pair.column for pair in pairs}
    lines = [ComparedWording(columns[number], *values) for number, *values in rows]
    return sorted(lines, key=lambda line: (sign * line.difference, line.column.number))


def _total(lines: Sequence[ComparedWording]) -> ComparedWording | None:
    count = sum(line.num_outcomes for line in lines)
    if not count:
        return None
    return ComparedWording(
        lines[0].column,
        sum(line.before * line.num_outcomes for line in lines) / count,
        sum(line.after * line.num_outcomes for line in lines) / count,
        count,
        sum(line.num_changed for line in lines),
        sum(line.num_lost for line in lines),
        sum(line.num_gained for line in lines),
    )


CHANGES = {
    "lost": "{sign} * (b.score - a.score) < 0",
    "gained": "{sign} * (b.score - a.score) > 0",
    "differ": "b.score <> a.score",
    "answers": "a.answer <> b.answer",
}
"""Which outcomes are listed, as conditions."""


def _changes(before: RunIndex, after: RunIndex, shared: _Shared, columns: set[int], state: PageState) -> Page[Change]:
    pairs = [pair for pair in shared.pairs if pair.column.number in columns]
    if not pairs:
        return page_of([], 1, CHANGES_PER_PAGE)
    sign = 1 if after.metric.higher_is_better else -1
    condition = CHANGES.get(state.show, CHANGES["differ"]).format(sign=sign)
    ((total,),) = _joined(before, after, pairs, f"SELECT count(*) {_JOINED} WHERE {condition}", [])
    page = page_of(range(total), state.page, CHANGES_PER_PAGE)
    rows = _joined(
        before,
        after,
        pairs,
        f"SELECT column_number, a.cell, a.row, a.example, b.cell, b.row, b.example {_JOINED} WHERE {condition} "
        "ORDER BY later.example, column_number, b.cell LIMIT ? OFFSET ?",
        [CHANGES_PER_PAGE, (page.number - 1) * CHANGES_PER_PAGE],
    )
    found = [(column, StoredRow(*values[:3]), StoredRow(*values[3:])) for column, *values in rows]
    old = read_rows(before, [each for _, each, _ in found])
    new = read_rows(after, [each for _, _, each in found])
    named = {pair.column.number: pair.column for pair in pairs}
    changes = [
        _change(before, after, named[column], (first, old[first]), (second, new[second]))
        for column, first, second in found
    ]
    return Page(changes, page.number, page.size, page.total)


def _change(
    before: RunIndex,
    after: RunIndex,
    column: Column,
    old: tuple[StoredRow, Mapping[str, Any]],
    new: tuple[StoredRow, Mapping[str, Any]],
) -> Change:
    return Change(
        column,
        new[1]["example_id"],
        references_of(new[1]),
        read_answer(before, *old),
        read_answer(after, *new),
    )
