"""Every study keeps the protocol that users and other studies rely on."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.studies.fitting import concerning, fitting
from phraseproof.studies.registry import STUDIES
from phraseproof.studies.study import Study, StudyRequest
from support.study_runs import four_tasks


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_a_study_says_what_it_shows_and_needs(study: Study) -> None:
    assert study.exhibit
    assert study.about
    assert study.needs


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_a_plan_is_the_same_each_time_and_below_the_folder_of_studies(study: Study, tmp_path: Path) -> None:
    four_tasks(tmp_path)  # for a study of what other studies left
    request = fitting(study, concerning(study, StudyRequest(models=("pocket",), limit=3, out=tmp_path)).request)
    steps = study.plan(request)
    assert [step.folder for step in steps] == [step.folder for step in study.plan(request)]
    assert all(step.folder.is_relative_to(request.out) for step in steps)
