"""The rules of a wording's life: who may change what, and when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from phraseproof.collect.wording_rows import MAX_CHARACTERS, MAX_ROWS
from phraseproof.errors import CollectError
from support.collecting import LATER, LICENCE, project_with


def test_a_wording_through_its_review(tmp_path: Path) -> None:
    store, (ada,) = project_with(tmp_path, "Ada")
    first = store.save(ada.id, "teams", "zero-shot", 1, "Which team?", answer=None, base=None)
    store.save(ada.id, "teams", "zero-shot", 2, " \n", answer=None, base=None)
    assert (first.status, first.revision, first.form) == ("draft", 1, "ask")
    assert store.save(ada.id, "teams", "zero-shot", 1, "Which team?", answer=None, base=1) == first
    assert [each.text for each in store.submit(ada.id, "teams")] == ["Which team?"]  # not the row without text
    assert store.submit(ada.id, "teams") == ()
    returned = store.send_back(first.id, "Name the teams", by="boss")
    assert (returned.status, returned.comment) == ("returned", "Name the teams")
    better = store.save(ada.id, "teams", "zero-shot", 1, "Billing or bug?", answer="text", base=returned.revision)
    assert (better.status, better.comment) == ("returned", "Name the teams")
    (submitted,) = store.submit(ada.id, "teams")
    assert (submitted.status, submitted.comment) == ("submitted", "")
    with pytest.raises(CollectError, match="changed meanwhile"):
        store.accept(first.id, by="boss", revision=better.revision)
    edited = store.edit(first.id, "Billing or bug? ", by="boss")
    assert (edited.status, edited.answer) == ("submitted", "text")
    accepted = store.accept(first.id, by="boss", revision=edited.revision)
    assert store.accept(first.id, by="boss") == accepted == store.wording(first.id)
    with pytest.raises(CollectError, match="an accepted wording cannot be changed"):
        store.save(ada.id, "teams", "zero-shot", 1, "Other", answer=None, base=accepted.revision)
    assert [(each.action, each.by, each.base) for each in store.history(first.id)] == [
        ("saved", ada.id, None),
        ("submitted", ada.id, None),
        ("returned", "boss", None),
        ("saved", ada.id, 3),
        ("submitted", ada.id, None),
        ("edited", "boss", None),
        ("accepted", "boss", None),
    ]
    assert store.send_back(first.id, "After all", by="boss").status == "returned"


def test_a_submitted_wording_that_is_changed_is_a_draft_again(tmp_path: Path) -> None:
    store, (ada,) = project_with(tmp_path, "Ada")
    first = store.save(ada.id, "teams", "few-shot", 1, "Which team?", answer=None, base=None)
    store.submit(ada.id, "teams")
    assert store.save(ada.id, "teams", "few-shot", 1, "Which one?", answer=None, base=2).status == "draft"
    for review in (store.accept, lambda each, by: store.send_back(each, "", by=by)):
        with pytest.raises(CollectError, match=r"cannot be reviewed now \(expected .*submitted, got draft"):
            review(first.id, by="boss")
    with pytest.raises(CollectError, match="cannot be reviewed now"):
        store.edit(first.id, "Other", by="boss")
    with pytest.raises(CollectError, match="there is no wording 'x'"):
        store.accept("x", by="boss")


def test_what_cannot_be_stored_is_refused(tmp_path: Path) -> None:
    store, (ada,) = project_with(tmp_path, "Ada")
    newcomer = store.invite("Ben", expires=LATER)
    usual: dict[str, Any] = {"invitation_id": ada.id, "task": "teams", "kind": "zero-shot", "row": 1, "text": "a"}

    def save(**changes: Any) -> None:
        values: dict[str, Any] = {**usual, "answer": None, "base": None, **changes}
        store.save(**values)

    for changes, problem in (
        ({"invitation_id": "x"}, "there is no invitation 'x'"),
        ({"task": "x"}, r"no task 'x' \(expected one of: teams, capitals\)"),
        ({"kind": "x"}, "there is no table 'x'"),
        ({"row": 0}, "no such row"),
        ({"row": MAX_ROWS + 1}, "no such row"),
        ({"text": "a" * (MAX_CHARACTERS + 1)}, "too long"),
        ({"answer": "a" * (MAX_CHARACTERS + 1)}, "too long"),
        ({"text": "\ud800"}, "half of a character"),
    ):
        with pytest.raises(CollectError, match=problem):
            save(**changes)
    assert store.wordings() == ()
    save(invitation_id=newcomer.id)
    with pytest.raises(CollectError, match="'Ben' has not agreed"):
        store.submit(newcomer.id, "teams")
    store.agree(newcomer.id, LICENCE)
    (wording,) = store.submit(newcomer.id, "teams")
    with pytest.raises(CollectError, match="needs a text"):
        store.edit(wording.id, "  ", by="boss")
