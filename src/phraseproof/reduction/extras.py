"""What a method of calibration needs of a run next to its log-probabilities: lengths, or answers to extra prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from phraseproof.analysis.calibrated import NO_EXTRA, Extra, Probes
from phraseproof.analysis.grids import Floats
from phraseproof.analysis.option_lengths import option_lengths
from phraseproof.analysis.option_values import OptionValues, log_shares
from phraseproof.calibration.methods import CalibrationMethod, Needs, letter_priors
from phraseproof.errors import NotEnoughDataError
from phraseproof.evaluation.observer import Observer
from phraseproof.evaluation.run import Evaluation
from phraseproof.reduction.probe_answers import ask, evaluation_of, planned_cells
from phraseproof.reduction.probe_prompts import Probe, options_of, permuted, without_content, without_example
from phraseproof.scoring.registry import scorer
from phraseproof.scoring.scorer import Scorer
from phraseproof.store.queries import Run

_PROMPTS = {Needs.CONTENT_FREE: without_content, Needs.PREMISES: without_example, Needs.PERMUTATIONS: permuted}


def extras_of(
    source: Run,
    tasks: Sequence[OptionValues],
    method: CalibrationMethod,
    observer: Observer,
    evaluation: Evaluation | None = None,
) -> list[Extra]:
    """What the method needs of each task.

    Args:
        source: the run, under the scorer that is calibrated.
        tasks: all of its tasks, as `load_option_values` gives them.
        method: the method.
        observer: receives the progress of extra prompts.
        evaluation: the evaluation that made the run; resolved from `run.json` by default.

    Raises:
        NotEnoughDataError: the run does not hold what is needed, or the method applies to none of its wordings.
        RunError: the model, data or a wording is not the one of the run any more.
        ModelError: the model gives no answer.
    """
    if method.needs.is_length:
        return option_lengths(source, tasks, method.needs)
    if not method.needs.asks_model:
        return [NO_EXTRA] * len(tasks)
    missing = set(source.missing)
    cells = [cell for cell in source.cells if cell not in missing]
    found = evaluation or evaluation_of(source, observer)
    planned = planned_cells(source, found, cells)
    probes = {cell.identity: _PROMPTS[method.needs](found, planned[cell.identity]) for cell in cells}
    if method.needs is not Needs.PREMISES:
        # Only where every example has the same options is there one prior of them.
        of_classes = {
            identity: set(values.class_names[row])
            for values in tasks
            for row, identity in enumerate(values.identities)
            if not values.by_position[row]
        }
        probes = {
            identity: some if set(options_of(some)) == of_classes.get(identity) else []
            for identity, some in probes.items()
        }
    if not any(probes.values()):
        raise NotEnoughDataError(
            f"{method.name} applies to no wording of the run",
            expected=NEEDED[method.needs],
            where=source.name,
        )
    answers = ask(source, found, method.name, probes, {cell.identity: cell.task for cell in cells}, observer)
    gathered = _premises if method.needs is Needs.PREMISES else _probes
    return [gathered(values, method, probes, answers, scorer(source.scoring)) for values in tasks]


NEEDED = {
    Needs.CONTENT_FREE: "the same options in every example",
    Needs.PERMUTATIONS: "answers that are letters or numbers of the options, the same in every example",
    Needs.PREMISES: "options",
}
"""What a method needs of a wording that it applies to."""

_Answers = Mapping[str, Sequence[tuple[float, ...]]]


def _premises(
    values: OptionValues,
    method: CalibrationMethod,
    probes: Mapping[str, Sequence[Probe]],
    answers: _Answers,
    rule: Scorer,
) -> Extra:
    del method
    found = np.zeros(values.values.shape)
    place = {name: number for number, name in enumerate(values.examples)}
    for row, identity in enumerate(values.identities):
        for probe, logprobs in zip(probes[identity], answers[identity], strict=True):
            if probe.example in place:
                compared = rule.values(logprobs, probe.prompt.options)
                found[row, place[probe.example], : len(compared)] = compared
    return Extra(premises=found)


def _probes(
    values: OptionValues,
    method: CalibrationMethod,
    probes: Mapping[str, Sequence[Probe]],
    answers: _Answers,
    rule: Scorer,
) -> Extra:
    rows = [
        _in_class_order(probes[identity], answers[identity], values.class_names[row], rule)
        for row, identity in enumerate(values.identities)
    ]
    shown = [probe.example for probe in max((probes[identity] for identity in values.identities), key=len)]
    if method.needs is Needs.PERMUTATIONS:
        rows = [_priors(row) for row in rows]
        shown = list(dict.fromkeys(shown))
    place = {name: number for number, name in enumerate(values.examples)}
    found = np.full((len(rows), len(shown), max(row.shape[-1] for row in rows)), -np.inf)
    for number, row in enumerate(rows):
        found[number, : len(row), : row.shape[-1]] = row
    return Extra(
        probes=Probes(
            found,
            np.array([place.get(name, -1) for name in shown], dtype=np.intp),
            np.array([len(row) > 0 for row in rows]),
        )
    )


def _in_class_order(
    probes: Sequence[Probe], answers: Sequence[tuple[float, ...]], names: tuple[str, ...], rule: Scorer
) -> Floats:
    """[P, K] natural logs of the classes' probabilities, which add up to 1."""
    found = np.full((len(probes), len(names)), -np.inf)
    for number, (probe, logprobs) in enumerate(zip(probes, answers, strict=True)):
        options = probe.prompt.options
        order = [options.index(name) for name in names]
        found[number] = np.array(rule.values(logprobs, options))[order]
    return log_shares(found, np.ones(found.shape, dtype=bool)) if len(probes) else found


def _priors(logprobs: Floats) -> Floats:
    """[n, K] the letters' priors in each permuted example, from [n * K, K]."""
    count = logprobs.shape[-1]
    return letter_priors(logprobs.reshape(-1, count, count)) if len(logprobs) else logprobs
