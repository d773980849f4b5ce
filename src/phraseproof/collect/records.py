"""The nouns of a collecting project, as frozen data (paper, Appendix J)."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from phraseproof.errors import CollectError

Role = Literal["annotator", "owner"]
"""An annotator writes wordings; an owner reviews them."""

Shots = Literal["zero-shot", "few-shot"]
"""The table of the form that a wording is written in: for prompts without or with solved examples."""

Form = Literal["ask", "template"]
"""What a text is: what is asked, which the task's usual layout follows, or a whole template."""

Status = Literal["draft", "submitted", "returned", "accepted"]
"""The state of a wording: being written, waiting for review, returned with a comment, accepted."""

Action = Literal["saved", "submitted", "accepted", "returned", "edited", "imported"]
"""What made a revision. An owner edits; an annotator saves."""

MAX_PSEUDONYM = 80
"""The maximum length of a pseudonym, in characters."""

_BLANK = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # letters and symbols that show nothing

SHOTS: tuple[Shots, ...] = ("zero-shot", "few-shot")
STATUSES: tuple[Status, ...] = ("draft", "submitted", "returned", "accepted")


@dataclass(frozen=True, slots=True)
class ProjectTask:
    """A task that wordings are collected for.

    Attributes:
        name: the task's name.
        source: what `load_tasks` loads it from: a built-in name, or the path of a task's file.
        description: what the task is about, in the owner's words; empty where the owner gave none.
        worked_example: the text of a wording that annotators see as an example; empty for a computed one.
    """

    name: str
    source: str
    description: str = ""
    worked_example: str = ""


@dataclass(frozen=True, slots=True)
class Project:
    """What is collected, and under which terms.

    Attributes:
        title: the heading of the form.
        licence: the text that annotators agree to before they submit; it is the licence of exported wordings.
        tasks: the tasks, in the order of the form.
        languages: codes of the languages of the form, the default first.
        zero_shot, few_shot: the wordings asked per annotator and task, by table. The paper's 12 per task are 6 and 6.
        data_dir: the folder of the benchmarks' published files; `None` loads from the hub.

    Raises:
        CollectError: no task, two of one name, or no wordings asked.
    """

    title: str
    licence: str
    tasks: tuple[ProjectTask, ...]
    languages: tuple[str, ...] = ("en", "de")
    zero_shot: int = 6
    few_shot: int = 6
    data_dir: str | None = None

    def __post_init__(self) -> None:
        names = [task.name for task in self.tasks]
        if not names:
            raise CollectError("a project needs at least one task")
        if doubled := next((name for name in names if names.count(name) > 1), None):
            raise CollectError(f"the task {doubled!r} is named twice")
        if min(self.zero_shot, self.few_shot) < 0 or self.zero_shot + self.few_shot == 0:
            raise CollectError(
                "a project asks for wordings",
                expected="at least one zero-shot or few-shot wording per task",
                got=f"{self.zero_shot} and {self.few_shot}",
            )

    def asked(self, kind: Shots) -> int:
        """The wordings asked per annotator and task in one table."""
        return self.zero_shot if kind == "zero-shot" else self.few_shot


@dataclass(frozen=True, slots=True)
class Invitation:
    """One person's access. The person's name is nowhere: owners keep who has which pseudonym.

    Attributes:
        id: unique in the project.
        pseudonym: how the person is called in the form, in tables and in exported collections.
        role: what the person may do.
        token_id: part of the link's token; a renewed invitation has another one, so that the old link stops.
        created, expires: in UTC.
        revoked: when the invitation was revoked; `None` while it is valid.
        agreed_at: when the person agreed to `licence`; `None` before.
        licence: the text that the person agreed to.
    """

    id: str
    pseudonym: str
    role: Role
    token_id: str = field(repr=False)
    created: datetime
    expires: datetime
    revoked: datetime | None = None
    agreed_at: datetime | None = None
    licence: str | None = None


def checked_pseudonym(pseudonym: str) -> str:
    """A pseudonym with single spaces.

    Raises:
        CollectError: it is empty, too long, not printable, or shows nothing.
    """
    name = " ".join(unicodedata.normalize("NFC", pseudonym).split())
    is_seen = any(unicodedata.category(each)[0] in "LNPS" and each not in _BLANK for each in name)
    if not is_seen or len(name) > MAX_PSEUDONYM or not name.isprintable():
        raise CollectError(
            "not a pseudonym", expected=f"1 to {MAX_PSEUDONYM} printable characters", got=repr(pseudonym[:100])
        )
    return name


def folded_pseudonym(pseudonym: str) -> str:
    """What is equal for pseudonyms that look the same up to the case and the width of letters."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", pseudonym).casefold())


@dataclass(frozen=True, slots=True)
class CollectedWording:
    """One row of a table of the form.

    Attributes:
        id: unique in the project.
        invitation_id: who wrote it.
        task, kind, row: its place: the task's name, the table, and the row from 1.
        text: an ask or a template, as `form` says; empty for a row that was cleared.
        answer: the answer form: `letter`, `text` or a template of one answer; `None` follows the labels of the options.
        form: what the text is.
        status: its state.
        comment: the reviewer's, of a returned wording; else empty.
        revision: the number of its last revision, from 1.
        created, changed: in UTC.
    """

    id: str
    invitation_id: str
    task: str
    kind: Shots
    row: int
    text: str
    answer: str | None
    form: Form
    status: Status
    comment: str
    revision: int
    created: datetime
    changed: datetime


@dataclass(frozen=True, slots=True)
class Revision:
    """One entry of a wording's history: every text that it had, and every step of its review.

    Attributes:
        number: from 1, in the order in which they were stored.
        action: what was done.
        text, answer, form: the wording after it.
        comment: the reviewer's, of a returned wording; else empty.
        by: the id of the invitation of who did it, or another name of an owner; `deleted` after a deletion.
        at: in UTC.
        base: the number of the revision that the writer saw; `None` where it is not known. A `base` below
            `number - 1` means that somebody else wrote in between; both texts are in the history.
    """

    number: int
    action: Action
    text: str
    answer: str | None
    form: Form
    comment: str
    by: str
    at: datetime
    base: int | None


@dataclass(frozen=True, slots=True)
class AnnotatorProgress:
    """How far one person is with one task: wordings with text, by status, and how many are asked."""

    invitation_id: str
    pseudonym: str
    task: str
    draft: int
    submitted: int
    returned: int
    accepted: int
    asked: int


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """What was done to the project: who (`by`), when (UTC), what, to which invitation or wording, and details."""

    at: datetime
    by: str
    action: str
    subject: str
    detail: str


class TableWording(NamedTuple):
    """One wording of a table; `where` is its file and row."""

    where: str
    author: str
    task: str
    kind: Shots
    text: str
    form: Form
    answer: str | None


class ImportCounts(NamedTuple):
    """What an import did: wordings that were added, wordings that were there already, and authors that are new."""

    added: int
    repeated: int
    authors: int
