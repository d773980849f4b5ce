"""A study does what is missing, stores its exhibit, and computes nothing the second time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

import phraseproof
from phraseproof.analysis.results import ResultTable
from phraseproof.errors import UsageError
from phraseproof.evaluation.observer import SilentObserver
from phraseproof.store.queries import load_run
from phraseproof.studies.alignment import AlignmentStudy
from phraseproof.studies.alignment_pairs import alignment_pairs
from phraseproof.studies.alignment_step import aligned_base, alignments
from phraseproof.studies.carry_out import carry_out, exhibit_folder, forecasts
from phraseproof.studies.exhibit import Exhibit
from phraseproof.studies.fitting import fitting
from phraseproof.studies.registry import study_named
from phraseproof.studies.steps import EvaluationStep
from phraseproof.studies.study import Step, StudyRequest
from support.inline_pool import InlinePool
from support.study_runs import four_tasks

GROUPS = {"observed": "pocket-observed", "unobserved": "pocket-test"}


class Counting(SilentObserver):
    """Counts the prompts that are scored."""

    scored = 0

    def advanced(self, prompts: int) -> None:
        self.scored += prompts


def small(out: Path, observer: Counting) -> phraseproof.ResultTable:
    made = phraseproof.study(
        "table-3", "scripted", tasks="pocket/has-maker", instructions=GROUPS, limit=2, out=out, observer=observer
    )
    return made.results


def test_the_second_time_nothing_is_computed_and_everything_is_the_same(tmp_path: Path) -> None:
    observer = Counting()
    first = small(tmp_path, observer)
    scored = observer.scored
    assert scored > 0
    assert small(tmp_path, observer) == first
    assert observer.scored == scored


def test_the_exhibit_is_stored_in_every_format(tmp_path: Path) -> None:
    small(tmp_path, Counting())
    folder = tmp_path / "table-3" / "scripted"
    assert {path.name for path in folder.iterdir() if path.suffix not in {".svg", ".pdf"}} == {
        "exhibit.txt", "exhibit.json", "exhibit.csv", "exhibit.md", "exhibit.tex", "exhibit.html", "study.json",
    }  # fmt: skip
    assert json.loads((folder / "exhibit.json").read_text(encoding="utf-8"))["study"] == "table-3"


def test_forecasts_are_of_what_is_missing(tmp_path: Path) -> None:
    request = StudyRequest(
        models=("scripted",),
        tasks=("pocket/has-maker",),
        instructions={group: (name,) for group, name in GROUPS.items()},
        limit=2,
        out=tmp_path,
    )
    (before,) = forecasts(study_named("table-3"), request, timed=False)
    assert before.forecast.missing == before.forecast.prompts == 2 * (12 + 16)
    assert list(tmp_path.iterdir()) == []
    small(tmp_path, Counting())
    (after,) = forecasts(study_named("table-3"), request, timed=False)
    assert after.forecast.missing == 0


def test_models_and_runs_are_checked(tmp_path: Path) -> None:
    study = study_named("table-3")
    run = four_tasks(tmp_path).path
    with pytest.raises(UsageError, match="models and run folders are both named"):
        fitting(study, StudyRequest(models=("pocket",), runs=(run,)))
    with pytest.raises(UsageError, match="--tasks has no effect on a run"):
        fitting(study, StudyRequest(runs=(run,), tasks=("bbl/winowhy",)))
    with pytest.raises(UsageError, match="--max-steps has no effect on a run"):
        fitting(study_named("alignment"), StudyRequest(runs=(run,), max_steps=3))
    with pytest.raises(UsageError, match="--limit has no effect without a model"):
        fitting(study_named("paraphrase-sources"), StudyRequest(instructions={"mine": ("pocket-test",)}, limit=2))
    with pytest.raises(UsageError, match="at least 1 of --model or --run"):
        fitting(study, StudyRequest())
    assert exhibit_folder(study, StudyRequest(runs=(run,))).parts[-2:] == ("table-3", "run")


class OneTraining(AlignmentStudy):
    """A soft prompt, and what it makes of a few prompts."""

    def plan(self, request: StudyRequest) -> list[Step]:
        model = request.models[0]
        base, pairs = aligned_base(request, model), alignment_pairs(request, model, limit=2)
        return [base, *alignments(request, model, base, {"pt": pairs})]

    def build(self, request: StudyRequest, steps: Sequence[Step]) -> Exhibit:
        return Exhibit(study=self.name, title="", tables=(), results=ResultTable(()))


def rows_of(folder: Path) -> list[dict[str, object]]:
    return sorted(load_run(folder).outcomes().to_pylist(), key=lambda row: (row["instruction"], row["example_id"]))


def test_workers_train_and_evaluate_as_one_process_does(tmp_path: Path) -> None:
    study, pool = OneTraining(), InlinePool(room=2)
    request = StudyRequest(
        models=("pocket/tiny",),
        tasks=("pocket/has-maker",),
        instructions={"observed": ("pocket-observed",), "unobserved": ("pocket-observed",)},
        limit=1,
        max_steps=1,
        gradient_accumulation=1,
        out=tmp_path / "alone",
    )
    divided = replace(request, out=tmp_path / "shared")
    carry_out(study, request)
    carry_out(study, divided, workers=pool)
    assert pool.trained == [0]
    for one, other in zip(study.plan(request), study.plan(divided), strict=True):
        if isinstance(one, EvaluationStep):
            assert rows_of(other.folder) == rows_of(one.folder)
        else:
            weights = "adapter_model.safetensors"
            assert (other.folder / weights).read_bytes() == (one.folder / weights).read_bytes()
    started = list(pool.started)
    carry_out(study, divided, workers=pool)
    assert pool.started == started
