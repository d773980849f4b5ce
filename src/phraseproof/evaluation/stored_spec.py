"""The spec in `run.json`: how it grows with the run, and how that of an older run is reconstructed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from phraseproof.errors import RunError
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.scoring.registry import DEFAULT_SCORER, split_metrics, split_scorings
from phraseproof.store.run_file import CALIBRATION, DERIVED_FROM, IMPORTED, RunContent, Settings

Item = TypeVar("Item")

SPEC: Final = "spec"
"""The section of `run.json`."""


class SpecOfRun(NamedTuple):
    """The options of a run.

    Attributes:
        data: fields of the spec, as JSON data.
        unknown: one sentence per thing that the run folder does not say.
    """

    data: dict[str, object]
    unknown: tuple[str, ...]


def merged_spec(stored: Settings | None, spec: EvaluationSpec) -> RunContent:
    """The spec of a run that grew: tasks, wordings, scorings, metrics, shots, seeds of all evaluations.

    Other fields are those of the last evaluation.
    """
    data: dict[str, Any] = spec.model_dump(mode="json")
    data |= {"fewshot_seeds": list(spec.draw_seeds), "fewshot_draws": None}
    if not stored:
        return data
    data["option_orders"] = max(stored.get("option_orders", 1), spec.option_orders)
    for name in ("tasks", "num_fewshot", "fewshot_seeds"):
        data[name] = _united(stored.get(name, []), data[name])
    if stored.get("scoring"):
        data["scoring"] = ",".join(_united(split_scorings(stored["scoring"]), spec.scorings))
    if stored.get("metric"):
        data["metric"] = ",".join(_united(split_metrics(stored["metric"]), spec.metrics))
    groups: dict[str, list[str]] = dict(stored.get("instructions", {}))
    for group, members in data["instructions"].items():
        groups[group] = _united(groups.get(group, []), members)
    data["instructions"] = groups
    return data


def spec_of_run(content: RunContent) -> SpecOfRun:
    """The options of a run, from its `run.json`.

    Args:
        content: as `store.run_file.read_run_file` returns it.

    Raises:
        RunError: no evaluation made the run.
    """
    if not content["cells"]:
        raise RunError("the run has no cells: its accuracies were imported, and no evaluation made it")
    if IMPORTED in content["settings"]:
        raise RunError("the run was read from files of another program, and no evaluation made it")
    if CALIBRATION in content["settings"]:
        source = content.get(DERIVED_FROM, {}).get("run", "another run")
        raise RunError(
            "the run was derived by `phraseproof calibrate`, and no evaluation made it", hint=f"See {source}"
        )
    stored = content.get(SPEC)
    return _reconstructed(content) if stored is None else SpecOfRun(_without_empty(stored), _scorings(content, stored))


def _reconstructed(content: RunContent) -> SpecOfRun:
    """The spec of a run that was made before runs stored it."""
    settings, cells = content["settings"], content["cells"]
    model = settings.get("model", {})
    unknown = ["this run is older than the section `spec` of run.json: the fields below were reconstructed"]
    names: dict[str, list[str]] = {}
    for cell in cells:
        known = cell["instruction"].rpartition("/")[0] or cell["instruction"]  # `collection/wording`
        names[cell["group"]] = _united(names.get(cell["group"], []), [known])
    if names:
        unknown.append("paths of collection files are unknown: instructions lists the collections' names")
    if content.get("tasks"):
        unknown.append("paths of task files are unknown: tasks lists the tasks' names")
    options: dict[str, object] = {"dtype": model["dtype"]} if model.get("dtype") else {}
    if model.get("adapter"):
        unknown.append("the adapter's folder is unknown: add model_options.adapter")
    if model.get("settings"):
        unknown.append(f"other options of the model: {_listed(model['settings'])}")
    if any(cell.get("grid_examples") not in (None, cell["num_examples"]) for cell in cells):
        unknown.append("the budget is unknown: add budget, as in 5%")
    data: dict[str, object] = {
        "model": model.get("name", ""),
        "model_options": options,
        "tasks": list(dict.fromkeys(cell["task"] for cell in cells)),
        "instructions": names,
        "num_fewshot": sorted({cell["num_fewshot"] for cell in cells}),
        "fewshot_seeds": sorted({cell["fewshot_seed"] for cell in cells}),
    }
    if orders := max(cell["option_order"] for cell in cells):
        data["option_orders"] = 1 + orders
    for name in ("prompt_format", "limit", "seed", "log_samples", "rescore_ties"):
        data[name] = settings.get(name)
    data["scoring"] = settings.get("scoring") or DEFAULT_SCORER
    return SpecOfRun(_without_empty(data), (*unknown, *_scorings(content, data)))


def _scorings(content: RunContent, data: Settings) -> tuple[str, ...]:
    others = {cell["scoring"] for cell in content["cells"]} - set(split_scorings(data["scoring"]))
    return tuple(
        f"the run also holds scoring {name}: evaluate once more with --scoring {name}" for name in sorted(others)
    )


def _united(first: Sequence[Item], second: Sequence[Item]) -> list[Item]:
    """The members of both, each once, in order."""
    return list(dict.fromkeys([*first, *second]))


def _without_empty(data: Settings) -> dict[str, object]:
    """The data without fields that are empty, also inside `model_options`."""
    found = {
        name: _without_empty(value) if name == "model_options" else value
        for name, value in data.items()
        if value not in (None, "", [], {})
    }
    return {name: value for name, value in found.items() if value != {}}


def _listed(settings: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in settings.items())
