"""An import adds all wordings of a table, or none; what is there already is not added again."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.collect.export import collected_instructions
from phraseproof.collect.records import TableWording
from phraseproof.collect.wording_rows import MAX_CHARACTERS, MAX_ROWS
from phraseproof.errors import CollectError
from support.collecting import CAPITALS, LICENCE, TEAMS, project_with

TASKS = {"teams": TEAMS, "capitals": CAPITALS}


def _wording(text: str, author: str = "Ada", where: str = "w.csv:2") -> TableWording:
    return TableWording(where, author, "teams", "zero-shot", text, "ask", None)


def test_an_import_is_reviewed_and_can_be_repeated(tmp_path: Path) -> None:
    store, (ada,) = project_with(tmp_path, "Ada")
    wordings = [_wording("Which team?", "ADA"), _wording("Whose job?", "Ben"), _wording("Whose job?", "ben")]
    assert store.import_wordings(wordings, licence="CC-BY-4.0") == (2, 1, 1)
    assert store.import_wordings(wordings, licence="CC-BY-4.0") == (0, 3, 0)
    ben = store.invitation_called("Ben")
    assert (store.invitation_called("Ada").licence, ben.licence) == (LICENCE, "CC-BY-4.0")
    assert [each.by for each in store.events() if each.action == "agreed to the licence"] == [ada.id, "import"]
    for wording in store.wordings(status="submitted"):
        store.accept(wording.id, by="boss")
    exported = collected_instructions(store, TASKS, name="ours", kinds=("zero-shot",))
    assert [(each.author, each.licence) for each in exported.instructions] == [("Ada", LICENCE), ("Ben", "CC-BY-4.0")]


def test_wordings_take_the_next_rows_once(tmp_path: Path) -> None:
    store, (ada,) = project_with(tmp_path, "Ada")
    store.save(ada.id, "teams", "zero-shot", 2, "Mine", answer=None, base=None)
    store.save(ada.id, "teams", "zero-shot", 3, "Gone", answer=None, base=None)
    store.save(ada.id, "teams", "zero-shot", 3, "", answer=None, base=None)
    store.import_wordings([_wording(text) for text in ("One", "Two", "One", "Mine")], licence=LICENCE)
    mine, one, two = store.wordings()
    assert [(each.text, each.row, each.status) for each in (mine, one, two)] == [
        ("Mine", 2, "draft"),
        ("One", 3, "submitted"),
        ("Two", 4, "submitted"),
    ]
    assert [(each.action, each.by) for each in store.history(two.id)] == [
        ("imported", "import"),
        ("submitted", "import"),
    ]


def test_all_wordings_or_none(tmp_path: Path) -> None:
    store, _ = project_with(tmp_path, "Ada")
    store.import_wordings([_wording(f"Wording {number}") for number in range(MAX_ROWS - 1)], licence=LICENCE)
    events, good = store.events(), [_wording("From Ben", "Ben"), _wording("The last row")]
    for bad, problem in (
        (_wording("One more", where="w.csv:9"), r"the zero-shot table of Ada is full .*at most 200 wordings"),
        (_wording("x" * (MAX_CHARACTERS + 1), "Ben", "w.csv:9"), "the text is too long"),
        (_wording(" ", "Cid", "w.csv:9"), "the wording is empty"),
        (_wording("Whose?", "Cid", "w.csv:9")._replace(task="x"), "the project has no task 'x'"),
    ):
        with pytest.raises(CollectError, match=rf"w\.csv:9: {problem}.*Nothing was imported"):
            store.import_wordings([*good, bad], licence=LICENCE)
        assert (len(store.wordings()), store.events()) == (MAX_ROWS - 1, events)
        assert [each.pseudonym for each in store.invitations()] == ["Ada"]
    assert store.import_wordings(good, licence=LICENCE) == (2, 0, 1)
