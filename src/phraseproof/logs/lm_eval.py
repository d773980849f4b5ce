"""Reads the output folders of lm-evaluation-harness: `results_DATE.json` and `samples_TASK_DATE.jsonl`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from phraseproof.errors import FileError
from phraseproof.files import load_json
from phraseproof.logs.cells import Log, LoggedCell, LogPlace, LogRequest, mapping, number, section, whole
from phraseproof.logs.lm_eval_samples import SCORING, data_of, metrics_of, outcome_of, read_samples, sample_of, settled
from phraseproof.logs.names import FOLDER, LogNames, name
from phraseproof.logs.outcome_spool import OutcomeSpool

_RESULTS, _SAMPLES = "results_*.json", "samples_*.jsonl"
_KEPT = ("model", "model_dtype", "model_revision", "gen_kwargs")
"""The parts of the configuration that change scores."""


class _Results(NamedTuple):
    """One results file and what it says of the run."""

    path: Path
    content: Mapping[str, object]
    model: str
    folder: str
    settings: Mapping[str, str]


def recognizes(path: Path) -> bool:
    """Whether it is a results file, a samples file, or a folder with results files."""
    if path.is_dir():
        return next(path.rglob(_RESULTS), None) is not None
    return path.match(_RESULTS) or path.match(_SAMPLES)


def read(paths: Sequence[Path], request: LogRequest) -> Log:
    """The outcomes in output folders or results files.

    Raises:
        FileError: a file is missing, or not as the program writes it.
        UsageError: the request does not fit.
    """
    files: list[Path] = []
    cells: list[LoggedCell] = []
    notes: dict[str, None] = {}
    versions: dict[str, None] = {}
    parameters: dict[str, int] = {}
    spool = OutcomeSpool()
    for results in map(_results, _results_files(paths)):
        files.append(results.path)
        versions[str(results.content.get("lm_eval_version", ""))] = None
        size = whole(section(results.content, "config", str(results.path)).get("model_num_parameters"))
        if size:
            parameters[results.model] = size
        for task in section(results.content, "configs", str(results.path)):
            path = results.path.parent / f"samples_{task}_{results.path.stem.removeprefix('results_')}.jsonl"
            if not path.exists():
                notes[f"{results.path}: the task {task} has no samples file"] = None
                continue
            names = LogNames(task, results.folder, results.path.stem, results.settings)
            named = name(names, request, FOLDER, str(results.path))
            if named is None:
                notes[f"no pattern of --wordings fits the task {task}, which is left out"] = None
                continue
            files.append(path)
            found = _cells(path, results, task, LogPlace(results.model, *named, ""), request, spool)
            cells += found.cells
            notes |= dict.fromkeys(found.notes)
    if not cells:
        raise FileError(
            "no samples",
            where=", ".join(map(str, paths)),
            got="; ".join(notes) or None,
            hint="Run lm_eval with --log_samples and --output_path",
        )
    return Log(
        f"lm-evaluation-harness {', '.join(filter(None, versions))}".strip(), files, cells, list(notes), parameters
    )


def _results_files(paths: Sequence[Path]) -> Iterator[Path]:
    seen: set[Path] = set()
    for path in paths:
        if path.is_dir():
            found = sorted(path.rglob(_RESULTS))
        elif path.match(_SAMPLES):
            found = [
                each for each in path.parent.glob(_RESULTS) if path.stem.endswith(each.stem.removeprefix("results"))
            ]
        else:
            found = [path]
        if not found:
            raise FileError("no results file of lm-evaluation-harness", expected=_RESULTS, where=str(path))
        for each in found:
            if each.resolve() not in seen:
                seen.add(each.resolve())
                yield each


def _results(path: Path) -> _Results:
    where = str(path)
    content = mapping(load_json(path), where)
    config = section(content, "config", where)
    if "results" not in content or not config:
        raise FileError(
            "not a results file of lm-evaluation-harness", expected="results, configs and config", where=where
        )
    model = str(content.get("model_name") or config.get("model_args") or config.get("model") or "")
    if not model:
        raise FileError("the file does not say which model it is of", expected="model_name", where=where)
    # Results are written into a folder that is named after the model, below that of --output_path.
    own = path.resolve().parent
    is_models = own.name == content.get("model_name_sanitized")
    kept = {key: _plain(config.get(key)) for key in _KEPT if config.get(key)}
    arguments = config.get("model_args")
    if arguments:
        kept["model_args"] = _plain(arguments)
    for key in ("chat_template_sha", "fewshot_as_multiturn"):
        if content.get(key):
            kept[key] = _plain(content[key])
    return _Results(path, content, model, (own.parent if is_models else own).name, kept)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


class _Found(NamedTuple):
    cells: list[LoggedCell]
    notes: list[str]


def _cells(
    path: Path, results: _Results, task: str, place: LogPlace, request: LogRequest, spool: OutcomeSpool
) -> _Found:
    where = str(path)
    content = results.content
    shots = whole(section(content, "n-shot", where).get(task))
    seed = whole(section(content, "config", where).get("fewshot_seed")) if shots else 0
    text = section(section(content, "configs", where), task, where).get("doc_to_text")
    means = section(section(content, "results", where), task, where)
    higher = section(section(content, "higher_is_better", where), task, where)
    samples = settled([sample_of(sample, f"{where}:{line}", request) for line, sample in read_samples(path)])
    expected = whole(section(section(content, "n-samples", where), task, where).get("effective"))
    notes: list[str] = []
    cells: list[LoggedCell] = []
    for key in dict.fromkeys(
        (str(each.sample.get("filter", "none")), metric) for each in samples for metric in metrics_of(each)
    ):
        filter_name, metric = key
        of_filter = [each for each in samples if str(each.sample.get("filter", "none")) == filter_name]
        values = [number(each.sample.get(metric)) for each in of_filter]
        if higher.get(metric) is False or None in values:
            reason = "lower is better" if higher.get(metric) is False else "it is not a number for each example"
            notes.append(f"{metric} is left out: {reason}")
            continue
        score = metric if filter_name == "none" else f"{metric}/{filter_name}"
        outcomes = spool.cell(
            outcome_of(each, metric, value) for each, value in zip(of_filter, values, strict=True) if value is not None
        )
        cells.append(
            LoggedCell(
                place._replace(score=score, num_fewshot=shots, fewshot_seed=seed),
                outcomes,
                where,
                scoring=SCORING.get(metric) if all(each.option_logprobs for each in outcomes) else None,
                category=_category(content, task, where) or place.task,
                text=text if isinstance(text, str) else "",
                data={each.example: data_of(each.sample, request) for each in of_filter},
                settings=results.settings,
                headline=number(means.get(f"{metric},{filter_name}")),
                failed=max(0, expected - len(of_filter)),
            )
        )
    return _Found(cells, notes)


def _category(content: Mapping[str, object], task: str, where: str) -> str | None:
    """The one group that has the task as a member; nothing where there are several."""
    groups = section(content, "group_subtasks", where)
    of = [group for group, members in groups.items() if isinstance(members, list) and task in members]
    return of[0] if len(of) == 1 else None
