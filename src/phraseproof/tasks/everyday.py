"""The everyday tasks: texts of daily life, written for phraseproof and shipped with it.

Each is a user's task (user_files.py) whose YAML and CSV files are in the package. Six have options (tickets, reviews,
requests, topics, feelings and questions): 150 examples each, and 10 to 15 more for demonstrations and alignment.
Notes are summarised and phrases translated: 60 examples each, and 6 or 8 more. Fields have the names that the
collection `composed` expects. How the examples and their wordings were written is in data/everyday/README.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from phraseproof.core import Kind, Task
from phraseproof.errors import UsageError
from phraseproof.tasks import TaskListing

_DATA = Path(__file__).parent / "data" / "everyday"
_GROUP = "everyday"
_CATEGORY = "Everyday"
_SOURCE = "shipped with phraseproof"

# Also in the YAML files, which the catalogue does not read: that needs YAML and pydantic.
_LISTINGS = (
    TaskListing(f"{_GROUP}/tickets", Kind.MULTI_CLASS, _CATEGORY, _SOURCE, "the team that handles a support ticket"),
    TaskListing(f"{_GROUP}/reviews", Kind.BINARY, _CATEGORY, _SOURCE, "whether a review is positive"),
    TaskListing(f"{_GROUP}/requests", Kind.BINARY, _CATEGORY, _SOURCE, "whether an e-mail asks its reader to act"),
    TaskListing(f"{_GROUP}/topics", Kind.MULTI_CLASS, _CATEGORY, _SOURCE, "the topic of a headline"),
    TaskListing(f"{_GROUP}/feelings", Kind.MULTI_CLASS, _CATEGORY, _SOURCE, "what the writer of a message feels"),
    TaskListing(f"{_GROUP}/questions", Kind.MULTI_CLASS, _CATEGORY, _SOURCE, "what kind of answer a question has"),
    TaskListing(
        f"{_GROUP}/notes", Kind.SUMMARIZATION, "Everyday summaries", _SOURCE, "a note of some 120 words in one sentence"
    ),
    TaskListing(
        f"{_GROUP}/phrases", Kind.TRANSLATION, "Everyday translations", _SOURCE, "a French sentence in English"
    ),
)


def listings() -> list[TaskListing]:
    """`everyday`, its six tasks with options, and two of free text."""
    return [TaskListing(_GROUP, None, "", _SOURCE, "its six tasks with options, for real models"), *_LISTINGS]


def load(name: str, *, data_dir: Path | None, warn: Callable[[str], None]) -> list[Task]:
    """The six tasks with options for `everyday`, because a run has one form of answers; one for `everyday/NAME`.

    Raises:
        UsageError: no such task.
    """
    del data_dir, warn  # shipped, and all there
    known = [listing.name for listing in _LISTINGS]
    if name == _GROUP:
        return [_task(each.name) for each in _LISTINGS if each.kind is not None and each.kind.has_options]
    if name not in known:
        close = get_close_matches(name, known, n=1)
        raise UsageError(
            f"unknown task {name!r}",
            expected=f"{_GROUP}, or one of its parts",
            hint=f"Did you mean {close[0]!r}?" if close else "`phraseproof tasks list` names them all",
        )
    return [_task(name)]


def _task(name: str) -> Task:
    # Imported here: the catalogue needs neither YAML nor pydantic.
    from phraseproof.tasks.user_files import load_file

    stem = name.removeprefix(f"{_GROUP}/")
    # The place of the installed files says nothing; the same source on every machine.
    return replace(load_file(_DATA / f"{stem}.yaml"), source=f"{_GROUP}/{stem}.csv")
