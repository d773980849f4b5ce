"""`collect review` lists wordings, and changes those that are named."""

from __future__ import annotations

import json

from phraseproof.collect.store import CollectStore

from .conftest import Collect


def test_wordings_are_listed_accepted_and_returned(collect: Collect, opened: CollectStore) -> None:
    listed = json.loads(collect("review", "--json").out)
    assert [(each["kind"], each["row"], each["author"]) for each in listed] == [
        ("zero-shot", 1, "Ada"),
        ("zero-shot", 2, "Ada"),
        ("few-shot", 1, "Ada"),
    ]
    first, second, third = (each["id"] for each in listed)
    lines = collect("review").out.splitlines()
    assert lines[0] == f"{first}  tickets, zero-shot 1, Ada: Which team should answer?"
    done = collect("review", "--accept", first, "--return", second, "--comment", "Name the teams")
    assert done.err == "note: 1 accepted, 1 returned\n"
    assert [(each.status, each.comment) for each in opened.wordings(task="tickets")][:2] == [
        ("accepted", ""),
        ("returned", "Name the teams"),
    ]
    assert collect("review", "--accept", "all", "--author", "ben").err == "note: 0 accepted, 0 returned\n"
    assert collect("review", "--accept", "all").err == "note: 1 accepted, 0 returned\n"
    assert {each.id for each in opened.wordings(status="accepted")} == {first, third}
    assert "A draft" in collect("review", "--status", "draft").out


def test_what_cannot_be_reviewed(collect: Collect, opened: CollectStore) -> None:
    done = collect("review", "--return", "x")
    assert (done.code, "--return needs a comment" in done.err) == (2, True)
    draft = opened.wordings(status="draft")[0]
    assert f"error: {draft.id}: the wording cannot be reviewed now" in collect("review", "--accept", draft.id).err
    first = opened.wordings(status="submitted")[0]
    done = collect("review", "--accept", first.id, "--accept", "x", "--return", first.id, "--comment", "Hm")
    assert (done.code, done.err) == (2, "note: 1 accepted, 0 returned\nerror: there is no wording 'x'\n")
    assert [each.id for each in opened.wordings(status="accepted")] == [first.id]
