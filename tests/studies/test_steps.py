"""Steps share a folder exactly where their results are the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from phraseproof.errors import UsageError
from phraseproof.evaluation.observer import SilentObserver
from phraseproof.models.options import ModelOptions
from phraseproof.studies.steps import GivenRun, evaluation_step, folder_name, slug
from phraseproof.studies.study import StudyRequest
from support.study_runs import four_tasks

GROUPS = {"observed": ("pocket-observed",), "unobserved": ("pocket-test",)}


def step(request: StudyRequest, **changes: object):
    return evaluation_step(request, "scripted", tasks=("pocket/has-maker",), instructions=GROUPS, **changes)


def test_what_changes_a_result_changes_the_folder() -> None:
    request = StudyRequest(limit=2)
    base = step(request)
    assert base.folder == step(request).folder
    others = [
        step(replace(request, limit=3)),
        step(replace(request, seed=1)),
        step(replace(request, tasks=("pocket/has-buyer",))),
        step(replace(request, instructions={"unobserved": ("composed",)})),
        step(replace(request, model_options=ModelOptions(dtype="bfloat16"))),
        step(request, num_fewshot=(1,)),
    ]
    assert len({each.folder for each in (base, *others)}) == 7


def test_what_only_changes_the_speed_does_not() -> None:
    request = StudyRequest(limit=2)
    quick = replace(request, model_options=ModelOptions(device="cpu", batch_size=4))
    assert folder_name(step(request).spec) == folder_name(step(quick).spec)


def test_wordings_that_left_their_collection_are_in_no_exhibit(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    one = "name: mine\ninstructions:\n  - {id: a, ask: 'Is it so?', layout: '{{ note }}', answer: text}\n"
    file.write_text(one + "  - {id: b, ask: 'Really?', layout: '{{ note }}', answer: text}\n", encoding="utf-8")
    request = StudyRequest(instructions={"unobserved": (str(file),)}, limit=2, out=tmp_path)
    both = step(request).folder
    file.write_text(one, encoding="utf-8")
    assert step(request).folder != both
    file.write_text(one.replace("Is it so?", "Is that so?"), encoding="utf-8")
    edited = step(request).folder
    file.write_text(one, encoding="utf-8")
    assert step(request).folder == edited  # the same names: `evaluate` replaces what was edited


def test_a_step_computes_once(tmp_path: Path) -> None:
    made = step(StudyRequest(limit=2, out=tmp_path))
    before = made.forecast(timed=False)
    assert before.missing == before.prompts > 0
    assert made.carry_out(SilentObserver()) == 0
    after = made.forecast(timed=False)
    assert (after.prompts, after.missing) == (before.prompts, 0)


def test_a_group_that_the_study_lacks_is_refused() -> None:
    with pytest.raises(UsageError, match=r"the study has no group of wordings 'others' .*observed, unobserved"):
        step(StudyRequest(instructions={"others": ("composed",)}))


def test_a_given_run_costs_nothing(tmp_path: Path) -> None:
    given = GivenRun(four_tasks(tmp_path).path)
    assert given.forecast(timed=True).prompts == 0
    assert given.carry_out(SilentObserver()) == 0


def test_names_of_models_become_names_of_folders() -> None:
    assert slug("google/flan-t5-xl") == "google-flan-t5-xl"
    assert slug("///") == "model"
