"""An exported collection is what was collected, whatever people wrote."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phraseproof.collect.export import PassedChecks, collected_instructions, export_collection, export_everything
from phraseproof.collect.records import CollectedWording, Shots
from phraseproof.core import Relation, Task
from phraseproof.errors import CollectError
from phraseproof.instructions.collections import load_collection
from phraseproof.instructions.template import literal
from support.collecting import CAPITALS, LATER, LICENCE, TEAMS, project_with, small_project

TASKS = {"teams": TEAMS, "capitals": CAPITALS}
BOTH = ("zero-shot", "few-shot")
HOSTILE = st.text(min_size=1, max_size=40) | st.sampled_from(
    [
        "</script><script>alert(1)</script>",
        "yes",
        "- 1: {a: b}",
        "# no comment\n---\n...",
        "tab\tand\r\nbell\x07\x85\u2028\ufeff",
        "Ünïcødé 🎉 \u202e",
        "\\N{BULLET} '\"` |\n  indented\n\n\n",
        " both ends ",
        "!!python/object/apply:os.system ['true']",
    ]
)


@settings(max_examples=15)
@given(texts=st.lists(HOSTILE.filter(lambda text: text.strip()), min_size=1, max_size=3), pseudonym=HOSTILE)
def test_hostile_texts_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], pseudonym: str
) -> None:
    folder = tmp_path_factory.mktemp("project")
    try:
        store, (ada,) = project_with(folder, pseudonym)
    except CollectError:  # not a pseudonym
        store, (ada,) = project_with(folder / "again", "Ada / 1")
    for row, text in enumerate(texts, start=1):
        store.save(ada.id, "teams", "zero-shot", row, literal(text), answer=None, base=None)
    for wording in store.submit(ada.id, "teams"):
        store.accept(wording.id, by="boss")
    exported = export_collection(store, TASKS, folder / "w.yaml", name="ours", kinds=("zero-shot",))
    read = load_collection(str(folder / "w.yaml"))
    assert read.name == "ours"
    assert read.instructions == exported.instructions
    assert len(exported.instructions) + len(exported.left_out) == len(texts)
    assert [each.ask for each in read.instructions] == [each.text for each in exported.sources]
    for each in read.instructions:
        assert (each.relation, each.author, each.licence) == (Relation.UNOBSERVED, ada.pseudonym, LICENCE)
        assert each.serves == ("teams",)
    store.close()


def test_what_is_left_out_and_why(tmp_path: Path) -> None:
    store, (ada, ben) = project_with(tmp_path, "Ada", "Ben")
    silent = store.invite("Cid", expires=LATER)
    for person, row, text in (
        (ada, 1, "Which team?"),
        (ada, 2, "{{ massage }}"),
        (ada, 3, "{% for x in range(10) %}{{ message[x] }}"),
        (ada, 4, "Returned"),
        (ben, 1, "which  TEAM?"),
        (ben, 2, "Whose job?"),
    ):
        store.save(person.id, "teams", "zero-shot", row, text, answer=None, base=None)
    store.save(ada.id, "teams", "few-shot", 1, "With examples", answer=None, base=None)
    for person in (ada, ben):
        for wording in store.submit(person.id, "teams"):
            store.accept(wording.id, by="boss")
    store.send_back(store.wordings()[3].id, "Hm", by="boss")
    store.agree(silent.id, "")
    store.save(silent.id, "teams", "zero-shot", 1, "No licence", answer=None, base=None)
    (from_list,) = store.submit(silent.id, "teams")
    store.accept(from_list.id, by="boss")
    exported = collected_instructions(store, TASKS, name="ours", kinds=("zero-shot",))
    assert [(each.id, each.ask) for each in exported.instructions] == [
        ("teams-zero-shot-Ada-1", "Which team?"),
        ("teams-zero-shot-Ben-2", "Whose job?"),
    ]
    reasons = {(each.author, each.wording.row): each.reason for each in exported.left_out}
    assert reasons.keys() == {("Ada", 2), ("Ada", 3), ("Ben", 1), ("Cid", 1)}
    assert "needs 'massage', which task 'teams' does not have" in reasons["Ada", 2]
    assert "not a valid template" in reasons["Ada", 3]
    assert reasons["Ben", 1] == "it differs from 'teams-zero-shot-Ada-1' only in white space or letter case"
    assert reasons["Cid", 1] == "Cid has agreed to no licence"
    both = collected_instructions(store, TASKS, name="ours", kinds=BOTH, statuses=("accepted", "returned"))
    assert [each.ask for each in both.instructions] == ["Which team?", "Returned", "Whose job?", "With examples"]


def test_what_passed_is_not_checked_again_until_it_changes(tmp_path: Path) -> None:
    store, (ada,) = project_with(tmp_path, "Ada")
    first = store.save(ada.id, "teams", "zero-shot", 1, "{{ message }}", answer=None, base=None)
    store.submit(ada.id, "teams")
    store.accept(first.id, by="boss")
    passed = PassedChecks()

    def exported(tasks: dict[str, Task]) -> tuple[int, int]:
        found = collected_instructions(store, tasks, name="ours", kinds=("zero-shot",), passed=passed)
        return len(found.instructions), len(found.left_out)

    unlike = {"teams": replace(TEAMS, examples=CAPITALS.examples)}  # no example has a message
    assert exported(unlike) == (0, 1)
    assert exported(TASKS) == (1, 0)
    assert exported(unlike) == (1, 0)  # remembered
    store.edit(first.id, "{{ message }}?", by="boss")
    assert exported(unlike) == (0, 1)


def test_wordings_of_a_person_who_is_deleted_meanwhile_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, (ada, ben) = project_with(tmp_path, "Ada", "Ben")
    for person in (ada, ben):
        store.save(person.id, "teams", "zero-shot", 1, f"Which team, {person.pseudonym}?", answer=None, base=None)
        store.submit(person.id, "teams")
    read = store.wordings

    def read_and_delete() -> tuple[CollectedWording, ...]:
        found = read()
        store.delete_person(ben.id)
        return found

    monkeypatch.setattr(store, "wordings", read_and_delete)
    exported = collected_instructions(store, TASKS, name="ours", kinds=("zero-shot",), statuses=("submitted",))
    assert [each.author for each in exported.instructions] == ["Ada"]


def test_the_time_is_that_of_the_text(tmp_path: Path) -> None:
    store, (ada,) = project_with(tmp_path, "Ada")
    first = store.save(ada.id, "teams", "zero-shot", 1, "Which team?", answer=None, base=None)
    store.submit(ada.id, "teams")
    store.accept(first.id, by="boss")
    assert store.written() == {first.id: first.changed}
    (instruction,) = collected_instructions(store, TASKS, name="ours", kinds=("zero-shot",)).instructions
    assert instruction.source == f"{small_project().title}, {first.changed:%Y-%m-%dT%H:%M:%SZ}"
    edited = store.edit(first.id, "Which of the teams?", by="boss")
    assert store.written() == {first.id: edited.changed}


def test_ids_of_similar_pseudonyms_differ(tmp_path: Path) -> None:
    store, people = project_with(tmp_path, "Ada/1", "Ada 1", "???")
    for number, person in enumerate(people):
        store.save(person.id, "teams", "zero-shot", 1, f"Wording {number}", answer=None, base=None)
        store.submit(person.id, "teams")
    exported = collected_instructions(store, TASKS, name="ours", kinds=("zero-shot",), statuses=("submitted",))
    first, second, third = (each.id for each in exported.instructions)
    assert (first, second) == ("teams-zero-shot-Ada-1-1", "teams-zero-shot-Ada-1-1-2")
    assert third == f"teams-zero-shot-{people[2].id}-1"


def test_a_file_says_what_it_holds_and_for_which_prompts(tmp_path: Path) -> None:
    store, (ada,) = project_with(tmp_path, "Ada")
    texts: tuple[tuple[Shots, str], ...] = (
        ("zero-shot", "Which team?"),
        ("few-shot", "Name it."),
        ("few-shot", "Sort."),
    )
    for row, (kind, text) in enumerate(texts, start=1):
        store.save(ada.id, "teams", kind, row, text, answer=None, base=None)
    store.submit(ada.id, "teams")

    def remark(*kinds: Shots) -> list[str]:
        path = tmp_path / "w.yaml"
        export_collection(store, TASKS, path, name="ours", kinds=kinds, statuses=("submitted",))
        return [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")][1:]

    assert remark("zero-shot") == ["# 1 zero-shot wording by 1 annotator, collected with phraseproof"]
    few = "# Few-shot wordings were written for prompts with solved examples: evaluate with --num-fewshot."
    assert remark("few-shot") == ["# 2 few-shot wordings by 1 annotator, collected with phraseproof", few]
    first, *others = remark("zero-shot", "few-shot")
    assert first == "# 1 zero-shot and 2 few-shot wordings by 1 annotator, collected with phraseproof"
    assert (others[0], len(others)) == (few, 2)


def test_nothing_to_export_is_an_error_and_everything_is_json(tmp_path: Path) -> None:
    store, (ada,) = project_with(tmp_path, "Ada")
    with pytest.raises(CollectError, match=r"no wording can be exported \(0 left out\).*accepted zero-shot"):
        export_collection(store, TASKS, tmp_path / "w.yaml", name="ours", kinds=("zero-shot",))
    store.save(ada.id, "teams", "zero-shot", 1, "Draft 🎉", answer=None, base=None)
    export_everything(store, tmp_path / "all.json")
    content = json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))
    assert content["format"] == 1
    assert content["wordings"][0]["text"] == "Draft 🎉"
    assert content["project"]["title"] == small_project().title
