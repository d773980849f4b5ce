"""Reads what promptfoo writes with `promptfoo eval --output FILE.json`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from phraseproof.core import Outcome
from phraseproof.errors import FileError
from phraseproof.files import load_json
from phraseproof.logs.cells import (
    Log,
    LoggedCell,
    LogPlace,
    LogRequest,
    beginning,
    data_hash,
    mapping,
    number,
    section,
    sequence,
    whole,
)
from phraseproof.logs.names import FIELD, LogNames, name
from phraseproof.logs.outcome_spool import OutcomeSpool, SpooledOutcomes

_VERSION = 3
_HEAD = 200
_ERROR = 2
"""The reason of a failure that is no failed assertion: the provider gave no answer."""

_LONGEST_LABEL = 60
_PASS, _SCORE = "pass", "score"
_NOT_HASHED = re.compile("api_?key|secret|password|header|url|host|organization|token$", re.IGNORECASE)
"""Parts of the names of a provider's settings that do not change answers: credentials and places."""


class _File(NamedTuple):
    """One output file."""

    path: Path
    content: Mapping[str, object]
    results: Sequence[Mapping[str, object]]
    repeats: int

    @property
    def where(self) -> str:
        return str(self.path)


def recognizes(path: Path) -> bool:
    """Whether it is an output file of promptfoo."""
    if path.suffix != ".json":
        return False
    head = beginning(path, _HEAD)
    return b'"evalId"' in head and b'"results"' in head


def read(paths: Sequence[Path], request: LogRequest) -> Log:
    """The outcomes in output files of promptfoo.

    Raises:
        FileError: a file cannot be read, or is of another version.
        UsageError: the request does not fit.
    """
    cells: list[LoggedCell] = []
    notes: dict[str, None] = {}
    versions: dict[str, None] = {}
    spool = OutcomeSpool()
    for path in paths:
        file = _file(path)
        versions[str(section(file.content, "metadata", file.where).get("promptfooVersion", ""))] = None
        cells += _cells(file, request, notes, spool)
    return Log(f"promptfoo {', '.join(filter(None, versions))}".strip(), list(paths), cells, list(notes))


def _file(path: Path) -> _File:
    where = str(path)
    content = mapping(load_json(path), where)
    results = section(content, "results", where)
    if results.get("version") != _VERSION:
        raise FileError(
            "not an output file of promptfoo, or of another version",
            expected=f"results of version {_VERSION}",
            got=repr(results.get("version")),
            where=where,
            hint="`promptfoo export eval ID --output FILE.json` writes one",
        )
    rows = [mapping(each, f"{where}, results") for each in sequence(results.get("results"), where)]
    repeats = section(content, "runtimeOptions", where).get("repeat")
    if repeats is None:
        repeats = section(section(content, "config", where), "evaluateOptions", where).get("repeat")
    rows.sort(key=lambda row: (whole(row.get("promptIdx")), whole(row.get("testIdx"))))
    return _File(path, content, rows, whole(repeats, 1) or 1)


def _cells(file: _File, request: LogRequest, notes: dict[str, None], spool: OutcomeSpool) -> list[LoggedCell]:
    where = file.where
    prompts = [mapping(each, where) for each in sequence(section(file.content, "results", where).get("prompts"), where)]
    cells: list[LoggedCell] = []
    for place, prompt in enumerate(prompts):
        provider = str(prompt.get("provider"))
        label, raw, key = (str(prompt.get(part) or "") for part in ("label", "raw", "id"))
        # A prompt without a label has its text as label, and texts of several lines name nothing.
        is_named = label and label != raw and len(label) <= _LONGEST_LABEL and "\n" not in label
        fields = {"label": label if is_named else f"prompt-{key[:8] or place + 1}", "raw": raw, "id": key}
        task = str(section(file.content, "config", where).get("description") or file.path.stem)
        names = LogNames(task, file.path.resolve().parent.name, file.path.stem, fields)
        named = name(names, request, f"{FIELD}label", where)
        if named is None:
            notes[f"no pattern of --wordings fits the task {task}, which is left out"] = None
            continue
        rows = [row for row in file.results if row.get("promptIdx") == place]
        cells += _of_prompt(file, rows, prompt, LogPlace(provider, *named, ""), request, spool)
    passes = {cell.place: cell for cell in cells if cell.place.score == _PASS}
    telling = {cell.place.score for cell in cells if _differs(cell, passes[cell.place._replace(score=_PASS)])}
    return [cell for cell in cells if cell.place.score in {_PASS, *telling}]


def _of_prompt(
    file: _File,
    rows: Sequence[Mapping[str, object]],
    prompt: Mapping[str, object],
    place: LogPlace,
    request: LogRequest,
    spool: OutcomeSpool,
) -> list[LoggedCell]:
    where = file.where
    found: dict[tuple[str, int], SpooledOutcomes] = {}
    failed: dict[int, int] = {}
    data: dict[str, str] = {}
    seen: dict[str, list[int]] = {}
    for row in rows:
        case = section(row, "testCase", where)
        variables = section(row, "vars", where) or section(case, "vars", where)
        what = data_hash(variables, case.get("assert"))
        # The file lists a repeat as a separate test: the same variables and assertions under another number.
        seen.setdefault(what, []).append(whole(row.get("testIdx")))
        first, repeat = divmod(len(seen[what]) - 1, file.repeats)
        example = _example(variables, seen[what][first * file.repeats], request, where)
        data[example] = what
        if row.get("failureReason") == _ERROR:
            failed[repeat] = failed.get(repeat, 0) + 1
            continue
        scores = {_PASS: float(row.get("success") is True), **_scores(row, where)}
        for key, score in scores.items():
            outcome = Outcome(example, score, text=_answer(section(row, "response", where).get("output")))
            (found.get((key, repeat)) or found.setdefault((key, repeat), spool.cell())).append(outcome)
    if not found:  # every test failed by an error
        found[_PASS, 0] = spool.cell()
    means = _means(prompt, where)
    return [
        LoggedCell(
            place._replace(score=key, repeat=repeat),
            outcomes,
            where,
            text=str(prompt.get("raw") or ""),
            data=data,
            settings={"provider": _settings(file, place.model)},
            headline=means.get(key),
            failed=failed.get(repeat, 0),
        )
        for (key, repeat), outcomes in found.items()
    ]


def _example(variables: Mapping[str, object], place: int, request: LogRequest, where: str) -> str:
    if request.example is None:
        return str(place)
    value = variables.get(request.example)
    if not isinstance(value, str | int) or value == "":
        raise FileError(
            "a test does not say which example it is of", expected=f"a variable {request.example}", where=where
        )
    return str(value)


def _scores(row: Mapping[str, object], where: str) -> dict[str, float]:
    """The weighted score of all assertions, and the scores of those that have a name."""
    values = {_SCORE: row.get("score"), **section(row, "namedScores", where)}
    return {key: score for key, value in values.items() if (score := number(value)) is not None}


def _differs(cell: LoggedCell, passes: LoggedCell) -> bool:
    """Whether a score says more than whether the tests passed."""
    if len(cell.outcomes) != len(passes.outcomes):
        return True
    pairs = zip(cell.outcomes, passes.outcomes, strict=True)
    return any((one.example_id, one.score) != (other.example_id, other.score) for one, other in pairs)


def _answer(output: object) -> str:
    return output if isinstance(output, str) else json.dumps(output)


def _means(prompt: Mapping[str, object], where: str) -> dict[str, float]:
    """The share of passed tests and the mean score that promptfoo counted, without tests in error."""
    metrics = section(prompt, "metrics", where)
    passed, lost = (whole(metrics.get(key)) for key in ("testPassCount", "testFailCount"))
    if not passed + lost:
        return {}
    found = {_PASS: passed / (passed + lost)}
    total = number(metrics.get("score"))
    if total is not None and not whole(metrics.get("testErrorCount")):
        found[_SCORE] = total / (passed + lost)
    return found


def _settings(file: _File, provider: str) -> str:
    """A hash of the provider's settings, without names of machines and secrets."""
    listed = section(file.content, "config", file.where).get("providers")
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict) and provider in (each.get("id"), each.get("label")):
            config = section(each, "config", file.where)
            return data_hash({key: value for key, value in config.items() if not _NOT_HASHED.search(key)})
    return "none"
