"""Pairs of studies are those of `pairs from-task`, and never of scored examples."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from phraseproof.alignment.pairs import save_pairs
from phraseproof.errors import UsageError
from phraseproof.pocket.mitigation import mitigation_pairs
from phraseproof.studies.alignment_pairs import alignment_pairs
from phraseproof.studies.study import StudyRequest
from phraseproof.tasks import load_tasks
from support.parity_project import write_project
from support.tiny_pairs import shared_wordings

TASK = "pocket/has-maker"


def test_those_of_the_pocket_are_those_of_its_demonstration() -> None:
    found = alignment_pairs(StudyRequest(), "pocket")
    assert list(found.sets) == mitigation_pairs()
    (note,) = found.notes
    assert note.startswith("training: 216 pairs from the demonstrations of 18 tasks, under wordings of pocket-observed")
    assert note.endswith(", with paraphrases of pocket-paraphrase")


def test_the_tasks_and_wordings_of_the_user_come_first() -> None:
    request = StudyRequest(tasks=(TASK,), instructions={"observed": ("pocket-closest",)})
    found = alignment_pairs(request, "pocket", limit=3)
    (task,) = load_tasks([TASK])
    assert {each.example for each in found.sets} <= {example.id for example in task.demonstrations}
    assert len(found.sets) == 3
    assert {origin.name.partition("/")[0] for each in found.sets for origin in each.origins} == {"pocket-closest"}
    assert "paired with each other" in found.notes[0]


def test_a_limit_makes_the_training_of_a_large_model_smaller() -> None:
    request = StudyRequest(tasks=("everyday/reviews",), instructions={"observed": ("everyday-observed",)})
    (task,) = load_tasks(request.tasks)
    whole, part = (alignment_pairs(replace(request, limit=limit), "some-model") for limit in (None, 5))
    assert len(whole.sets) > len(task.demonstrations)
    assert len(part.sets) == 5


def test_negations_are_added_where_they_are_named() -> None:
    found = alignment_pairs(StudyRequest(tasks=(TASK,)), "pocket", negations=("pocket-negation",), limit=2)
    assert all(each.negations for each in found.sets)


def test_a_file_replaces_everything(tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    save_pairs(shared_wordings(4), file)
    found = alignment_pairs(StudyRequest(pairs=file, tasks=(TASK,)), "pocket")
    assert [each.instruction for each in found.sets] == [each.instruction for each in shared_wordings(4)]
    assert found.notes == ["training: 4 pairs of mine.jsonl"]


def test_scored_examples_are_never_trained_on(tmp_path: Path) -> None:
    file = str(write_project(tmp_path, examples=4, wordings=2) / "task.yaml")
    with pytest.raises(UsageError, match=r"no task has examples to train on .*--pairs"):
        alignment_pairs(StudyRequest(tasks=(file,)), "pocket")
    found = alignment_pairs(StudyRequest(tasks=(TASK, file)), "pocket", limit=2)
    assert {each.task for each in found.sets} == {TASK}
    assert found.notes[1] == "no training pairs of parity: it has no examples besides those it is scored on"
