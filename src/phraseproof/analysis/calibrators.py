"""From the outcomes of a run to a `Calibrator`: corrections that are fitted on all of its examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from phraseproof.analysis.calibrated import NO_EXTRA, Extra, Probes, biases_of
from phraseproof.analysis.grids import Floats
from phraseproof.analysis.option_values import OptionValues
from phraseproof.calibration.calibrator import Calibrator, Correction
from phraseproof.calibration.methods import Needs, calibration_method
from phraseproof.errors import UsageError
from phraseproof.scoring.loglikelihood_norm import SCORER as LOGLIKELIHOOD_NORM
from phraseproof.scoring.registry import scorer

PER_BYTE = LOGLIKELIHOOD_NORM.name
_LENGTH = {Needs.BYTES: "bytes", Needs.TOKENS: "tokens"}


def calibrator_of(
    tasks: Sequence[OptionValues], method: str, *, model: str, extras: Sequence[Extra] | None = None
) -> Calibrator:
    """The corrections of every wording of a run, fitted on all examples and over all demonstration seeds.

    Args:
        tasks: as `load_option_values` gives them.
        method: a name in `calibration.methods.METHODS`.
        model: the name of the run's model.
        extras: what the method needs next to log-probabilities, for each of `tasks`.

    Raises:
        UsageError: the method corrects each example by options of its own, which cannot be known before.
    """
    of = calibration_method(method)
    if of.needs is Needs.PREMISES:
        raise UsageError(
            f"the correction by {method} depends on the options of each example, so that no file can hold it",
            where="--save",
            hint="Ask the model for the options without the example, and subtract",
        )
    scoring = tasks[0].scoring if tasks else ""
    length = _LENGTH.get(of.needs, "bytes" if scoring == PER_BYTE else "")
    if not length and tasks and not scorer(scoring).compares_logprobs:
        raise UsageError(f"a calibrator cannot repeat what the scoring {scoring} compares", where="--save")
    corrections = [
        correction
        for values, extra in zip(tasks, extras or [NO_EXTRA] * len(tasks), strict=True)
        for correction in _corrections(values, method, extra)
    ]
    return Calibrator(method, scoring, length, model, tuple(corrections))


def _corrections(values: OptionValues, method: str, extra: Extra) -> list[Correction]:
    rows: dict[str, list[int]] = {}
    for row, wording in enumerate(values.wordings):
        rows.setdefault(wording, []).append(row)
    if calibration_method(method).fit is None:
        biases = [np.zeros(len(values.class_names[of_wording[0]])) for of_wording in rows.values()]
    elif all(len(of_wording) == 1 for of_wording in rows.values()):
        biases = biases_of(values, method, extra=extra)
    else:
        biases = [_pooled_bias(values, method, extra, of_wording) for of_wording in rows.values()]
    return [
        Correction(
            values.task,
            wording,
            values.num_fewshot,
            values.class_names[of_wording[0]],
            values.by_position[of_wording[0]],
            tuple(float(value) for value in bias),
            len(values.examples),
        )
        for (wording, of_wording), bias in zip(rows.items(), biases, strict=True)
    ]


def _pooled_bias(values: OptionValues, method: str, extra: Extra, rows: Sequence[int]) -> Floats:
    together, pooled = _pooled(values, extra, rows)
    return biases_of(together, method, extra=pooled)[0]


def _pooled(values: OptionValues, extra: Extra, rows: Sequence[int]) -> tuple[OptionValues, Extra]:
    """One row that holds the examples of several: what a wording's prior is, whatever the demonstrations."""
    part, seeds, examples = values.take(rows), len(rows), len(values.examples)
    together = replace(
        part.take([0]),
        examples=part.examples * seeds,
        values=part.values.reshape(1, seeds * examples, -1),
        has_option=np.tile(part.has_option, (seeds, 1)),
        credits=np.tile(part.credits, (seeds, 1)),
        classes=part.classes.reshape(1, seeds * examples, -1),
    )
    if extra.probes is None:
        return together, NO_EXTRA
    probes = extra.probes
    logprobs = probes.logprobs[list(rows)]
    return together, Extra(
        probes=Probes(
            logprobs.reshape(1, -1, logprobs.shape[-1]), np.tile(probes.examples, seeds), probes.applies[list(rows)][:1]
        )
    )
