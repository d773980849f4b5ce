"""The step that reads hidden states reads each once."""

from __future__ import annotations

from pathlib import Path

from phraseproof.evaluation.observer import SilentObserver
from phraseproof.store.vectors import load_vectors
from phraseproof.studies.representation_step import RepresentationStep, representation_steps
from phraseproof.studies.study import StudyRequest


def test_vectors_are_read_once_into_the_folder_of_the_run(tmp_path: Path) -> None:
    request = StudyRequest(models=("pocket/tiny",), tasks=("pocket/has-maker",), limit=2, out=tmp_path)
    run, step = representation_steps(request)
    assert isinstance(step, RepresentationStep)
    assert step.folder == run.folder
    before = step.forecast(timed=False)
    assert before.missing == before.prompts == 2 * (12 + 16)
    assert step.carry_out(SilentObserver()) == 0
    assert step.forecast(timed=False).missing == 0
    assert load_vectors(step.folder).of("pocket/has-maker", 0).array.shape[:2] == (28, 2)


def test_at_most_as_many_examples_as_the_paper_has(tmp_path: Path) -> None:
    _, step = representation_steps(StudyRequest(models=("google/flan-t5-base",), out=tmp_path))
    assert isinstance(step, RepresentationStep)
    assert step.spec.limit == 300
