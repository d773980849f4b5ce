"""The stored result of a search among methods: the file `search.json` in its folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pydantic import TypeAdapter, ValidationError

from phraseproof.analysis.results import ResultRow
from phraseproof.errors import RunError
from phraseproof.files import read_json
from phraseproof.store.looks import Look
from phraseproof.store.run_file import RUN_FILE

SEARCH_FILE: Final = "search.json"

_DEPTHS = (2, 3)
"""Run folders are `base/SET` and `trainings/NAME/SET` below the folder of the search."""


@dataclass(frozen=True, slots=True)
class StoredSet:
    """A set of examples and wordings.

    Attributes:
        examples: how many, by task, before `limit` of the settings.
        wordings: their names.
    """

    examples: Mapping[str, int]
    wordings: Sequence[str]


@dataclass(frozen=True, slots=True)
class StoredTraining:
    """A finished training.

    Attributes:
        method, learning_rate, seed: what was trained.
        set: `training`, or `refitting` for training and validation together.
        steps, prompts, tokens: of the whole training; `seconds` of its steps.
        references: by task the reference wordings.
        folder: the adapter's or the model's.
    """

    method: str
    learning_rate: float
    seed: int
    set: str
    steps: int
    prompts: int
    tokens: int
    seconds: float
    references: Mapping[str, Sequence[str]]
    folder: str

    @property
    def label(self) -> str:
        """The method and its learning rate, as in the names of ways."""
        return f"{self.method} at {self.learning_rate:g}"


@dataclass(frozen=True, slots=True)
class SearchWinner:
    """The method that validation chose."""

    method: str
    learning_rate: float

    @property
    def label(self) -> str:
        """As `StoredTraining.label`."""
        return f"{self.method} at {self.learning_rate:g}"


@dataclass(frozen=True, slots=True)
class StoredWay:
    """A way to answer: a trained model, or one that costs no training.

    Attributes:
        name: as in the statistics of rows.
        needs_labels: whether labelled examples are needed to fit it.
        is_trained: whether a model was trained; `is_calibrated` whether that model is calibrated.
    """

    name: str
    needs_labels: bool
    is_trained: bool
    is_calibrated: bool


@dataclass(frozen=True, slots=True)
class StoredLevel:
    """What answers without skill get on a task of a set; the task is empty for the mean over tasks.

    Attributes:
        wordings, examples: how many.
        chance_percent: blind guessing.
        constant_percent: the best constant answer; `constant` names it as a phrase.
    """

    set: str
    task: str
    wordings: int
    examples: int
    chance_percent: float
    constant_percent: float
    constant: str


@dataclass(frozen=True, slots=True)
class StoredWording:
    """The accuracy of one wording that answers by itself, as a mean over training seeds."""

    set: str
    task: str
    category: str
    way: str
    wording: str
    accuracy_percent: float


@dataclass(frozen=True, slots=True)
class StoredSearch:
    """The document.

    Attributes:
        model: what was trained; `settings` of the search, and `command` as it was typed.
        sets: `training`, `validation`, `test`, and `unseen` and `check` where there are such tasks.
        runs: by set and way the run folders, one for every seed.
        ways: of every reported set, in the order of tables.
        levels: of every task of a reported set, then of the mean over tasks where there are several.
        rows: every number of the tables.
        looks: what was reported in this folder, this search last; none in files of earlier versions.
    """

    format_version: Literal[1]
    model: str
    command: str
    settings: Mapping[str, object]
    sets: Mapping[str, StoredSet]
    trainings: Sequence[StoredTraining]
    runs: Mapping[str, Mapping[str, Sequence[str]]]
    chosen: SearchWinner
    recommendation: str
    ways: Sequence[StoredWay]
    levels: Sequence[StoredLevel]
    wordings: Sequence[StoredWording]
    rows: Sequence[ResultRow]
    notes: Sequence[str]
    looks: Sequence[Look] = ()

    @property
    def reported(self) -> tuple[str, ...]:
        """The names of the reported sets: `test` is the first."""
        return tuple(self.runs)

    def level(self, name: str, task: str | None = None) -> StoredLevel:
        """What is known of a task of a set, or of the whole set: the mean over tasks, or its one task."""
        found = [each for each in self.levels if each.set == name]
        return found[-1] if task is None else next(each for each in found if each.task == task)

    def tasks(self, name: str) -> tuple[str, ...]:
        """The tasks of a reported set."""
        return tuple(each.task for each in self.levels if each.set == name and each.task)

    def row(self, name: str, task: str, statistic: str) -> ResultRow | None:
        """One number of a set, of a task or of the mean over tasks; `None` where there is none."""
        at = (name, task or self.level(name).task, statistic)
        return next((row for row in self.rows if (row.group, row.task, row.statistic) == at), None)


@dataclass(frozen=True, slots=True)
class SearchFolder:
    """A search and where it is.

    Attributes:
        path: the folder.
        found: what `search.json` holds.
    """

    path: Path
    found: StoredSearch

    def runs(self, name: str) -> dict[str, tuple[Path, ...]]:
        """By way the run folders of a set that are there, also if the folder of the search was moved."""
        return {way: tuple(self._there(paths)) for way, paths in self.found.runs[name].items()}

    def _there(self, paths: Sequence[str]) -> Iterator[Path]:
        for path in map(Path, paths):
            inside = [self.path.joinpath(*path.parts[-depth:]) for depth in _DEPTHS]
            yield from [folder for folder in inside if (folder / RUN_FILE).exists()][:1]


def read_search(path: Path) -> SearchFolder:
    """Read the search of a folder.

    Raises:
        RunError: there is none, or its file is damaged or of an earlier version.
    """
    file = path / SEARCH_FILE
    try:
        content = read_json(file)
    except (OSError, ValueError) as error:
        raise RunError("the result of the search cannot be read", got=str(error), where=str(file)) from None
    try:
        return SearchFolder(path, TypeAdapter(StoredSearch).validate_python(content))
    except ValidationError as error:
        first = error.errors()[0]
        raise RunError(
            "the result of the search is damaged, or an earlier version wrote it",
            expected=first["msg"],
            got=f"at {'.'.join(map(str, first['loc']))}",
            where=str(file),
            hint="Run the same `harden` command again: trainings and runs that are there are used again",
        ) from None


def search_of(run: Path) -> Path | None:
    """The folder of the search that a run is part of; `None` for other runs."""
    above = run.resolve().parents
    found = (above[depth - 1] for depth in _DEPTHS if len(above) >= depth)
    return next((folder for folder in found if (folder / SEARCH_FILE).is_file()), None)
