"""From a request to an evaluation: load everything that is named, and check that it fits together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from phraseproof.core import Instruction, Model, ModelIdentity, Task
from phraseproof.errors import UsageError
from phraseproof.evaluation.answer_settings import with_stored_limit
from phraseproof.evaluation.device_share import DeviceShare
from phraseproof.evaluation.distributed.pooled import PooledWorkers, WorkerSet, refuse_served
from phraseproof.evaluation.judging import connect_judges
from phraseproof.evaluation.observer import Observer, SilentObserver
from phraseproof.evaluation.prepare import prepare, require_texts
from phraseproof.evaluation.request import OBJECT, EvaluationRequest, Wordings
from phraseproof.evaluation.run import Evaluation
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.evaluation.workers import DeviceWorkers, named_devices, on_device
from phraseproof.identity import content_hash
from phraseproof.instructions.collections import Collection, instructions_for, load_collection
from phraseproof.instructions.families import AUTO, observed_by
from phraseproof.instructions.template import literal
from phraseproof.models import ModelOptions, load_model
from phraseproof.scoring.registry import metric
from phraseproof.store.locks import PATIENT, LockOptions
from phraseproof.store.run_file import STRATIFIED
from phraseproof.store.stored import stored_answer_limit, stored_model_name, stored_samples
from phraseproof.store.training_record import read_record, seen_wordings
from phraseproof.tasks import load_tasks


def resolve(
    request: EvaluationRequest | EvaluationSpec,
    *,
    out: Path | None = None,
    observer: Observer | None = None,
    locking: LockOptions = PATIENT,
    forecast: bool = False,
    workers: WorkerSet | None = None,
) -> Evaluation:
    """Load everything that is named and check that it fits together. Loads no weights.

    Args:
        request: the spec and its Python objects, or a spec alone.
        out: the run folder: a run that was started there decides how examples are drawn, and how long answers may be.
        observer: receives warnings.
        locking: how long other processes that work on the run folder are waited for.
        forecast: only a forecast is made, also without an answer of the server.
        workers: of Ray (`kept_workers`), among which the work of all scorers is divided; `None`: this process computes,
            or those of its devices.

    Raises:
        PhraseproofError: something that is named cannot be used.
    """
    if isinstance(request, EvaluationSpec):
        request = EvaluationRequest(request)
    spec = request.spec
    warn = (observer or SilentObserver()).warned
    if not spec.instructions:
        raise UsageError("no group of wordings to evaluate", where="--instructions")
    name = spec.model if request.model is None else request.model.identity.name
    collections = {group: _collections(request, members, name) for group, members in spec.instructions.items()}
    tasks = _tasks(request, warn)
    groups = _groups(collections, tasks, warn)
    if spec.system is not None:
        groups = _with_system(groups, spec.system)
    devices = named_devices(spec.model_options)
    _require_divisible(request, devices, workers)
    options = on_device(spec.model_options, devices[0]) if len(devices) > 1 else spec.model_options
    if request.model is None:
        options, model = _loaded(spec.model, options, out)
        if workers is not None:
            refuse_served(model, spec.model)
    else:
        model = request.model
    if out is not None:
        spec = _as_in_folder(spec, model, tasks, out, warn)
    connect_judges(spec.metrics, out, tasks)
    each = [
        replace(prepare(model, tasks, groups, changed, forecast=forecast), locking=locking)
        for changed in spec.each_alone()
    ]
    require_texts([one.settings for one in each])
    evaluation = each[0]
    for note in dict.fromkeys(note for one in each for note in one.notes):
        warn(note)
    _report_pinned_date(evaluation, options, warn)
    if (differs := evaluation.model.identity.settings.get("adapter_tokenizer")) is not None:
        warn(f"the tokenizer in the adapter's folder is used, which has {differs.rpartition(' (')[0]}")
    if request.model is None:
        _warn_of_seen_wordings(evaluation, spec.model, options, warn)
        _warn_of_another_base(model.identity, options, warn)
        if len(devices) > 1 or workers is not None:
            # The others use the precision that the first device chooses by itself.
            precise = replace(options, dtype=model.identity.dtype or options.dtype)
            each = [_divided(one, spec.model, precise, devices, workers) for one in each]
    if any(spec.num_fewshot):
        _tell_where_demonstrations_come_from(tasks, warn)
    return replace(each[0], further=tuple(each[1:]))


def _loaded(name: str, options: ModelOptions, out: Path | None) -> tuple[ModelOptions, Model]:
    """The model, under the name that the run in `out` knows it by, and the options with that name."""
    _require_no_object(name, "--model")
    model = load_model(name, options)
    return _as_named_in_folder(name, options, model, out) if out and Path(name).exists() else (options, model)


def _require_divisible(request: EvaluationRequest, devices: Sequence[str], workers: WorkerSet | None) -> None:
    """Workers load the model by its name, each one on its own device."""
    if workers is None:
        return
    if request.model is not None:
        raise UsageError("workers load a model by its name, and this one is a Python object", where="workers")
    if len(devices) > 1:
        raise UsageError(
            "--workers and several devices are given",
            got=",".join(devices),
            where="--device",
            hint="--worker-arg gpus=1 gives each worker its own GPU",
        )


def _divided(
    evaluation: Evaluation,
    model: str,
    options: ModelOptions,
    devices: Sequence[str],
    workers: WorkerSet | None,
) -> Evaluation:
    """An evaluation that other processes compute."""
    if metric(evaluation.settings.metric).is_batched:  # computed from stored texts, in this process
        return evaluation
    if workers is not None:
        pooled = PooledWorkers(evaluation, model, options, workers.options, workers.open_pool)
        return replace(evaluation, workers=pooled)
    share = DeviceShare.of(evaluation, model, options)
    return replace(evaluation, workers=DeviceWorkers(tuple(devices), share.compute))


def load_wordings(named: Wordings, *, model: str | None = None) -> list[Collection]:
    """The collections that a text with commas, a path or a list of such names.

    Args:
        named: names or paths of collections; `auto` means those that the model was tuned on.
        model: the model's name, where there is one.

    Raises:
        UsageError: a collection does not exist, or it is not known what the model was tuned on.
    """
    if isinstance(named, str):
        members: Sequence[str | Path | Collection] = [name.strip() for name in named.split(",") if name.strip()]
    else:
        members = [named] if isinstance(named, Path | Collection) else named
    found: list[Collection] = []
    for member in members:
        if isinstance(member, Collection):
            found.append(member)
        elif member == AUTO and model is not None:
            found += observed_by(model)
        else:
            found.append(load_collection(str(member)))
    return found


def _collections(request: EvaluationRequest, members: Sequence[str], model: str) -> list[Collection]:
    found: list[Collection] = []
    for member in members:
        if member in request.collections:
            found.append(request.collections[member])
        else:
            _require_no_object(member, "--instructions")
            found += load_wordings([member], model=model)
    return found


def _require_no_object(name: str, option: str) -> None:
    """A spec that was stored or written to a file has lost its Python objects."""
    if name.startswith(OBJECT):
        raise UsageError(
            f"{name.removeprefix(OBJECT)!r} was given as a Python object, which a file cannot hold",
            where=option,
            hint="Name a file or a built-in name instead",
        )


def _tasks(request: EvaluationRequest, warn: Callable[[str], None]) -> list[Task]:
    spec = request.spec
    if not spec.tasks:
        raise UsageError("no task to evaluate on", hint="phraseproof tasks list shows what there is")
    found: list[Task] = []
    for member in spec.tasks:
        if member in request.tasks:
            found.append(request.tasks[member])
        else:
            _require_no_object(member, "--tasks")
            found += load_tasks([member], data_dir=spec.data_dir, warn=warn)
    names = [task.name for task in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise UsageError(f"the task {min(twice)!r} is named twice")
    # Hashed while the tasks are whole: `represent` may draw another sample of them than its run holds.
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


def _with_system(
    groups: Mapping[str, Mapping[str, Sequence[Instruction]]], system: str
) -> dict[str, dict[str, list[Instruction]]]:
    """The groups, with this system prompt in every wording that has none."""
    if not system.strip():
        raise UsageError("the system prompt is empty", where="--system")
    template = literal(system)
    return {
        group: {
            task: [item if item.system is not None else replace(item, system=template) for item in items]
            for task, items in by_task.items()
        }
        for group, by_task in groups.items()
    }


def _as_in_folder(
    spec: EvaluationSpec, model: Model, tasks: Sequence[Task], out: Path, warn: Callable[[str], None]
) -> EvaluationSpec:
    """The spec with what the run in a folder decides where the user does not."""
    if spec.sample == "auto":
        spec = spec.with_changes(sample=_sample_kind(out))
    if (limit := stored_answer_limit(out)) is not None:
        spec, note = with_stored_limit(model, tasks, spec, limit, out)
        if note:
            warn(note)
    return spec


def _as_named_in_folder(path: str, options: ModelOptions, model: Model, out: Path) -> tuple[ModelOptions, Model]:
    """A model of a folder or file under the path that the run in `out` knows it by, if it was moved since."""
    name = stored_model_name(out, model.identity)
    if name in {None, model.identity.name}:
        return options, model
    options = replace(options, args={**options.args, "stored_name": str(name)})
    return options, load_model(path, options)


def _sample_kind(out: Path) -> str:
    """How the run in a folder drew its examples; stratified if it drew none yet."""
    drawn = [sample.sample for sample in stored_samples(out) if sample.limit is not None]
    return drawn[-1] if drawn else STRATIFIED


def _report_pinned_date(evaluation: Evaluation, options: ModelOptions, warn: Callable[[str], None]) -> None:
    """Say which date a chat template that prints today's date sees, unless the date was given."""
    date = evaluation.model.identity.settings.get("chat_date")
    if date is not None and options.chat_date is None and evaluation.settings.prompt_format == "chat":
        warn(f"the model's chat template prints today's date: its prompts say {date}, whatever the day (--chat-date)")


def _tell_where_demonstrations_come_from(tasks: Sequence[Task], warn: Callable[[str], None]) -> None:
    own = [task for task in tasks if not task.demonstrations]
    rules = {task.name: task.draws if task.draws is not None and task.draws.serves(task) else None for task in own}
    if without := [name for name, rule in rules.items() if rule is None or rule.leaves_out_tested]:
        warn(
            f"no demonstrations are set apart for {_some(without)}: their own examples are shown, never the tested one"
        )
    if with_tested := [name for name, rule in rules.items() if rule is not None and not rule.leaves_out_tested]:
        warn(
            f"no demonstrations are set apart for {_some(with_tested)}: their own examples are shown, and by the "
            "task's rule the tested one may be among them, with its answer"
        )


def _some(names: Sequence[str]) -> str:
    """At most five of the names."""
    rest = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + rest


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
