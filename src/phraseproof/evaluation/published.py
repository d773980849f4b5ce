"""Reads the accuracies of single wordings that the paper's authors released into a run folder.

A row of such a file is one wording on one dataset: `Model, Dataset, Collection, Type, ID, Shots, Performance, Metric,
Include?`. Its fields decide how it is read, never its accuracy:

* rows whose `Include?` is not true are skipped;
* `Type` gives the group: Unobserved, and Default (the task designer's own prompt, which the paper counts among the
  unobserved); Correct (closest), Incorrect, Negation (negated), Random (nonsensical); every other type is a kind of
  task: the wording is from a collection that the model was tuned on, so it is observed;
* collection, type and number identify a wording. Observed wordings serve all datasets of a type; the others were
  written for one dataset, whose name is part of theirs;
* a wording that occurs more than once counts once, with its mean.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from phraseproof.core import Relation
from phraseproof.errors import FileError, UsageError
from phraseproof.evaluation.record import Record
from phraseproof.files import require_regular
from phraseproof.store.queries import Run, WordingScore, load_run
from phraseproof.store.run_file import ACCURACIES
from phraseproof.store.writer import RunStore

COLUMNS = ("Model", "Dataset", "Collection", "Type", "ID", "Shots", "Performance")

RELATIONS: Mapping[str, Relation] = {
    "Unobserved": Relation.UNOBSERVED,
    "Default": Relation.TASK_DESIGNER,
    "Correct": Relation.CLOSEST,
    "Incorrect": Relation.INCORRECT,
    "Negation": Relation.NEGATED,
    "Random": Relation.NONSENSICAL,
}
"""The relation of a wording by its `Type`. Any other type is a kind of task, and the wording is observed."""

_ORDER = ("observed", "closest", "incorrect", "unobserved", "task_designer", "negated", "nonsensical")
"""The groups in the order of the paper's tables: the others are compared with the first."""

_SPELLINGS = {"mmlu_general": "mmlu", "play_dialog": "bbl/play_dialog_same_or_different"}
_CLOSER_LOOK = {
    "conceptual_combinations_adversarial": "conceptual_combinations",
    "language_identification_adversial": "language_identification",
}
"""Two datasets have another name in the files of the closer look, which has other unobserved wordings for them."""

_MAX_SHOTS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Published:
    """The contents of result files about one model.

    Attributes:
        relations: the relation of each wording, by its name.
        repeated: wordings that occur more than once.
        excluded: the number of rows whose `Include?` is not true.
    """

    model: str
    scores: tuple[WordingScore, ...]
    relations: Mapping[str, Relation]
    repeated: tuple[str, ...]
    excluded: int


class _Row(NamedTuple):
    where: str
    cells: Mapping[str, str]


def is_published(path: Path) -> bool:
    """Whether a file has the header of the paper's release format. False for what cannot be read."""
    if not path.is_file():
        return False
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return set(COLUMNS) <= set(next(csv.reader(stream), ()))
    except (OSError, UnicodeDecodeError, csv.Error):
        return False


def read_published(paths: Sequence[Path], *, model: str | None = None, designers_apart: bool = False) -> Published:
    """Read result files in the paper's release format.

    Args:
        paths: CSV files.
        model: the model to read, if the files hold several.
        designers_apart: report the task designer's prompts as a separate group (paper, Table 9) instead of as
            unobserved (all other tables).

    Raises:
        FileError: a file cannot be read, or a row lacks what the format requires.
        UsageError: the files hold several models and `model` names none of them, or no row is left.
    """
    rows = [row for path in paths for row in _rows(path)]
    if not rows:
        raise FileError("a header and no results", where=", ".join(map(str, paths)))
    models = list(dict.fromkeys(row.cells["Model"] for row in rows))
    if model is None and len(models) > 1:
        raise UsageError(
            "the files hold results of several models", got=", ".join(models), hint="Name one of them with --model"
        )
    chosen = models[0] if model is None else model
    if chosen not in models:
        raise UsageError("no row is of that model", expected=f"one of: {', '.join(models)}", got=chosen)
    measured: dict[tuple[str, str, str, int], list[float]] = {}
    relations: dict[str, Relation] = {}
    excluded = 0
    for row in rows:
        if row.cells["Model"] != chosen:
            continue
        if row.cells.get("Include?", "true").strip().lower() != "true":
            excluded += 1
            continue
        relation = RELATIONS.get(row.cells["Type"], Relation.OBSERVED)
        wording = _wording(row, relation)
        relations[wording] = relation
        key = (row.cells["Dataset"], _group(relation, designers_apart), wording, _shots(row))
        measured.setdefault(key, []).append(_performance(row))
    if not measured:
        raise UsageError("no row of the files is to be included", got=f"{excluded} rows whose `Include?` is not true")
    datasets = {dataset.lower() for dataset, *_ in measured}
    scores = [
        WordingScore(*_task(dataset, datasets), group, wording, shots, fmean(values), None)
        for (dataset, group, wording, shots), values in measured.items()
    ]
    repeated = [f"{dataset}: {wording}" for (dataset, _, wording, _), values in measured.items() if len(values) > 1]
    return Published(chosen, tuple(scores), relations, tuple(repeated), excluded)


def import_published(published: Published, out: Path, *, parameters: int | None = None) -> Run:
    """Store published accuracies as a run, or add them to one of the same model.

    Args:
        out: the run folder.
        parameters: the number of the model's parameters, for regressions on size.

    Raises:
        RunError: `out` holds a run of something else, or cannot be written.
    """
    settings = {"model": {"name": published.model, "adapter": None}, "scoring": "published", "imported": True}
    store = RunStore(out, settings)
    record: Record = {
        "groups": {name: {} for name in sorted({score.group for score in published.scores}, key=_ORDER.index)},
        "instructions": {
            name: {"text": "", "relation": relation.value} for name, relation in published.relations.items()
        },
        ACCURACIES: {_name(score): score._asdict() for score in published.scores},
    }
    if parameters is not None:
        record["model"] = {"parameters": parameters}
    store.register([], record)
    return load_run(out)


def _rows(path: Path) -> Iterator[_Row]:
    try:
        require_regular(path)
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise FileError(
                    f"not a file of published results: it has no column {missing[0]!r}",
                    expected=", ".join((*COLUMNS, "Include?")),
                    got=", ".join(reader.fieldnames or ()) or "nothing",
                    where=str(path),
                )
            for cells in reader:
                where = f"{path}:{reader.line_num}"
                # DictReader stores surplus cells under the key None, and gives missing cells the value None.
                if None in cells or any(cells[name] is None for name in COLUMNS):
                    raise FileError("a row is not as long as the header", where=where)
                if not str(cells["Model"]).strip():
                    raise FileError("a row does not say which model it is of", where=f"{where}, Model")
                yield _Row(where, {name: (value or "").strip() for name, value in cells.items()})
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise FileError(f"cannot be read: {reason}", where=str(path)) from None


def _wording(row: _Row, relation: Relation) -> str:
    for name in ("Dataset", "Collection", "Type", "ID"):
        if not row.cells[name]:
            raise FileError("a row does not say which wording it is of", where=f"{row.where}, {name}")
    parts = [row.cells["Collection"], row.cells["Type"], row.cells["ID"]]
    return "/".join(parts if relation is Relation.OBSERVED else [parts[0], row.cells["Dataset"], *parts[1:]])


def _group(relation: Relation, designers_apart: bool) -> str:
    if relation is Relation.TASK_DESIGNER and not designers_apart:
        return Relation.UNOBSERVED.value
    return relation.value


def _shots(row: _Row) -> int:
    try:
        shots = int(row.cells["Shots"])
    except ValueError:
        shots = -1
    if not 0 <= shots <= _MAX_SHOTS:
        raise FileError(
            "not a number of demonstrations", expected="0 or more", got=row.cells["Shots"], where=f"{row.where}, Shots"
        )
    return shots


def _performance(row: _Row) -> float:
    text = row.cells["Performance"]
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise FileError("not an accuracy", expected="0 to 1", got=text, where=f"{row.where}, Performance")
    return value


def _task(dataset: str, datasets: Collection[str]) -> tuple[str, str]:
    """The task's name and category as in `phraseproof tasks list`; for an unknown dataset, its own name twice.

    A dataset of the closer look keeps its own name next to its namesake, so that their wordings are not pooled.

    Args:
        dataset: as the file spells it.
        datasets: all that are read, in lower case.
    """
    from phraseproof.tasks.bigbench import CATEGORIES, KNOWN
    from phraseproof.tasks.mmlu import CATEGORY

    plain = dataset.lower()
    namesake = _CLOSER_LOOK.get(plain, plain)
    if namesake not in datasets:
        plain = namesake
    name = _SPELLINGS.get(plain, f"bbl/{plain}")
    if name == "mmlu":
        return name, CATEGORY
    known = KNOWN.get(name.removeprefix("bbl/"))
    return (name, CATEGORIES[known.kind]) if known else (dataset, dataset)


def _name(score: WordingScore) -> str:
    return f"{score.task}, {score.group}, {score.instruction}, {score.num_fewshot}-shot"
