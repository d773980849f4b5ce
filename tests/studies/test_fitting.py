"""Every option of every study is used, or refused by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from phraseproof.errors import PhraseproofError, UsageError
from phraseproof.models.options import ModelOptions
from phraseproof.studies.command import option_of
from phraseproof.studies.fitting import concerning, concerning_each, fitting, given
from phraseproof.studies.registry import STUDIES, study_named
from phraseproof.studies.study import Study, StudyRequest
from phraseproof.studies.used_options import LOADING
from support.study_runs import four_tasks

OWN_GROUP = {"closer-look": "collected", "negation": "collected"}
ONLY_IN_RESULTS = {("scaling", "parameters"), ("table-2", "instructions")}
"""What changes no step, but what is made of the steps: `test_scaling.py` and `test_table_2.py` have these."""

_ONE_OF_LOADING = LOADING - {"max_length", "adapter"}
"""Options of models reach a step together. Those that train refuse an adapter."""


def options(study: Study, folder: Path) -> dict[str, Any]:
    """For every field of a request and of its options of models, a value that is not the default."""
    files = {name: folder / name for name in ("pairs.jsonl", "data.json", "template.jinja")}
    pair = {"instruction": "Choose.", "paraphrases": ["Pick one."], "input": "x", "target": "y"}
    if study.name == "negation":
        pair["negations"] = ["Never choose."]
    files["pairs.jsonl"].write_text(json.dumps(pair) + "\n", encoding="utf-8")
    example = {"instruction": "Add.", "input": "1 and 1", "output": "2"}
    files["data.json"].write_text(json.dumps([example]), encoding="utf-8")
    files["template.jinja"].write_text("{{ messages[0].content }}", encoding="utf-8")
    return {
        "tasks": ("pocket/has-maker",),
        "instructions": {OWN_GROUP.get(study.name, "observed"): ("pocket-paraphrase",)},
        "data": (files["data.json"],),
        "paraphrasers": ("scripted",),
        "paraphraser_args": {"seed": "2"},
        "pairs": files["pairs.jsonl"],
        "data_dir": folder,
        "limit": 2,
        "max_steps": 3,
        "gradient_accumulation": 3,
        "seeds": 2,
        "seed": 1,
        "prompt_format": "plain",
        "parameters": {"pocket": 5},
        "dtype": "float64",
        "device": "cpu:0",
        "batch_size": 2,
        "adapter": folder,
        "revision": "v2",
        "trust_remote_code": True,
        "max_length": 99,
        "chat_template": files["template.jinja"],
        "chat_template_args": {"thinking": False},
        "chat_date": "2026-01-01",
        "args": {"attention": "eager"},
    }


def with_option(request: StudyRequest, name: str, value: object) -> StudyRequest:
    changes: dict[str, Any] = {name: value}
    if name in LOADING:
        return replace(request, model_options=replace(request.model_options, **changes))
    if name == "paraphraser_args":
        changes["paraphrasers"] = ("scripted",)
    return replace(request, **changes)


def test_the_options_below_are_all_that_there_are(tmp_path: Path) -> None:
    names = {each.name for of in (StudyRequest, ModelOptions) for each in fields(of)}
    made_of = {"models", "runs", "out", "model_options"}
    assert set(options(STUDIES[0], tmp_path)) == names - made_of


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_an_option_changes_the_plan_or_is_refused_by_name(study: Study, tmp_path: Path) -> None:
    four_tasks(tmp_path)  # for a study of what other studies left
    others = options(study, tmp_path)
    # A file of pairs is read faster than pairs are made.
    pairs = None if study.name == "paraphrase-sources" else tmp_path / "other-pairs.jsonl"
    (tmp_path / "other-pairs.jsonl").write_text(others["pairs"].read_text(encoding="utf-8") * 2, encoding="utf-8")
    asked = StudyRequest(models=("pocket",), tasks=("pocket/choose-maker",), limit=1, pairs=pairs, out=tmp_path)
    request = fitting(study, concerning(study, asked).request)
    plan = study.plan(request)
    assert all(step.folder.is_relative_to(tmp_path) for step in plan)
    everything = request
    used = study.options.of({"models": request.models, "runs": (), "paraphrasers": ()})
    for name, value in others.items():
        changed = with_option(request, name, value)
        if name not in used:
            # Arguments of a paraphraser come with one.
            shown = option_of("paraphrasers" if name == "paraphraser_args" else name)
            with pytest.raises(UsageError, match=f"{shown} has no effect on the study '{study.name}'"):
                fitting(study, changed)
            everything = with_option(everything, name, value)
        elif (study.name, name) not in ONLY_IN_RESULTS and name not in _ONE_OF_LOADING:
            assert _planned(study, fitting(study, changed)) != plan, f"{name} has no effect"
    # Nothing is refused that would have changed the plan, which is the same each time.
    assert study.plan(everything) == plan


def _planned(study: Study, request: StudyRequest) -> object:
    try:
        return study.plan(request)
    except PhraseproofError as error:
        return str(error)


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_of_runs_and_of_nothing_what_would_choose_others_is_refused(study: Study, tmp_path: Path) -> None:
    run = tmp_path / "run"
    for request in (StudyRequest(runs=(run, run), out=tmp_path), StudyRequest(out=tmp_path)):
        reduced = concerning(study, request).request
        used = study.options.of({"models": (), "runs": reduced.runs, "paraphrasers": ()})
        if len(reduced.runs) < study.min_models:
            continue
        fitting(study, reduced)
        for name, value in options(study, tmp_path).items():
            changed = with_option(reduced, name, value)
            if used.issuperset(set(given(changed)) - {"runs", "out"}):
                fitting(study, changed)
            elif not (name == "paraphraser_args" and "paraphrasers" in used):
                with pytest.raises(UsageError, match=f"--[a-z-]+ has no effect {_reason(study, reduced, name)}"):
                    fitting(study, changed)


def _reason(study: Study, request: StudyRequest, name: str) -> str:
    if name not in study.options.anywhere():
        return "on the study"
    return "on a run that is used as it is" if request.runs else "without a model"


def test_a_refusal_names_the_studies_that_have_the_option() -> None:
    request = StudyRequest(models=("pocket",), data=(Path("alpaca.json"),))
    with pytest.raises(UsageError) as caught:
        fitting(study_named("table-3"), request)
    hint = "It is an option of: retrain-vs-align, pretraining"
    assert str(caught.value) == f"--data has no effect on the study 'table-3'. {hint}"
    with pytest.raises(UsageError, match=r"no group of wordings 'closest' .*one of: observed, unobserved"):
        fitting(study_named("table-4"), StudyRequest(models=("pocket",), instructions={"closest": ("pocket-closest",)}))


def test_of_all_studies_each_gets_what_concerns_it() -> None:
    groups = {"observed": ("pocket-observed",), "closest": ("pocket-closest",)}
    asked = StudyRequest(
        models=("pocket",), limit=3, seeds=2, instructions=groups, model_options=ModelOptions(dtype="float32")
    )
    of = dict(zip((each.name for each in STUDIES), concerning_each(STUDIES, asked), strict=True))
    assert of["alignment"].request == replace(asked, instructions={"observed": ("pocket-observed",)})
    assert of["alignment"].left_out == ("--instructions closest=...",)
    assert of["negation"] == (asked, ())
    assert of["table-3"].left_out == ("--seeds", "--instructions closest=...")
    assert of["energy"] == (StudyRequest(), ("--model", "--instructions", "--limit", "--seeds", "--dtype"))
    assert of["table-2"].request == StudyRequest(instructions=groups)
    # A kind of wording of the closer look is no source of paraphrases; a group that no other study has is one.
    assert of["paraphrase-sources"].left_out == ("--instructions closest=...",)
    with_source = replace(asked, instructions={**groups, "gpt": ("pocket-paraphrase",)})
    again = concerning_each([study_named("closer-look"), study_named("paraphrase-sources")], with_source)[1]
    assert dict(again.request.instructions) == {"observed": ("pocket-observed",), "gpt": ("pocket-paraphrase",)}
    without: Mapping[str, StudyRequest] = {
        "--limit has no effect on any study without a model": StudyRequest(limit=2),
        "--instructions own=... has no effect on any study": StudyRequest(
            models=("pocket",), instructions={"own": ("a",)}
        ),
    }
    named = [each for each in STUDIES if each.options.groups is not None and each.options.of_models]
    for message, request in without.items():
        with pytest.raises(UsageError, match=message):
            concerning_each(named, request)
