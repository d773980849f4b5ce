"""The benchmark of methods on a real model (benchmarks/remedies): its wordings, and their answer forms."""

from __future__ import annotations

from pathlib import Path

from benchmarks.remedies.__main__ import COLLECTIONS, FURTHER, form_of, wordings_of

from phraseproof.instructions.collections import load_collection
from phraseproof.instructions.template import compile_instruction
from phraseproof.tasks import load_tasks


def test_a_task_is_measured_under_its_own_wordings(tmp_path: Path) -> None:
    composed, observed, unobserved = wordings_of(("everyday/topics",), COLLECTIONS, tmp_path)
    assert composed.instructions == ()
    assert [len(observed.instructions), len(unobserved.instructions)] == [10, 8]
    assert all("topics" in item.id for item in (*observed.instructions, *unobserved.instructions))


def test_wordings_are_told_apart_by_what_they_ask_for(tmp_path: Path) -> None:
    (task,) = load_tasks(["everyday/topics"])
    items = [item for each in wordings_of((task.name,), COLLECTIONS, tmp_path) for item in each.instructions]
    forms = {item.id: form_of(item, task) for item in items}
    assert list(forms.values()).count("a text") == 7
    assert {forms[item.id] for item in items if item.answer in ("{{ letter }}", "{{ index + 1 }}")} == {
        "a letter or number"
    }
    assert {forms[item.id] for item in items if item.answer == "{{ choice }}"} == {"a text"}


def test_the_check_leaves_the_options_out() -> None:
    items = load_collection(FURTHER[0]).instructions
    assert len(items) == 4
    for item in items:
        names = compile_instruction(item).names_by_part
        assert item.answer == "{{ choice }}"
        assert set().union(*(names[part] for part in names if part != "answer")) == {"question"}
