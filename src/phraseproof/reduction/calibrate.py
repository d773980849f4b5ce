"""`phraseproof.calibrate`: what post-hoc calibration does to a run, a derived run, and a file for production."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from phraseproof.analysis.calibrated import DEFAULT_FOLDS, Extra, cross_fitted
from phraseproof.analysis.calibration_effects import Effect, effects, imbalance
from phraseproof.analysis.calibrators import calibrator_of
from phraseproof.analysis.estimators.resampling import RESAMPLES
from phraseproof.analysis.grids import Floats
from phraseproof.analysis.option_values import OptionValues, load_option_values
from phraseproof.calibration.calibrator import Calibrator
from phraseproof.calibration.methods import METHODS, CalibrationMethod, Needs, calibration_method
from phraseproof.errors import NotEnoughDataError, UsageError
from phraseproof.evaluation.observer import Observer, SilentObserver
from phraseproof.evaluation.run import Evaluation
from phraseproof.identity import content_hash
from phraseproof.reduction.derived_run import Derivation, write_derived_run
from phraseproof.reduction.extras import NEEDED, extras_of
from phraseproof.scoring.registry import DEFAULT_SCORER, scorer
from phraseproof.store.queries import Run, load_run

ALL = "all"
DEFAULT_METHOD = "batch"


@dataclass(frozen=True)
class CalibrationResult:
    """What a calibration found.

    Attributes:
        source: the run that was calibrated.
        effects: by number of demonstrations, method and task: accuracy, Std over wordings and the worst wording, before
            and after, with intervals, and the gain.
        warnings: one line each: where calibration does harm, or what it assumes is not so.
        notes: one line each: what a method left as it is.
        run: the derived run, if a folder for it was named.
        calibrator: the corrections, fitted on all examples, if a file for them was named.
    """

    source: Run
    effects: tuple[Effect, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...] = ()
    run: Run | None = None
    calibrator: Calibrator | None = None


def calibrate(  # noqa: PLR0913 - every option is in the signature, as of `evaluate`
    run: Run | str | Path,
    method: str = DEFAULT_METHOD,
    *,
    out: str | Path | None = None,
    save: str | Path | None = None,
    folds: int = DEFAULT_FOLDS,
    seed: int = 0,
    scoring: str | None = None,
    resamples: int = RESAMPLES,
    evaluation: Evaluation | None = None,
    observer: Observer | None = None,
) -> CalibrationResult:
    """Correct a run's log-probabilities for what the model prefers whatever the example, and say what that changes.

    What corrects an example is fitted on other examples (cross-fitting), and never on labels.

    Args:
        run: a run folder, or a run that `load_run` opened.
        method: `batch`, `prior-matching`, `per-byte`, `per-token`, `contextual`, `pmi-dc` or `pride`
            (docs/calibration.md). Or `all`: those that ask the model nothing, to compare; none is chosen.
        out: write a derived run into this folder, which everything that reads runs can read.
        save: write a file with the corrections, fitted on all examples: `Calibrator.load` reads it.
        folds: into how many parts the examples are divided.
        seed: of that division, and of the bootstrap of intervals.
        scoring: the scorer whose outcomes are calibrated, if the run holds several. Default: the run's first.
        resamples: the number of bootstrap resamples.
        evaluation: the evaluation that made the run, for methods that ask its model; needed where its model, tasks or
            wordings were Python objects. Default: resolved from `run.json`.
        observer: receives the progress of extra prompts, and warnings.

    Raises:
        RunError: not a run folder, damaged, without finished cells, or with a budget.
        NotEnoughDataError: the run holds no log-probabilities of options.
        ModelError: the model gives no answers to extra prompts.
        UsageError: an unknown method, a method that does not fit the run, or `out` or `save` together with `all`.
    """
    opened = run if isinstance(run, Run) else load_run(run)
    source = opened if scoring is None else opened.select(scoring)
    methods = _methods(method, out, save)
    tasks = load_option_values(source)
    methods, notes = _fitting(source, methods, is_comparison=method == ALL)
    extras: dict[str, list[Extra]] = {}
    for each in methods:
        try:
            extras[each.name] = extras_of(source, tasks, each, observer or SilentObserver(), evaluation)
        except NotEnoughDataError as reason:
            if method != ALL:
                raise
            notes.append(f"{each.name} left out: {reason.problem}")
    fitting = [each for each in methods if each.name in extras]
    corrected: dict[str, list[Floats]] = {
        name: [
            cross_fitted(values, name, folds=folds, seed=seed, extra=extra)
            for values, extra in zip(tasks, of_tasks, strict=True)
        ]
        for name, of_tasks in extras.items()
    }
    found = effects(tasks, corrected, seed=seed, resamples=resamples)
    warnings = _warnings(found, tasks, fitting)
    notes += [note for each in fitting for note in _left_as_is(each, tasks, extras[each.name])]
    if out is None and save is None:
        return CalibrationResult(source, found, warnings, tuple(notes))
    of_tasks = extras[method]
    calibrator: Calibrator | None = None
    if save is not None:
        calibrator = calibrator_of(tasks, method, model=_model_name(source), extras=of_tasks)
    derived: Run | None = None
    if out is not None:
        how = _derivation(fitting[0], folds, seed, tasks, of_tasks)
        derived = write_derived_run(source, tasks, corrected[method], how, Path(out))
    if calibrator is not None and save is not None:
        calibrator.save(save)
    return CalibrationResult(source, found, warnings, tuple(notes), derived, calibrator)


def _methods(method: str, out: object, save: object) -> list[CalibrationMethod]:
    if method != ALL:
        return [calibration_method(method)]
    for name, value in (("--out", out), ("--save", save)):
        if value is not None:
            raise UsageError(
                f"--method all compares methods and chooses none: {name} needs one of them",
                expected=f"--method with one of: {', '.join(METHODS)}",
                where=name,
            )
    return [each for each in METHODS.values() if not each.needs.asks_model]


def _fitting(
    source: Run, methods: Sequence[CalibrationMethod], *, is_comparison: bool
) -> tuple[list[CalibrationMethod], list[str]]:
    """The methods that fit a run, and a note on each of the others.

    Raises:
        UsageError: the run is calibrated already; or a method was asked for by name and does not fit.
    """
    rule = scorer(source.scoring)
    if rule.is_derived:
        raise UsageError(
            f"the run is calibrated already: its scoring is {source.scoring}",
            where=source.name,
            hint="Calibrate the run that it was derived from",
        )
    divides = [each for each in methods if each.needs.is_length]
    if not divides or source.scoring == DEFAULT_SCORER:
        return list(methods), []
    reason = f"lengths divide log-likelihoods of whole options, and the scoring is {source.scoring}"
    if not is_comparison:
        raise UsageError(reason, where=f"--method {divides[0].name}", hint=f"Evaluate with --scoring {DEFAULT_SCORER}")
    return [each for each in methods if each not in divides], [
        f"{' and '.join(each.name for each in divides)} left out: {reason}"
    ]


def _derivation(
    method: CalibrationMethod, folds: int, seed: int, tasks: Sequence[OptionValues], extras: Sequence[Extra]
) -> Derivation:
    is_fitted = method.fit is not None and method.needs is not Needs.CONTENT_FREE
    answers = [
        [each.probes.logprobs.tolist(), each.probes.examples.tolist()] if each.probes is not None
        else each.premises.tolist() if each.premises is not None else None
        for each in extras
    ]  # fmt: skip
    return Derivation(
        method.name,
        folds if is_fitted else None,
        seed if is_fitted else None,
        content_hash(json.loads(json.dumps(answers).replace("Infinity", "null"))) if method.needs.asks_model else "",
        tuple(sorted({name for values, extra in zip(tasks, extras, strict=True) for name in _unmoved(values, extra)})),
    )


def _unmoved(values: OptionValues, extra: Extra) -> list[str]:
    """The wordings that a method does not apply to."""
    if extra.probes is None:
        return []
    return [name for name, applies in zip(values.wordings, extra.probes.applies, strict=True) if not applies]


def _left_as_is(method: CalibrationMethod, tasks: Sequence[OptionValues], extras: Sequence[Extra]) -> list[str]:
    found: list[str] = []
    for values, extra in zip(tasks, extras, strict=True):
        if left := _unmoved(values, extra):
            names = ", ".join(left[:3]) + (f" and {len(left) - 3} more" if len(left) > 3 else "")
            found.append(
                f"{values.task}: {method.name} leaves {len(left)} of {len(values.wordings)} wordings as they are, "
                f"since it needs {NEEDED[method.needs]}: {names}"
            )
    return found


def _warnings(
    found: Sequence[Effect], tasks: Sequence[OptionValues], methods: Sequence[CalibrationMethod]
) -> tuple[str, ...]:
    """Where calibration lowers accuracy, and where its assumption of balanced classes is not so."""
    lines = [
        f"{effect.name}: {effect.method} lowers accuracy by {-100 * effect.gain.estimate:.1f} points "
        f"[{-100 * (effect.gain.high or 0):.1f} to {-100 * (effect.gain.low or 0):.1f}]"
        for effect in found
        if effect.does_harm
    ]
    assuming = [each.name for each in methods if each.needs is Needs.NOTHING]
    if assuming:
        verb = "assumes" if len(assuming) == 1 else "assume"
        lines += [
            f"{values.task}: {100 * large.share:.0f}% of the right answers are '{large.name}', and "
            f"{' and '.join(assuming)} {verb} about {100 * large.assumed:.0f}%: such a correction can do harm"
            for values in {values.task: values for values in tasks}.values()
            if (large := imbalance(values)) is not None
        ]
    return tuple(lines)


def _model_name(source: Run) -> str:
    return str(source.settings.get("model", {}).get("name", ""))
