"""From names to an evaluation: what `phraseproof.evaluate` and the command of that name both do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypedDict, Unpack

from phraseproof.core import Instruction, Model, ModelIdentity, Task
from phraseproof.errors import UsageError
from phraseproof.evaluation.budget import read_budget
from phraseproof.evaluation.devices import Devices, named_devices, on_device
from phraseproof.evaluation.observer import Observer, SilentObserver
from phraseproof.evaluation.plan import EvaluationSettings
from phraseproof.evaluation.run import Evaluation, Forecast, prepare
from phraseproof.identity import content_hash
from phraseproof.instructions.collections import Collection, instructions_for, load_collection
from phraseproof.instructions.families import AUTO, observed_by
from phraseproof.models import ModelOptions, load_model
from phraseproof.store.queries import Run
from phraseproof.store.training_record import read_record, seen_wordings
from phraseproof.tasks import load_tasks

Tasks = str | Path | Task | Sequence[str | Path | Task]
Wordings = str | Path | Collection | Sequence[str | Path | Collection]


class EvaluateOptions(TypedDict, total=False):
    """Everything optional about an evaluation; the command line's options of the same names.

    Keys:
        data_dir: a folder with the built-in benchmarks' published files, instead of the hub.
        num_fewshot, fewshot_seed: demonstrations in a prompt and the seed of their draw; a number or several.
        limit, seed: at most so many examples a task, and the seed of that sample.
        scoring: `loglikelihood` (default), `loglikelihood_norm` or `paper`.
        prompt_format: `auto` (default), `plain`, `alpaca` or `chat`.
        log_samples: store every full prompt.
        budget: score a share of each grid of wordings and examples, as in "5%", and estimate the rest (docs/budget.md).
        rescore_ties: score choices again in float32 that half precision leaves too close to call (docs/scoring.md).
        model_options: how to load a model given by name.
        observer: notified of the evaluation's progress.
        self_test: check the model's scores before the run (default True).
    """

    data_dir: str | Path | None
    num_fewshot: int | Sequence[int]
    fewshot_seed: int | Sequence[int]
    limit: int | None
    seed: int
    scoring: str
    prompt_format: str
    log_samples: bool
    budget: str | None
    rescore_ties: bool
    model_options: ModelOptions
    observer: Observer
    self_test: bool


def evaluate(
    model: str | Model,
    tasks: Tasks,
    instructions: Mapping[str, Wordings],
    out: str | Path,
    **options: Unpack[EvaluateOptions],
) -> Run:
    """Score a model on tasks under every wording, into a run folder; only what the folder lacks is computed.

    Args:
        model: a hub id, a folder, `scripted`, or a loaded model.
        tasks: built-in names (`"mmlu,bbl"`), paths of task files, or `Task` objects.
        instructions: for each group of wordings (`observed`, `unobserved`, or any name) its collections: shipped
            names or paths of collection files.
        out: the run folder.

    Returns:
        The run, opened for reading. Cells that failed are in `Run.failures`.

    Raises:
        PhraseproofError: something in the input is wrong; nothing that was computed is lost.
    """
    observer = options.get("observer") or SilentObserver()
    evaluation = resolve(model, tasks, instructions, **options)
    return evaluation.run(Path(out), observer=observer, self_test=options.get("self_test", True))


def forecast(
    model: str | Model,
    tasks: Tasks,
    instructions: Mapping[str, Wordings],
    out: str | Path | None = None,
    **options: Unpack[EvaluateOptions],
) -> Forecast:
    """What `evaluate` with the same arguments would cost; loads no weights and writes nothing."""
    return resolve(model, tasks, instructions, **options).forecast(None if out is None else Path(out))


def resolve(
    model: str | Model,
    tasks: Tasks,
    instructions: Mapping[str, Wordings],
    **options: Unpack[EvaluateOptions],
) -> Evaluation:
    """Load everything that is named and check that it fits together."""
    known = EvaluateOptions.__optional_keys__
    if unknown := sorted(options.keys() - known):
        raise UsageError(f"unknown option {unknown[0]!r}", expected=f"one of: {', '.join(sorted(known))}")
    warn = (options.get("observer") or SilentObserver()).warned
    budget = options.get("budget")
    settings = EvaluationSettings(
        scoring=options.get("scoring", "loglikelihood"),
        prompt_format=options.get("prompt_format", "auto"),
        num_fewshot=_numbers(options.get("num_fewshot", 0)),
        fewshot_seeds=_numbers(options.get("fewshot_seed", 0)),
        limit=options.get("limit"),
        seed=options.get("seed", 0),
        log_samples=options.get("log_samples", False),
        budget=None if budget is None else read_budget(budget),
        rescore_ties=options.get("rescore_ties", False),
    )
    _require_groups(instructions)
    name = model if isinstance(model, str) else model.identity.name
    collections = {group: load_wordings(named, model=name) for group, named in instructions.items()}
    data_dir = options.get("data_dir")
    found_tasks = _tasks(tasks, None if data_dir is None else Path(data_dir), warn)
    groups = _groups(collections, found_tasks, warn)
    model_options = options.get("model_options", ModelOptions())
    names = named_devices(model_options)
    if len(names) > 1:
        model_options = on_device(model_options, names[0])
    found = model if not isinstance(model, str) else load_model(model, model_options)
    evaluation = prepare(found, found_tasks, groups, settings)
    if isinstance(model, str):
        _warn_of_seen_wordings(evaluation, model, model_options, warn)
        _warn_of_another_base(evaluation.model.identity, model_options, warn)
        if len(names) > 1:
            # Elsewhere, too, in the precision that the first device has by itself.
            precise = replace(model_options, dtype=found.identity.dtype or model_options.dtype)
            again = {key: value for key, value in options.items() if key not in {"observer", "self_test"}}
            devices = Devices(names, model, tasks, instructions, again | {"model_options": precise})
            evaluation = replace(evaluation, workers=devices)
    if any(settings.num_fewshot):
        _tell_where_demonstrations_come_from(found_tasks, warn)
    return evaluation


def _require_groups(given: object) -> None:
    """Python checks no types, and a bare "composed" is an easy slip."""
    if not given or not isinstance(given, Mapping):
        raise UsageError(
            "no group of wordings to evaluate",
            expected="a mapping from names of groups to collections",
            got=repr(given),
            hint="Name at least one group, as in instructions={'mine': 'my.yaml'}",
        )


def _warn_of_seen_wordings(
    evaluation: Evaluation, model: str, options: ModelOptions, warn: Callable[[str], None]
) -> None:
    """Say which wordings under test the adapter (or the model) was trained on by `align`, where a record tells."""
    folder = options.adapter or Path(options.args.get("adapter", model))
    if not folder.is_dir():
        return
    seen: dict[str, None] = {}
    for task in evaluation.tasks:
        wordings = dict.fromkeys(each.wording for each in evaluation.planned if each.cell.task == task.name)
        found = seen_wordings(folder, wordings, task.examples)
        seen.update(dict.fromkeys(wording.name for wording in found if not wording.held_out))
    if seen:
        names = ", ".join(list(seen)[:3]) + (f" and {len(seen) - 3} more" if len(seen) > 3 else "")
        warn(f"{folder} was trained on {len(seen)} of the wordings under test: {names}")


def _warn_of_another_base(model: ModelIdentity, options: ModelOptions, warn: Callable[[str], None]) -> None:
    """Say that an adapter was trained by `align` on another model than the one under it, where a record tells."""
    folder = options.adapter or options.args.get("adapter")
    record = read_record(Path(folder)) if folder else None
    base: Mapping[str, str] = {} if record is None else record.get("base_model", {})
    if base and base.get("revision") != model.revision:
        warn(f"{folder} was trained on other weights than those of {model.name}: {base.get('name')}")


def _tasks(named: Tasks, data_dir: Path | None, warn: Callable[[str], None]) -> list[Task]:
    if isinstance(named, str):
        named = [name.strip() for name in named.split(",") if name.strip()]
    members = [named] if isinstance(named, Path | Task) else list(named)
    if not members:
        raise UsageError("no task to evaluate on", hint="phraseproof tasks list shows what there is")
    found: list[Task] = []
    for member in members:
        found += [member] if isinstance(member, Task) else load_tasks([str(member)], data_dir=data_dir, warn=warn)
    names = [task.name for task in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise UsageError(f"the task {min(twice)!r} is named twice")
    # While they are whole: `represent` may draw another sample of them than the run it lies in.
    return [task if task.data else replace(task, data=content_hash(task.examples)) for task in found]


def _groups(
    collections: Mapping[str, Sequence[Collection]], tasks: Sequence[Task], warn: Callable[[str], None]
) -> dict[str, dict[str, list[Instruction]]]:
    groups = {
        group: {task.name: [item for member in members for item in instructions_for(member, task)] for task in tasks}
        for group, members in collections.items()
    }
    for task in tasks:
        if not any(by_task[task.name] for by_task in groups.values()):
            members = [member for of_group in collections.values() for member in of_group]
            served = sorted({name for member in members for item in member.instructions for name in item.serves})
            raise UsageError(
                f"no wording fits the task {task.name!r} ({task.kind})",
                expected=f"wordings for it or for every {task.kind} task" if served else None,
                got=f"wordings for: {', '.join(served)}" if served else None,
                hint="`phraseproof instructions list` shows the collections that are shipped",
            )
    for group, by_task in groups.items():
        without = [task.name for task in tasks if not by_task[task.name]]
        if without:
            warn(f"the group {group!r} has no wording for {_some(without)}")
    return groups


def _tell_where_demonstrations_come_from(tasks: Sequence[Task], warn: Callable[[str], None]) -> None:
    without = [task.name for task in tasks if not task.demonstrations]
    if without:
        warn(
            f"no demonstrations are set apart for {_some(without)}: their own examples are shown, never the tested one"
        )


def _some(names: Sequence[str]) -> str:
    """At most five of the names."""
    rest = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + rest


def _several(named: Wordings) -> list[str | Path | Collection]:
    if isinstance(named, str):
        return [name.strip() for name in named.split(",") if name.strip()]
    return [named] if isinstance(named, Path | Collection) else list(named)


def load_wordings(named: Wordings, *, model: str | None = None) -> list[Collection]:
    """The collections that a text with commas, a path or a list of such names.

    Args:
        named: names or paths of collections; `auto` means those that the model was tuned on.
        model: the model's name, where there is one.

    Raises:
        UsageError: a collection is not there, or it is not known what the model was tuned on.
    """
    found: list[Collection] = []
    for member in _several(named):
        found += observed_by(model) if member == AUTO and model is not None else [_collection(member)]
    return found


def _collection(named: str | Path | Collection) -> Collection:
    return named if isinstance(named, Collection) else load_collection(str(named))


def _numbers(value: int | Sequence[int]) -> tuple[int, ...]:
    return (value,) if isinstance(value, int) else tuple(value)
