"""Reads run folders of HELM: `run_spec.json`, `scenario_state.json`, `per_instance_stats.json` and `stats.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from phraseproof.core import Outcome
from phraseproof.errors import FileError, UsageError
from phraseproof.files import load_json
from phraseproof.logs.cells import (
    Log,
    LoggedCell,
    LogPlace,
    LogRequest,
    data_hash,
    mapping,
    number,
    section,
    sequence,
    whole,
)
from phraseproof.logs.names import FIELD, LogNames, name
from phraseproof.logs.outcome_spool import OutcomeSpool, SpooledOutcomes
from phraseproof.scoring.accuracy import METRIC as ACCURACY

_SPEC, _STATE, _VALUES, _MEANS = "run_spec.json", "scenario_state.json", "per_instance_stats.json", "stats.json"

_SCORES = frozenset(
    {
        "exact_match", "quasi_exact_match", "prefix_exact_match", "quasi_prefix_exact_match",
        "final_number_exact_match", "f1_score", "rouge_1", "rouge_2", "rouge_l", "bleu_1", "bleu_4", "math_equiv",
        "math_equiv_chain_of_thought", "chain_of_thought_correctness", "ifeval_strict_accuracy", "mmlu_pro_correctness",
    }
)  # fmt: skip
"""The statistics that say how good an answer is. Others are about costs and lengths; --metric reads any of them."""

_OF_OPTIONS = ("exact_match", "quasi_exact_match")
"""Scores that are the accuracy of the choice, where HELM compares the chosen option with the right one."""

_NO_WORDING = frozenset(
    {"model", "model_deployment", "method", "max_train_instances", "num_train_trials", "eval_split"}
)
"""Arguments in the name of a run that do not name a wording."""

_KEPT = ("method", "max_tokens", "temperature", "stop_sequences", "num_outputs", "model_deployment")
_SPLITS = ("test", "valid", "train")


class _Run(NamedTuple):
    """One run folder."""

    path: Path
    spec: Mapping[str, object]
    adapter: Mapping[str, object]

    @property
    def where(self) -> str:
        return str(self.path)

    def listed(self, file: str) -> list[Mapping[str, object]]:
        """The objects of a file that is a list."""
        where = f"{self.path / file}"
        return [mapping(each, where) for each in sequence(load_json(self.path / file), where)]


class _Request(NamedTuple):
    """What was asked about an instance: the answer, or the tokens of one option after the prompt."""

    option: int | None
    completion: Mapping[str, object]
    letters: Mapping[str, object]


def recognizes(path: Path) -> bool:
    """Whether it is a run folder, or a folder of some."""
    return path.is_dir() and any(True for _ in _folders(path))


def read(paths: Sequence[Path], request: LogRequest) -> Log:
    """The outcomes in run folders of HELM, and in folders of such.

    Raises:
        FileError: a folder lacks a file, or holds other things than HELM writes.
        UsageError: the request does not fit.
    """
    if request.example is not None:
        raise UsageError("instances of HELM have an id of their own", where="--example")
    folders = [folder for path in paths for folder in _folders(path)]
    if not folders:
        raise FileError("no run folder of HELM", expected=f"{_SPEC} and {_STATE}", where=", ".join(map(str, paths)))
    cells: list[LoggedCell] = []
    notes: dict[str, None] = {}
    spool = OutcomeSpool()
    for folder in folders:
        spec = mapping(load_json(folder / _SPEC), str(folder / _SPEC))
        run = _Run(folder, spec, section(spec, "adapter_spec", str(folder)))
        named = name(_names(run), request, f"{FIELD}name", run.where)
        if named is None:
            notes[f"no pattern of --wordings fits the task {_names(run).task}, which is left out"] = None
            continue
        cells += _cells(run, LogPlace(str(run.adapter.get("model")), *named, ""), request, notes, spool)
    files = [folder / file for folder in folders for file in (_SPEC, _STATE, _VALUES, _MEANS)]
    return Log("HELM", files, cells, list(notes))


def _folders(path: Path) -> list[Path]:
    found = sorted(each.parent for each in path.rglob(_SPEC)) if path.is_dir() else []
    return [
        each for each in found if (each / _STATE).exists() and (each / _VALUES).exists() and (each / _MEANS).exists()
    ]


def _names(run: _Run) -> LogNames:
    """The task is the scenario with its arguments; the rest of the run's name is the wording."""
    title, _, text = str(run.spec.get("name")).partition(":")
    pairs = [part.partition("=") for part in text.split(",")]
    arguments = {key: value for key, equals, value in pairs if equals}
    scenario = section(section(run.spec, "scenario_spec", run.where), "args", run.where)
    task = ",".join([title, *(f"{key}={value}" for key, value in sorted(scenario.items()))])
    telling = {key: value for key, value in arguments.items() if key not in _NO_WORDING and key not in scenario}
    wording = next(iter(telling.values())) if len(telling) == 1 else ",".join(f"{k}={v}" for k, v in telling.items())
    return LogNames(task, run.path.parent.name, run.path.name, {"name": wording or "default", **arguments})


def _cells(
    run: _Run, place: LogPlace, request: LogRequest, notes: dict[str, None], spool: OutcomeSpool
) -> list[LoggedCell]:
    values = [each for each in run.listed(_VALUES) if not each.get("perturbation")]
    state = mapping(load_json(run.path / _STATE), str(run.path / _STATE))
    asked = [mapping(each, run.where) for each in sequence(state.get("request_states"), run.where)]
    instances = {str(instance["id"]): instance for each in asked if (instance := _instance(each, run.where))}
    if len(instances) < len({json.dumps(each.get("instance"), sort_keys=True) for each in asked}):
        notes[f"{run.where}: instances with perturbed texts are left out"] = None
    split = next((split for split in _SPLITS if any(each.get("split") == split for each in instances.values())), None)
    instances = {key: each for key, each in instances.items() if each.get("split") == split}
    requests = _requests(asked, run.where)
    found: dict[tuple[str, int], SpooledOutcomes] = {}
    for each in values:
        key, trial = str(each.get("instance_id")), whole(each.get("train_trial_index"))
        if key in instances:
            stats = _stats(each, split, run.where)
            for score in stats if request.metric is None else {request.metric} & stats.keys():
                if score in _SCORES or score == request.metric:
                    outcome = _outcome(instances[key], requests.get((key, trial), []), stats, score, run.where)
                    (found.get((score, trial)) or found.setdefault((score, trial), spool.cell())).append(outcome)
    means = {
        str(section(each, "name", run.where).get("name")): each.get("mean")
        for each in run.listed(_MEANS)
        if section(each, "name", run.where).get("split") == split
        and not section(each, "name", run.where).get("perturbation")
    }
    return [
        LoggedCell(
            place._replace(score=score, num_fewshot=whole(run.adapter.get("max_train_instances")), fewshot_seed=trial),
            outcomes,
            run.where,
            scoring="loglikelihood" if all(each.option_logprobs for each in outcomes) else None,
            text=_text(run.adapter),
            data={key: data_hash(each) for key, each in instances.items()},
            task_settings={key: json.dumps(run.adapter.get(key)) for key in _KEPT},
            headline=number(means.get(score)),
            failed=len(instances) - len(outcomes),
        )
        for (score, trial), outcomes in found.items()
    ]


def _instance(asked: Mapping[str, object], where: str) -> Mapping[str, object] | None:
    """The instance of a request; `None` where its text was perturbed."""
    found = section(asked, "instance", where)
    return None if found.get("perturbation") or "id" not in found else found


def _requests(asked: Sequence[Mapping[str, object]], where: str) -> dict[tuple[str, int], list[_Request]]:
    found: dict[tuple[str, int], list[_Request]] = {}
    for each in asked:
        instance = _instance(each, where)
        completions = sequence(section(each, "result", where).get("completions") or [], where)
        if instance is None or not completions or each.get("request_mode") == "calibration":
            continue
        place = each.get("reference_index")
        key = str(instance["id"]), whole(each.get("train_trial_index"))
        found.setdefault(key, []).append(
            _Request(
                place if isinstance(place, int) else None,
                mapping(completions[0], where),
                section(each, "output_mapping", where),
            )
        )
    return found


def _stats(values: Mapping[str, object], split: str | None, where: str) -> dict[str, float]:
    """The statistics of an instance by name, each the mean of what was counted."""
    found: dict[str, float] = {}
    for each in sequence(values.get("stats"), where):
        stat = mapping(each, where)
        title = section(stat, "name", where)
        total, count = number(stat.get("sum")), whole(stat.get("count"))
        if title.get("split") == split and not title.get("perturbation") and count and total is not None:
            found[str(title.get("name"))] = total / count
    return found


def _outcome(
    instance: Mapping[str, object], requests: Sequence[_Request], stats: Mapping[str, float], score: str, where: str
) -> Outcome:
    references = [mapping(each, where) for each in sequence(instance.get("references"), where)]
    options = tuple(str(section(each, "output", where).get("text")) for each in references)
    credit = tuple(float("correct" in sequence(each.get("tags") or [], where)) for each in references)
    text = str(requests[0].completion.get("text") or "") if requests and requests[0].option is None else ""
    predicted = _predicted(options, requests, stats, text)
    is_asked_by_letter = bool(requests) and bool(requests[0].letters)
    has_choice = sum(credit) == 1 and len(set(options)) == len(options) > 1
    if score in _OF_OPTIONS and has_choice and (predicted is not None or is_asked_by_letter):
        found = Outcome(
            str(instance["id"]),
            stats[score],
            options,
            _logprobs(options, requests, where),
            option_credits=credit,
            predicted=predicted,
            target=credit.index(1.0),
            text=text,
        )
        if ACCURACY.score(found) == stats[score]:
            return found
    right = [option for option, value in zip(options, credit, strict=True) if value]
    return Outcome(
        str(instance["id"]),
        stats[score],
        text=text,
        reference=right[0] if right else None,
        other_references=tuple(right[1:]),
    )


def _predicted(
    options: Sequence[str], requests: Sequence[_Request], stats: Mapping[str, float], text: str
) -> int | None:
    """The chosen option: as HELM says, or the one whose letter the model wrote."""
    if "predicted_index" in stats:
        place = round(stats["predicted_index"])
        return place if 0 <= place < len(options) else None
    option = requests[0].letters.get(text.strip()) if requests else None
    return options.index(option) if isinstance(option, str) and option in options else None


def _logprobs(options: Sequence[str], requests: Sequence[_Request], where: str) -> tuple[float, ...]:
    """The log-probability of each option after the prompt; empty where its tokens cannot be found.

    HELM stores the tokens of prompt and option together. Those of the option are the last ones, whose text is that of
    the option.
    """
    found: dict[int, float] = {}
    for each in requests:
        if each.option is None or not 0 <= each.option < len(options):
            return ()
        text, total = "", 0.0
        for token in reversed(sequence(each.completion.get("tokens") or [], where)):
            part = mapping(token, where)
            value = number(part.get("logprob"))
            if value is None:
                return ()
            text, total = f"{part.get('text')}{text}", total + value
            if text.lstrip() == options[each.option]:
                found[each.option] = total
                break
            if len(text.lstrip()) > len(options[each.option]):
                return ()
    return tuple(found[place] for place in range(len(options))) if len(found) == len(options) else ()


def _text(adapter: Mapping[str, object]) -> str:
    """The wording: what is around the input of an instance."""
    parts = ("global_prefix", "instructions", "input_prefix", "", "input_suffix", "output_prefix")
    return "".join(str(adapter.get(part) or "") if part else "{input}" for part in parts)
