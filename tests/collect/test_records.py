"""What a project and a pseudonym may be."""

from __future__ import annotations

import pytest

from phraseproof.collect.records import ProjectTask, checked_pseudonym, folded_pseudonym
from phraseproof.errors import CollectError
from support.collecting import small_project


def test_a_project_asks_for_wordings_of_different_tasks() -> None:
    project = small_project()
    assert (project.asked("zero-shot"), project.asked("few-shot")) == (2, 1)
    with pytest.raises(CollectError, match="at least one task"):
        small_project(tasks=())
    with pytest.raises(CollectError, match="'teams' is named twice"):
        small_project(tasks=(ProjectTask("teams", "a.yaml"), ProjectTask("teams", "b.yaml")))
    with pytest.raises(CollectError, match="asks for wordings"):
        small_project(zero_shot=0, few_shot=0)
    with pytest.raises(CollectError, match="asks for wordings"):
        small_project(zero_shot=-1)


def test_a_pseudonym_is_one_line() -> None:
    assert checked_pseudonym("  Ada \t Lovelace ") == "Ada Lovelace"
    for wrong in ("", " \n", "x" * 81, "a\x00b", "a\u202eb", "\u3164", "\u0301", "\u2800 \u2800"):
        with pytest.raises(CollectError, match="not a pseudonym"):
            checked_pseudonym(wrong)


def test_pseudonyms_that_look_the_same_are_the_same() -> None:
    assert checked_pseudonym("Zoe\u0301") == checked_pseudonym("Zo\u00e9") == "Zo\u00e9"
    assert folded_pseudonym("\uff22en") == folded_pseudonym("bEN") == "ben"
    assert folded_pseudonym("ZOE\u0301") == folded_pseudonym("zo\u00e9") != folded_pseudonym("zoe")
