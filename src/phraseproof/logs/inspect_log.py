"""Reads logs of Inspect: `*.eval`, or `*.json` of the same content."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from phraseproof.core import Outcome
from phraseproof.errors import FileError, UsageError
from phraseproof.files import load_json
from phraseproof.logs.answer_token import answer_scores, with_scores
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
from phraseproof.logs.eval_archive import EvalArchive
from phraseproof.logs.names import FIELD, FOLDER, LogNames, name
from phraseproof.logs.outcome_spool import OutcomeSpool, SpooledOutcomes
from phraseproof.scoring.first_token import FirstToken

_VERSION = 2
_SUFFIX = ".eval"
_HEAD = 4096
_VALUES: Mapping[str, float] = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
"""Correct, partially correct, incorrect and no answer, as Inspect counts them."""

_KEPT = (
    "temperature", "top_p", "top_k", "max_tokens", "stop_seqs", "frequency_penalty", "presence_penalty",
    "reasoning_effort", "reasoning_tokens",
)  # fmt: skip
"""The parts of the configuration that change answers; others are about connections."""

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class _Header(NamedTuple):
    """What a log says of its evaluation."""

    path: Path
    content: Mapping[str, object]
    task: str
    model: str
    fields: Mapping[str, str]

    @property
    def where(self) -> str:
        return str(self.path)


def recognizes(path: Path) -> bool:
    """Whether it is a log of Inspect, or a folder with some."""
    if path.is_dir():
        return any(recognizes(each) for each in _files_in(path))
    if path.suffix == _SUFFIX:
        return True
    if path.suffix != ".json":
        return False
    head = beginning(path, _HEAD)
    return b'"eval_id"' in head and b'"task_id"' in head


def read(paths: Sequence[Path], request: LogRequest) -> Log:
    """The outcomes in logs of Inspect.

    Raises:
        FileError: a log cannot be read, or is of another version.
        UsageError: the request does not fit, or what distinguishes the logs of a task is not one argument.
    """
    files = [each for path in paths for each in (_files_in(path) if path.is_dir() else [path]) if recognizes(each)]
    headers = [_header(path) for path in dict.fromkeys(each.resolve() for each in files)]
    if not headers:
        raise FileError("no log of Inspect", expected="*.eval or *.json", where=", ".join(map(str, paths)))
    cells: list[LoggedCell] = []
    notes: dict[str, None] = {}
    versions: dict[str, None] = {}
    spool = OutcomeSpool()
    for header in headers:
        versions[
            str(section(section(header.content, "eval", header.where), "packages", header.where).get("inspect_ai", ""))
        ] = None
        names = LogNames(header.task, header.path.parent.name, header.path.stem, header.fields)
        default = FOLDER if request.wordings else _default(header, headers)
        named = name(names, request, default, header.where)
        if named is None:
            notes[f"no pattern of --wordings fits the task {header.task}, which is left out"] = None
            continue
        status = header.content.get("status", "started")
        if status != "success":
            notes[f"{header.where}: the evaluation has the status {status}"] = None
        cells += _cells(header, LogPlace(header.model, *named, ""), request, notes, spool)
    return Log(
        f"Inspect {', '.join(filter(None, versions))}".strip(), [each.path for each in headers], cells, list(notes)
    )


def _files_in(folder: Path) -> list[Path]:
    return sorted(each for each in folder.rglob("*") if each.suffix in (_SUFFIX, ".json") and each.is_file())


def _header(path: Path) -> _Header:
    where = str(path)
    content = EvalArchive(path).header() if path.suffix == _SUFFIX else mapping(load_json(path), where)
    if content.get("version") != _VERSION:
        raise FileError(
            "a log of another version of Inspect",
            expected=f"version {_VERSION}",
            got=repr(content.get("version")),
            where=where,
            hint="`inspect log convert` makes one of the present version",
        )
    spec = section(content, "eval", where)
    fields = {
        key: value if isinstance(value, str) else json.dumps(value)
        for part in ("metadata", "solver_args_passed", "task_args_passed", "task_args")
        for key, value in section(spec, part, where).items()
    }
    if isinstance(spec.get("solver"), str):
        fields.setdefault("solver", str(spec["solver"]))
    return _Header(path, content, str(spec.get("task")), str(spec.get("model")), fields)


def _default(header: _Header, headers: Sequence[_Header]) -> str:
    """The argument by which the logs of a task differ; the folder where there is one log."""
    same = [each.fields for each in headers if (each.task, each.model) == (header.task, header.model)]
    keys = dict.fromkeys(key for fields in same for key in fields)
    differing = [key for key in keys if len({fields.get(key) for fields in same}) > 1]
    if len(differing) > 1:
        raise UsageError(
            f"the logs of {header.task} differ in several arguments",
            got=", ".join(differing),
            hint=f"Name the one that is the wording: --wordings field:{differing[0]}",
        )
    return f"{FIELD}{differing[0]}" if differing else FOLDER


def _samples(header: _Header) -> Iterator[Mapping[str, object]]:
    if header.path.suffix == _SUFFIX:
        yield from EvalArchive(header.path).samples()
        return
    for place, sample in enumerate(sequence(header.content.get("samples") or [], header.where)):
        yield mapping(sample, f"{header.where}, sample {place + 1}")


def _cells(
    header: _Header, place: LogPlace, request: LogRequest, notes: dict[str, None], spool: OutcomeSpool
) -> list[LoggedCell]:
    where = header.where
    spec = section(header.content, "eval", where)
    found: dict[tuple[str, int], SpooledOutcomes] = {}
    data: dict[str, str] = {}
    shuffled = _is_shuffled(header)
    used = section(section(header.content, "plan", where), "config", where)
    asked = whole(used.get("top_logprobs"))
    for sample in _samples(header):
        example = _example(sample, request, where)
        data[example] = data_hash(sample.get("target"), sample.get("choices"))
        scores = {} if sample.get("error") else section(sample, "scores", where)
        for scorer, score in scores.items():
            for key, value in _values(scorer, section(scores, scorer, where).get("value"), notes).items():
                outcome = _outcome(sample, example, mapping(score, where), value, where, asked, shuffled=shuffled)
                repeat = whole(sample.get("epoch"), 1) - 1
                (found.get((key, repeat)) or found.setdefault((key, repeat), spool.cell())).append(outcome)
    if not found:  # every sample failed by an error, or the evaluation was stopped
        found["", 0] = spool.cell()
    epochs = whole(section(spec, "config", where).get("epochs"), 1) or 1
    total = _total(header, epochs)
    settings = {"model_args": json.dumps(section(spec, "model_args", where), sort_keys=True)}
    means = _means(header, notes)
    return [
        LoggedCell(
            place._replace(score=key, repeat=repeat),
            outcomes,
            where,
            scoring=FirstToken.name if all(each.option_logprobs for each in outcomes) else None,
            data=data,
            settings=settings,
            task_settings={name: json.dumps(used[name]) for name in _KEPT if used.get(name) is not None},
            headline=means.get(key),
            failed=max(0, total // epochs - len(outcomes)),
        )
        for (key, repeat), outcomes in found.items()
    ]


def _example(sample: Mapping[str, object], request: LogRequest, where: str) -> str:
    found = sample.get("id")
    if request.example is not None:
        found = section(sample, "metadata", where).get(request.example)
    if not isinstance(found, str | int) or isinstance(found, bool) or found == "":
        expected = request.example or "id"
        raise FileError("a sample does not say which example it is of", expected=expected, where=where)
    return str(found)


def _total(header: _Header, epochs: int) -> int:
    """How many samples the evaluation was to have, with repeats."""
    found = section(header.content, "results", header.where).get("total_samples")
    if isinstance(found, int):
        return found
    ids = section(section(header.content, "eval", header.where), "dataset", header.where).get("sample_ids")
    return epochs * len(ids) if isinstance(ids, list) else 0


def _is_shuffled(header: _Header) -> bool:
    """Whether options were shown in other orders: letters then do not name the options of the log."""
    steps = sequence(section(header.content, "plan", header.where).get("steps") or [], header.where)
    return any(section(mapping(step, header.where), "params", header.where).get("shuffle") for step in steps)


def _means(header: _Header, notes: dict[str, None]) -> dict[str, float]:
    """The mean of each score, as the log reports it."""
    found: dict[str, float] = {}
    results = section(header.content, "results", header.where)
    for each in sequence(results.get("scores") or [], header.where):
        score = mapping(each, header.where)
        label, scorer = str(score.get("name")), str(score.get("scorer"))
        key = label if label == scorer else f"{scorer}/{label}"
        if score.get("reducer") not in (None, "mean"):
            notes[f"{key}: the log's means are of the reducer {score.get('reducer')}, and are not compared"] = None
            continue
        metrics = section(score, "metrics", header.where)
        metric = next((each for each in ("accuracy", "mean") if each in metrics), None)
        value = number(section(metrics, metric, header.where).get("value")) if metric else None
        if value is not None:
            found[key] = value
    return found


def _values(scorer: str, value: object, notes: dict[str, None]) -> dict[str, float]:
    """The scores of one scorer by name; nothing where a sample was not scored."""
    if isinstance(value, dict):
        found: dict[str, float] = {}
        for key, each in value.items():
            found |= _values(f"{scorer}/{key}", each, notes)
        return found
    if isinstance(value, str) and value in _VALUES:
        return {scorer: _VALUES[value]}
    score = number(value)
    if score is not None:
        return {} if math.isnan(score) else {scorer: score}
    if value is not None:
        notes[f"{scorer} is left out: it is not a number for each example"] = None
    return {}


def _outcome(
    sample: Mapping[str, object],
    example: str,
    score: Mapping[str, object],
    value: float,
    where: str,
    asked: int,
    *,
    shuffled: bool,
) -> Outcome:
    text = _resolved(section(sample, "output", where).get("completion"), sample, where)
    target = sample.get("target")
    targets = [str(each) for each in target] if isinstance(target, list) else [str(target)]
    choices = sample.get("choices")
    options = tuple(str(each) for each in choices) if isinstance(choices, list) and not shuffled else ()
    letters = _LETTERS[: len(options)]
    answer = str(score.get("answer") or "").strip()
    is_read = len(answer) == 1 and answer in letters
    if 2 <= len(set(options)) == len(options) <= len(_LETTERS) and len(targets) == 1 and targets[0] in letters:
        right = letters.index(targets[0])
        credit = tuple(float(place == right) for place in range(len(options)))
        found = Outcome(
            example,
            value,
            options,
            option_credits=credit,
            predicted=letters.index(answer) if is_read else None,
            target=right,
            text=text,
        )
        if (is_read or not answer) and value == (credit[letters.index(answer)] if is_read else 0.0):
            written = sequence(section(sample, "output", where).get("choices") or [], where)
            scores = answer_scores(mapping(written[0], where), letters, asked) if written else None
            return found if scores is None else with_scores(found, scores)
    return Outcome(example, value, text=text, reference=next(iter(targets), None), other_references=tuple(targets[1:]))


def _resolved(value: object, sample: Mapping[str, object], where: str) -> str:
    """A text, which long samples keep apart."""
    text = value if isinstance(value, str) else ""
    key = text.removeprefix("attachment://")
    return str(section(sample, "attachments", where).get(key, text)) if key != text else text
