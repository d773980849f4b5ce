"""Asks a run's model extra prompts, and keeps the answers in the run folder: nothing is asked twice.

The answers of a cell are in `calibration/METHOD/TASK/IDENTITY.json`, each under a hash of its prompt. The identity of
the cell holds for the model, so that an answer is used again only for the same prompt and the same model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from phraseproof.core import Cell, OptionScores, Prompt
from phraseproof.errors import ModelError, RunError
from phraseproof.evaluation.answer_settings import under_scoring
from phraseproof.evaluation.ask_model import AskedModel
from phraseproof.evaluation.observer import Observer
from phraseproof.evaluation.plan import PlannedCell
from phraseproof.evaluation.resolve import resolve
from phraseproof.evaluation.run import Evaluation
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.evaluation.stored_spec import spec_of_run
from phraseproof.files import read_json, write_json
from phraseproof.identity import content_hash
from phraseproof.reduction.probe_prompts import Probe
from phraseproof.store.cell_files import slug
from phraseproof.store.queries import Run

FOLDER = "calibration"
_AT_ONCE = 2048
"""Prompts that are asked before their answers are written."""


def evaluation_of(source: Run, observer: Observer) -> Evaluation:
    """The evaluation that made a run, resolved again: its model, tasks and wordings. Loads no weights.

    Raises:
        UsageError: something in it was a Python object, or cannot be found any more.
        RunError: no evaluation made the run.
    """
    found = spec_of_run(source.content)
    spec = under_scoring(EvaluationSpec().with_changes(**found.data), source.scoring)
    return resolve(spec, out=source.path, observer=observer)


def planned_cells(source: Run, evaluation: Evaluation, cells: Sequence[Cell]) -> dict[str, PlannedCell]:
    """The planned cells of an evaluation by the identities of a run's cells.

    Raises:
        RunError: a cell is not what the evaluation would compute now.
    """
    planned = {each.cell.identity: each for each in evaluation.planned}
    for cell in cells:
        if cell.identity not in planned:
            raise RunError(
                f"the model, data or wording is not the one of the run: {cell.task} under {cell.instruction}",
                where=source.name,
                hint="Evaluate again with the same --out, then calibrate",
            )
        if planned[cell.identity].wording.instruction.continuation is not None:
            raise RunError(
                f"{cell.instruction} has the options in its prompt (continuation), which no prompt without content has",
                where=source.name,
                hint="Choose a method that asks the model nothing, such as --method prior-matching",
            )
    return planned


def ask(
    source: Run,
    evaluation: Evaluation,
    method: str,
    probes: Mapping[str, Sequence[Probe]],
    tasks: Mapping[str, str],
    observer: Observer,
) -> dict[str, list[tuple[float, ...]]]:
    """The log-probabilities of the options of every prompt, in the order of the prompts.

    Args:
        source: the run; answers are kept in its folder.
        evaluation: whose model is asked.
        method: the method of calibration, which names the folder of the answers.
        probes: the prompts of each cell, by its identity.
        tasks: the task of each cell.
        observer: receives the progress.

    Raises:
        ModelError: the model gives no answer. Earlier answers are kept.
    """
    paths = {
        identity: source.path / FOLDER / method / slug(tasks[identity]) / f"{identity}.json" for identity in probes
    }
    known = {identity: _read(path) for identity, path in paths.items()}
    keys = {identity: [_key(probe.prompt) for probe in some] for identity, some in probes.items()}
    wanted = {
        identity: {
            key: probe.prompt for key, probe in zip(keys[identity], some, strict=True) if key not in known[identity]
        }
        for identity, some in probes.items()
    }
    total = sum(len(set(some)) for some in keys.values())
    observer.started(total=total, done=total - sum(map(len, wanted.values())))
    bundle: list[str] = []
    for identity, prompts in wanted.items():
        if prompts:
            bundle.append(identity)
        if sum(len(wanted[each]) for each in bundle) >= _AT_ONCE:
            _ask_bundle(evaluation, bundle, wanted, known, paths, observer)
            bundle = []
    _ask_bundle(evaluation, bundle, wanted, known, paths, observer)
    return {identity: [known[identity][key] for key in some] for identity, some in keys.items()}


_Answers = dict[str, tuple[float, ...]]


def _ask_bundle(
    evaluation: Evaluation,
    bundle: Sequence[str],
    wanted: Mapping[str, Mapping[str, Prompt]],
    known: Mapping[str, _Answers],
    paths: Mapping[str, Path],
    observer: Observer,
) -> None:
    places = [(identity, key) for identity in bundle for key in wanted[identity]]
    failures: list[ModelError] = []

    def take(index: int, scores: OptionScores | ModelError) -> None:
        identity, key = places[index]
        if isinstance(scores, ModelError):
            failures.append(scores)
        else:
            known[identity][key] = tuple(float(value) for value in scores.logprobs)
            observer.advanced(1)

    try:
        asked = AskedModel(evaluation.model, evaluation.settings)
        asked.stream([wanted[identity][key] for identity, key in places], [0] * len(places), take)
    finally:
        for identity in bundle:
            _write(paths[identity], known[identity])
    if failures:
        raise failures[0]


def _key(prompt: Prompt) -> str:
    return content_hash([prompt.text, prompt.options, prompt.target_delimiter])


def _write(path: Path, answers: _Answers) -> None:
    rows = {key: [value if math.isfinite(value) else None for value in values] for key, values in answers.items()}
    write_json(path, {"answers": rows, "checksum": content_hash(rows)}, indent=None, error=RunError)


def _read(path: Path) -> _Answers:
    """The answers in a file.

    Raises:
        RunError: it is damaged.
    """
    if not path.exists():
        return {}
    try:
        return _checked(cast("Mapping[str, object]", read_json(path)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as reason:
        raise RunError(
            f"answers to extra prompts are damaged: {reason}",
            where=str(path),
            hint="Delete the file: its prompts are asked again",
        ) from None


def _checked(content: Mapping[str, object]) -> _Answers:
    rows = cast("Mapping[str, Sequence[float | None]]", content["answers"])
    if content["checksum"] != content_hash(rows):
        raise ValueError("its checksum is not that of its content")
    return {
        key: tuple(-math.inf if value is None else float(value) for value in values) for key, values in rows.items()
    }
