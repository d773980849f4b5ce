"""Looks up what a run holds of the examples that a section of the page shows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from phraseproof.store.queries import Run

Row: TypeAlias = Mapping[str, Any]

_LOOK_UP = """
    SELECT task, example_id, {columns} FROM outcomes
    WHERE num_fewshot = ? AND NOT list_contains(?::VARCHAR[], "group")
        AND task IN (SELECT unnest(?)) AND example_id IN (SELECT unnest(?))
    ORDER BY instruction, "group", fewshot_seed, repeat
"""


def rows_of_examples(
    run: Run, chosen: Sequence[Row], columns: str, num_fewshot: int, controls: Collection[str]
) -> list[tuple[Row, list[Row]]]:
    """Each chosen example with its outcomes under all wordings, sorted by task.

    Args:
        run: the run.
        chosen: rows with `task` and `example_id`; of one task in the order in which they are shown.
        columns: of the outcomes, as SQL.
        num_fewshot: the number of demonstrations.
        controls: groups of wordings to leave out.
    """
    if not chosen:
        return []
    tasks, ids = (sorted({row[name] for row in chosen}) for name in ("task", "example_id"))
    by_example: dict[tuple[str, str], list[Row]] = {}
    for row in run.query_rows(_LOOK_UP.format(columns=columns), [num_fewshot, list(controls), tasks, ids]):
        by_example.setdefault((row["task"], row["example_id"]), []).append(row)
    found = [(row, by_example[row["task"], row["example_id"]]) for row in chosen]
    return sorted(found, key=lambda each: tasks.index(each[0]["task"]))


def num_wordings(rows: Iterable[Row]) -> int:
    """How many wordings outcomes are under.

    Of the few examples that are shown, since DuckDB would keep every name of every example to count them.
    """
    return len({row["instruction"] for row in rows})
