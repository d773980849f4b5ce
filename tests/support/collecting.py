"""A small collecting project for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from phraseproof.collect.records import Invitation, Project, ProjectTask
from phraseproof.collect.store import CollectStore
from phraseproof.core import Example, Kind, Task

LICENCE = "CC0-1.0"
LATER = datetime.now(UTC) + timedelta(days=30)

TEAMS = Task(
    name="teams",
    kind=Kind.MULTI_CLASS,
    category="teams",
    examples=tuple(
        Example(str(number), {"message": text}, ("billing", "bug"), scores)
        for number, (text, scores) in enumerate(
            [("I was charged twice", (1.0, 0.0)), ("It crashes", (0.0, 1.0)), ("Refund me", (1.0, 0.0))]
        )
    ),
)
CAPITALS = Task(
    name="capitals",
    kind=Kind.MULTIPLE_CHOICE,
    category="capitals",
    examples=(
        Example("0", {"country": "France", "hint": "a river"}, ("Paris", "Lyon"), (1.0, 0.0)),
        Example("1", {"country": "Peru", "hint": "the sea"}, ("Cusco", "Lima"), (0.0, 1.0)),
    ),
)

TICKETS_FILE = """\
name: tickets
kind: multi_class
data: tickets.csv
choices: [billing, bug, praise]
answer: team
"""
TICKETS = """\
message,team
I was charged twice.,billing
It crashes.,bug
Thank you!,praise
Where is my invoice?,billing
The page is empty.,bug
Well done.,praise
"""


def write_tickets(folder: Path) -> Path:
    """A task's file and its data."""
    (folder / "tickets.csv").write_text(TICKETS, encoding="utf-8")
    (folder / "tickets.yaml").write_text(TICKETS_FILE, encoding="utf-8")
    return folder / "tickets.yaml"


def small_project(**changes: object) -> Project:
    values: dict[str, object] = {
        "title": "Wordings for two tasks",
        "licence": LICENCE,
        "tasks": (ProjectTask("teams", "teams.yaml"), ProjectTask("capitals", "capitals.yaml")),
        "zero_shot": 2,
        "few_shot": 1,
    }
    return Project(**values | changes)  # type: ignore[arg-type]


def project_with(folder: Path, *pseudonyms: str) -> tuple[CollectStore, list[Invitation]]:
    """A project whose annotators have agreed to the licence."""
    store = CollectStore.create(folder, small_project())
    people = [store.invite(each, expires=LATER) for each in pseudonyms]
    for person in people:
        store.agree(person.id, LICENCE)
    return store, people
