"""Making the spec of an exhibit, and reading the request out of a stored one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from phraseproof.errors import FileError
from phraseproof.files import load_json
from phraseproof.identity import content_hash
from phraseproof.studies.command import command
from phraseproof.studies.paraphrase_step import ParaphraseStep
from phraseproof.studies.registry import study_named
from phraseproof.studies.representation_step import RepresentationStep
from phraseproof.studies.spec import FORMAT_VERSION, SPEC_FILE, StepRecord, StudySpec
from phraseproof.studies.study import Step, Study, StudyRequest

_REQUEST = TypeAdapter(StudyRequest)
_DATA = 100
"""A longer list in a step is data, of which the number of members is recorded."""


class StoredStudy(NamedTuple):
    """A study that was made.

    Attributes:
        study: which one.
        request: what was requested of it.
    """

    study: Study
    request: StudyRequest


def spec_of(of: Study, request: StudyRequest, steps: Sequence[Step]) -> StudySpec:
    """The spec of an exhibit, after its steps were carried out.

    Raises:
        PhraseproofError: a folder cannot be read.
    """
    from phraseproof.training.folder import environment

    return StudySpec(
        study=of.name,
        shows=of.exhibit,
        about=of.about,
        command=command(of.name, request),
        request=cast("dict[str, object]", _REQUEST.dump_python(request, mode="json")),
        steps=tuple(_record(step, request.out) for step in steps),
        versions=environment(),
    )


def request_of(content: object, *, where: str = SPEC_FILE) -> StudyRequest:
    """The request in a spec.

    Args:
        content: `StudySpec.request`.
        where: the file, for errors.

    Raises:
        FileError: it is not the request of a study.
    """
    try:
        return _REQUEST.validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise FileError(
            f"not the request of a study: {'.'.join(map(str, first['loc'])) or 'request'}: {first['msg']}", where=where
        ) from None


def read_study(path: Path) -> StoredStudy:
    """Read `study.json`. Its exhibit's folder of studies is used, also where it was moved.

    Raises:
        FileError: no such file, or not the spec of a study.
        UsageError: this version of phraseproof does not have the study.
    """
    content = load_json(path)
    document = cast("dict[str, Any]", content) if isinstance(content, dict) else {}
    if document.get("format_version") != FORMAT_VERSION:
        raise FileError(
            "not the spec of a study",
            expected=f"a {SPEC_FILE} with format_version {FORMAT_VERSION}",
            got=str(document.get("format_version")),
            where=str(path),
        )
    name = str(document.get("study"))
    request = request_of(document.get("request"), where=str(path))
    if len(path.parents) > 2 and path.parents[1].name == name:
        request = replace(request, out=path.parents[2])
    return StoredStudy(study_named(name), request)


def _record(step: Step, out: Path) -> StepRecord:
    return StepRecord(
        kind=type(step).__name__,
        title=step.title,
        folder=_within(step.folder, out),
        identity=_identity(step),
        settings=_settings(step, out),
    )


def _within(folder: Path, out: Path) -> str:
    return folder.relative_to(out).as_posix() if folder.is_relative_to(out) else str(folder)


def _settings(step: Step, out: Path) -> dict[str, object]:
    """The fields of a step, whatever its kind: other steps by their folders, data by their number."""
    if not is_dataclass(step):
        return {}
    found = {each.name: getattr(step, each.name) for each in fields(step) if each.name != "folder"}
    return {name: _plain(value, out) for name, value in found.items()}


def _plain(value: Any, out: Path) -> object:
    if hasattr(value, "carry_out") and hasattr(value, "folder"):
        return {"folder": _within(value.folder, out)}
    if isinstance(value, tuple | list):
        members = cast("Sequence[Any]", value)
        return {"number": len(members)} if len(members) > _DATA else [_plain(member, out) for member in members]
    if isinstance(value, Mapping):
        return {str(key): _plain(member, out) for key, member in cast("Mapping[Any, Any]", value).items()}
    return to_jsonable_python(value, fallback=str)


def _identity(step: Step) -> str:
    from phraseproof.reports.html.provenance import cells_hash
    from phraseproof.store.queries import load_run
    from phraseproof.store.run_file import RUN_FILE
    from phraseproof.store.training_record import read_record
    from phraseproof.store.vectors import load_vectors
    from phraseproof.training.folder import identifying

    if isinstance(step, ParaphraseStep):
        return step.identity
    if isinstance(step, RepresentationStep):
        return cells_hash(load_vectors(step.folder).cells)
    if (step.folder / RUN_FILE).exists():
        run = load_run(step.folder)
        return content_hash(sorted(score[:-1] for score in run.accuracies)) if run.accuracies else cells_hash(run.cells)
    record = read_record(step.folder)
    return "" if record is None else content_hash(identifying(record))
