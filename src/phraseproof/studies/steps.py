"""The steps of studies that evaluate: a run, and a run that is given. `representation_step.py` has hidden states."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from phraseproof.errors import PhraseproofError, UsageError
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.identity import content_hash
from phraseproof.studies.material import OBSERVED, UNOBSERVED, material_of
from phraseproof.studies.study import StepForecast, StudyRequest

if TYPE_CHECKING:
    from phraseproof.evaluation.distributed.pooled import WorkerSet
    from phraseproof.evaluation.observer import Observer
    from phraseproof.models.options import ModelOptions

_NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")
_SPEED_ONLY = ("device", "batch_size")
"""Options of a model that change no result."""


@dataclass(frozen=True)
class EvaluationStep:
    """An evaluation into a run folder."""

    spec: EvaluationSpec
    folder: Path

    @property
    def title(self) -> str:
        """As of every step."""
        shots = ", ".join(map(str, self.spec.num_fewshot))
        demonstrations = "" if shots == "0" else f", {shots} demonstrations"
        return f"evaluate {self.spec.model} on {', '.join(self.spec.tasks)}{demonstrations}"

    def forecast(self, *, timed: bool) -> StepForecast:
        """As of every step."""
        from phraseproof.evaluation.resolve import resolve

        evaluation = resolve(self.spec, out=self.folder, forecast=True)
        found = evaluation.forecast(self.folder, timing=None if timed else False)
        tokens = None if found.tokens is None else found.tokens.unique
        seconds = None if found.timing is None else found.timing.seconds
        return StepForecast(found.prompts, found.prompts_missing, tokens, seconds, found.untimed)

    def carry_out(self, observer: Observer, workers: WorkerSet | None = None) -> int:
        """As of every step; computed by workers, if there are some."""
        from phraseproof.evaluation.evaluate import evaluate

        run = evaluate(self.spec, out=self.folder, observer=observer, workers=workers)
        return len(run.missing)


@dataclass(frozen=True)
class GivenRun:
    """A run folder that the user names: nothing is computed."""

    folder: Path

    @property
    def title(self) -> str:
        """As of every step."""
        return f"read {self.folder}"

    def forecast(self, *, timed: bool) -> StepForecast:
        """As of every step."""
        del timed
        return StepForecast(0, 0)

    def carry_out(self, observer: Observer) -> int:
        """As of every step."""
        from phraseproof.store.queries import load_run

        missing = len(load_run(self.folder).missing)
        if missing:
            observer.warned(f"{self.folder}: {missing} cells are missing")
        return missing


def given_runs(request: StudyRequest) -> list[GivenRun]:
    """The steps of a request that names run folders."""
    return [GivenRun(folder) for folder in request.runs]


def evaluation_step(
    request: StudyRequest,
    model: str,
    *,
    tasks: tuple[str, ...],
    instructions: Mapping[str, tuple[str, ...]],
    **changes: object,
) -> EvaluationStep:
    """The evaluation of a model as a request wants it: the user's tasks and wordings before those of the study.

    Args:
        tasks, instructions: used where the request names none.
        **changes: further fields of the spec.

    Raises:
        UsageError: the request names a group of wordings that the study does not have.
    """
    if unknown := [name for name in request.instructions if name not in instructions]:
        raise UsageError(
            f"the study has no group of wordings {unknown[0]!r}",
            expected=f"one of: {', '.join(instructions)}",
            where="--instructions",
        )
    limit = request.limit if request.limit is not None else material_of(model).limit
    groups = {name: request.instructions.get(name, members) for name, members in instructions.items()}
    fields: dict[str, object] = {
        "model": model,
        "model_options": request.model_options,
        "tasks": request.tasks or tasks,
        "instructions": groups,
        "data_dir": request.data_dir,
        "limit": limit,
        "seed": request.seed,
        "prompt_format": request.prompt_format,
    }
    spec = EvaluationSpec().with_changes(**(fields | changes))
    return EvaluationStep(spec, request.out / "runs" / folder_name(spec))


def main_step(request: StudyRequest, model: str, *, tasks: tuple[str, ...] = (), **changes: object) -> EvaluationStep:
    """The evaluation under observed and unobserved wordings, which several studies share.

    Args:
        tasks: used where the request names none; all of the model's material by default.
        **changes: further fields of the spec.
    """
    material = material_of(model)
    groups = {OBSERVED: material.observed, UNOBSERVED: material.unobserved}
    return evaluation_step(request, model, tasks=tasks or material.tasks, instructions=groups, **changes)


def folder_name(spec: EvaluationSpec) -> str:
    """The name of a run folder: the model, and a hash of everything in the spec that can change a result.

    The names of the wordings are part of it: a run keeps the cells of wordings that have left their collection, and no
    exhibit must mix them with today's. An edited wording keeps its name, and `evaluate` computes it again.
    """
    content = spec.model_dump(mode="json", exclude={"model_options", "self_test", "log_samples"})
    return f"{slug(spec.model)}-{content_hash([content, identifying_options(spec.model_options), _wordings(spec)])[:8]}"


def identifying_options(options: ModelOptions) -> dict[str, str]:
    """The options of a model that can change a result, as texts."""
    return {name: str(value) for name, value in asdict(options).items() if name not in _SPEED_ONLY}


def _wordings(spec: EvaluationSpec) -> dict[str, list[str]]:
    """The names of each group's wordings; nothing for a collection that cannot be loaded, which `evaluate` reports."""
    from phraseproof.evaluation.resolve import load_wordings

    found: dict[str, list[str]] = {}
    for group, members in spec.instructions.items():
        with suppress(PhraseproofError):
            collections = load_wordings(members, model=spec.model)
            found[group] = [wording.name for each in collections for wording in each.instructions]
    return found


def slug(name: str) -> str:
    """A text as part of a file's name."""
    return _NOT_IN_A_NAME.sub("-", name.casefold()).strip("-")[-60:] or "model"
