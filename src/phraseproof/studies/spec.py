"""The spec of an exhibit: what was requested, and which runs and trainings the exhibit was made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

SPEC_FILE = "study.json"
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One run or training of an exhibit.

    Attributes:
        kind: the class of the step, such as `EvaluationStep`.
        title: what was done: `evaluate pocket on pocket/has-maker`.
        folder: of the result, relative to the folder of studies where it is in it.
        identity: a hash of everything that changes the stored result: of the cells of a run, as on the page of the
            run, or of the base model, data and settings of a training. Empty where the folder does not say.
        settings: all settings, as plain data.
    """

    kind: str
    title: str
    folder: str
    identity: str
    settings: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class StudySpec:
    """What an exhibit was made of.

    Attributes:
        study: its name.
        shows: the tables and figures of the paper.
        about: what it shows, as a sentence without a full stop.
        command: makes the exhibit again.
        request: what was requested, as plain data; `record.request_of` makes a `StudyRequest` of it.
        steps: the runs and trainings, in order.
        versions: of Python and of packages.
    """

    study: str
    shows: str
    about: str
    command: str
    request: Mapping[str, object]
    steps: tuple[StepRecord, ...]
    versions: Mapping[str, str]

    def document(self) -> dict[str, object]:
        """The content of `study.json`."""
        return {"format_version": FORMAT_VERSION, **asdict(self)}
