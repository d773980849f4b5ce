"""Resolving: names become tasks, wordings and a model, or one line says which of them cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.errors import UsageError
from phraseproof.evaluation.request import EvaluationRequest
from phraseproof.evaluation.resolve import load_wordings, resolve
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.instructions.collections import load_collection
from phraseproof.tasks import load_tasks
from support.parity_project import write_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path, examples=4, wordings=3)


def test_a_spec_and_objects_are_the_same_evaluation(project: Path) -> None:
    task, wordings = project / "task.yaml", project / "wordings.yaml"
    named = resolve(EvaluationSpec().with_changes(model="scripted", tasks=task, instructions={"mine": wordings}))
    objects = EvaluationRequest.of("scripted", load_tasks([str(task)]), {"mine": load_collection(str(wordings))})
    assert len(named.planned) == 3
    assert [each.cell for each in resolve(objects).planned] == [each.cell for each in named.planned]


@pytest.mark.parametrize(
    ("field", "value"),
    [("model", "python:mine"), ("tasks", ["python:mine"]), ("instructions", {"mine": ["python:mine"]})],
)
def test_an_object_that_a_file_names_is_gone(project: Path, field: str, value: object) -> None:
    spec = EvaluationSpec().with_changes(
        model="scripted", tasks=project / "task.yaml", instructions={"mine": project / "wordings.yaml"}
    )
    with pytest.raises(UsageError, match=f"--{field}: 'mine' was given as a Python object"):
        resolve(spec.with_changes(**{field: value}))


def test_wordings_are_named_in_several_forms(project: Path) -> None:
    path = project / "wordings.yaml"
    (first,) = load_wordings(path)
    assert load_wordings(str(path)) == load_wordings([first]) == load_wordings(first) == [first]
    assert [found.name for found in load_wordings("pocket-test, pocket-observed")] == ["pocket-test", "pocket-observed"]
