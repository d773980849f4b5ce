"""`collect delete-person` deletes only when it is asked twice."""

from __future__ import annotations

from phraseproof.collect.store import CollectStore

from .conftest import Collect


def test_a_person_is_deleted_with_yes(collect: Collect, opened: CollectStore) -> None:
    done = collect("delete-person", "ada")
    assert done.code == 2
    assert "this would delete Ada and 3 wordings for good. Add --yes" in done.err
    assert len(opened.wordings()) == 4
    assert collect("delete-person", "ada", "--yes").err == "note: deleted Ada and 3 wordings\n"
    assert [each.text for each in opened.wordings()] == ["A draft"]
    assert "no one is called 'ada'" in collect("delete-person", "ada", "--yes").err
