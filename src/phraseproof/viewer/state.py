"""What a page shows, as its address says it: every link is a state with something changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Self
from urllib.parse import urlencode

MAX_TEXT = 500
"""Characters of a value in an address that are read."""

MAX_NUMBER = 10**9

SHOWN = ("all", "differ", "answers", "wrong", "always-wrong", "changed", "lost", "gained")
"""Which examples are shown; the last three are compared with the wording `base`, or with the run before."""

NEEDS_BASE = ("changed", "lost", "gained")
ORDERS = ("spread", "lowest", "highest", "plan")
"""How examples are sorted: by disagreement, by their mean score, or as they were evaluated."""

WORDING_ORDERS = ("best", "worst", "plan")
"""How wordings are sorted: by their mean score on the task, or as they were evaluated."""


@dataclass(frozen=True)
class PageState:
    """The state of a page.

    Attributes:
        run: the run, by its path below the folder that is shown; `.` for the folder itself.
        other: the run that is compared with it.
        scoring, metric: of the run; empty for its first.
        task: empty for the first, or, where all tasks are shown, for all.
        shots: the number of demonstrations; -1 for the smallest.
        group: only wordings of this group; empty for all.
        kind: only wordings that declare this relation; empty for all.
        wording: a name `collection/id`: the wording of a comparison, or the second one that is read.
        base: the wording that others are compared with.
        show: one of `SHOWN`.
        q: a text that prompts, answers, examples or wordings contain.
        sort: one of `ORDERS`.
        by: one of `WORDING_ORDERS`.
        example: the id of an example.
        answer: of the wordings of an example only those with this answer: the index of an option; empty for all.
        page: of rows, from 1.
        cols: the page of columns, from 1.
    """

    run: str = ""
    other: str = ""
    scoring: str = ""
    metric: str = ""
    task: str = ""
    shots: int = -1
    group: str = ""
    kind: str = ""
    wording: str = ""
    base: str = ""
    show: str = "all"
    q: str = ""
    sort: str = "spread"
    by: str = "best"
    example: str = ""
    answer: str = ""
    page: int = 1
    cols: int = 1

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> Self:
        """The state in an address. What is not understood is left at its default."""
        found: dict[str, str | int] = {}
        for field in fields(cls):
            text = parameters.get(field.name)
            if text is None:
                continue
            if isinstance(field.default, int):
                found[field.name] = _number(text, field.default)
            else:
                found[field.name] = text[:MAX_TEXT]
        state = cls(**found)  # type: ignore[arg-type] - by the type of the default
        return replace(
            state,
            show=state.show if state.show in SHOWN else "all",
            sort=state.sort if state.sort in ORDERS else "spread",
            by=state.by if state.by in WORDING_ORDERS else "best",
            page=max(state.page, 1),
            cols=max(state.cols, 1),
        )

    def having(self, **changes: str | int) -> PageState:
        """The state with some values changed."""
        return replace(self, **changes)  # type: ignore[arg-type] - names are checked by `replace`

    def query(self) -> str:
        """The state as the query of an address, without values at their defaults."""
        changed = {field.name: getattr(self, field.name) for field in fields(self)}
        return urlencode({name: value for name, value in changed.items() if value != getattr(PageState, name)})


def _number(text: str, default: int) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 9:
        return default
    return min(int(text), MAX_NUMBER)
