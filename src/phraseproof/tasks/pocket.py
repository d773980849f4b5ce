"""The pocket's tasks: 24 small worlds of notes, shipped, for trying things out offline.

A note says four things of one thing ("the lamp: made-by anna, sold-to boris, opens friday, costs seven."), and a task
asks about one of eight attributes: which of its four lines gives it, by letter (`pocket/choose-maker`), what it is, as
one of six labels (`pocket/label-maker`), or whether the note gives it at all (`pocket/has-maker`). Each has 100
questions, and 32 more for demonstrations and alignment. Fields: `note`, the attribute's names `about` and `about_2` to
`about_5`, so that a wording can choose how to call what it asks for, and `partner`, the name of the attribute that has
the same values.

The files are written by the pocket's recipe; this module only reads them.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from phraseproof.core import Example, Kind, Task
from phraseproof.errors import UsageError
from phraseproof.tasks import TaskListing

_DATA = Path(__file__).parent / "data" / "pocket"
_PREFIX = "pocket/"
_SOURCE = "shipped with phraseproof"


class _QuestionForm(NamedTuple):
    """One of the three kinds of question."""

    kind: Kind
    category: str
    about: str


_FORMS = {
    "choose": _QuestionForm(Kind.MULTIPLE_CHOICE, "Pocket-QA", "which of four lettered lines gives the {}"),
    "label": _QuestionForm(Kind.MULTI_CLASS, "Pocket-MC", "which of six labels is the {}"),
    "has": _QuestionForm(Kind.BINARY, "Pocket-BC", "whether the note gives the {}"),
}
_OPTION_COLUMNS = ("a", "b", "c", "d")


def listings() -> list[TaskListing]:
    """`pocket` and its 24 tasks."""
    return [
        TaskListing("pocket", None, "", _SOURCE, "24 tasks about notes, for trying things out"),
        *(
            TaskListing(
                f"{_PREFIX}{form}-{attribute}", entry.kind, entry.category, _SOURCE, entry.about.format(attribute)
            )
            for form, entry in _FORMS.items()
            for attribute in _names()
        ),
    ]


def load(name: str, *, data_dir: Path | None, warn: Callable[[str], None]) -> list[Task]:
    """All 24 tasks for `pocket`, one for `pocket/NAME`.

    Raises:
        UsageError: no such task.
    """
    del data_dir, warn  # shipped, and all there
    known = [listing.name for listing in listings() if listing.kind]
    if name == "pocket":
        return [_task(each) for each in known]
    if name not in known:
        close = get_close_matches(name, known, n=1)
        raise UsageError(
            f"unknown task {name!r}",
            expected="pocket, or one of its parts",
            hint=f"Did you mean {close[0]!r}?" if close else "`phraseproof tasks list` names them all",
        )
    return [_task(name)]


def _task(name: str) -> Task:
    form, _, attribute = name.removeprefix(_PREFIX).partition("-")
    rows = [row for row in _rows(form) if row["attribute"] == attribute]
    # Alphabetical, except that "yes" comes before "no".
    labels = tuple(sorted({row["answer"] for row in rows}, reverse=form == "has"))
    return Task(
        name=name,
        kind=_FORMS[form].kind,
        category=_FORMS[form].category,
        examples=tuple(_example(row, labels) for row in rows if row["split"] == "test"),
        demonstrations=tuple(_example(row, labels) for row in rows if row["split"] == "train"),
        source=f"pocket/{form}.csv",
    )


def _example(row: dict[str, str], labels: tuple[str, ...]) -> Example:
    choices = tuple(row[column] for column in _OPTION_COLUMNS) if "a" in row else labels
    return Example(
        id=f"{row['split']}-{row['number']}",
        fields={"note": row["note"], **_names()[row["attribute"]]},
        choices=choices,
        option_scores=tuple(float(choice == row["answer"]) for choice in choices),
    )


@lru_cache(maxsize=1)
def _names() -> dict[str, dict[str, str]]:
    """Attribute -> the fields that hold its names."""
    return {row["attribute"]: {key: row[key] for key in row if key != "attribute"} for row in _rows("words")}


@lru_cache(maxsize=4)
def _rows(stem: str) -> list[dict[str, str]]:
    with (_DATA / f"{stem}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
