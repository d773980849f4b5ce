"""The spec of an exhibit is read back as the request that made it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

import phraseproof
from phraseproof.errors import FileError, UsageError
from phraseproof.evaluation.observer import Observer
from phraseproof.identity import content_hash
from phraseproof.store.queries import load_run
from phraseproof.studies.exhibit import Exhibit
from phraseproof.studies.record import read_study, request_of, spec_of
from phraseproof.studies.registry import study_named
from phraseproof.studies.study import StepForecast, StudyRequest
from support.study_runs import four_tasks


def made(out: Path, **changes: object) -> Exhibit:
    options: dict[str, object] = {
        "tasks": "pocket/has-maker",
        "instructions": {"observed": "pocket-observed", "unobserved": "pocket-test"},
        "limit": 2,
        "out": out,
    }
    return phraseproof.study("table-3", "scripted", **(options | changes))  # pyright: ignore[reportArgumentType]


def test_the_stored_spec_is_that_of_the_exhibit_and_gives_its_request(tmp_path: Path) -> None:
    spec = made(tmp_path / "s").spec
    assert spec is not None
    path = tmp_path / "s" / "table-3" / "scripted" / "study.json"
    assert json.loads(path.read_text(encoding="utf-8")) == json.loads(json.dumps(spec.document()))
    stored = read_study(path)
    assert stored.study is study_named("table-3")
    assert stored.request == request_of(spec.request)
    assert (stored.request.models, stored.request.limit, stored.request.out) == (("scripted",), 2, tmp_path / "s")
    (step,) = spec.steps
    assert step.settings["spec"]["limit"] == 2  # pyright: ignore[reportIndexIssue]
    run = load_run(tmp_path / "s" / step.folder)
    assert step.identity == content_hash(sorted(cell.identity for cell in run.cells))
    assert spec.versions["phraseproof"] == phraseproof.__version__


def test_the_identity_is_of_what_changes_a_result(tmp_path: Path) -> None:
    first, same = made(tmp_path / "a").spec, made(tmp_path / "b").spec
    other = made(tmp_path / "a", limit=3).spec
    assert first is not None
    assert same is not None
    assert other is not None
    assert first.steps[0].identity == same.steps[0].identity != other.steps[0].identity


def test_imported_runs_have_an_identity(tmp_path: Path) -> None:
    request = StudyRequest(runs=(four_tasks(tmp_path / "a").path, four_tasks(tmp_path / "b", model="Another").path))
    study = study_named("table-3")
    first, second = spec_of(study, request, study.plan(request)).steps
    assert first.identity == second.identity != ""
    assert first.folder == str(request.runs[0])


@dataclass(frozen=True)
class Training:
    """A step with data, with another step, and with a folder that does not say what it is."""

    folder: Path
    base: object
    pairs: tuple[int, ...] = tuple(range(500))
    title: str = "train"

    def forecast(self, *, timed: bool) -> StepForecast:
        return StepForecast(0, 0)

    def carry_out(self, observer: Observer) -> int:
        return 0


def test_data_and_other_steps_are_not_copied(tmp_path: Path) -> None:
    base = Training(tmp_path / "trainings" / "base", None, ())
    steps: Sequence[Training] = [replace(base, folder=tmp_path / "x", base=base, pairs=tuple(range(500)))]
    (step,) = spec_of(study_named("table-3"), StudyRequest(out=tmp_path), steps).steps
    assert step.settings == {"base": {"folder": "trainings/base"}, "pairs": {"number": 500}, "title": "train"}
    assert (step.kind, step.folder, step.identity) == ("Training", "x", "")


def test_a_moved_folder_of_studies_is_used_where_it_is(tmp_path: Path) -> None:
    made(tmp_path / "s")
    (tmp_path / "s").rename(tmp_path / "moved")
    request = read_study(tmp_path / "moved" / "table-3" / "scripted" / "study.json").request
    assert request.out == tmp_path / "moved"


def test_what_is_no_spec_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.json"
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(FileError, match="not the spec of a study"):
        read_study(path)
    path.write_text(json.dumps({"format_version": 1, "study": "table-3", "request": {"limits": 3}}), encoding="utf-8")
    with pytest.raises(FileError, match=r"not the request of a study: limits"):
        read_study(path)
    path.write_text(json.dumps({"format_version": 1, "study": "table-99", "request": {}}), encoding="utf-8")
    with pytest.raises(UsageError, match="no study is called 'table-99'"):
        read_study(path)
