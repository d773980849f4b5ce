"""Log-probabilities of a run after post-hoc calibration, each example corrected by what was found on other examples."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.grids import Floats, Ints
from phraseproof.analysis.option_values import Flags, OptionValues, log_shares
from phraseproof.calibration.bias import without_bias
from phraseproof.calibration.methods import CalibrationMethod, calibration_method, per_length, without_premise
from phraseproof.errors import NotEnoughDataError, UsageError

DEFAULT_FOLDS = 5
_VALUES_AT_ONCE = 400_000
"""Values that are corrected together: few enough to stay in a processor's cache."""


class Probes(NamedTuple):
    """What a model answered to prompts that show its prior: without content, or with permuted options.

    Attributes:
        logprobs: [R, P, K] natural logs of the classes' probabilities, in the order of each row's `class_names`; minus
            infinity after the last class, and for a prompt that a row does not have.
        examples: [P] which example of the task a prompt was made of; -1 for a prompt without content.
        applies: [R] whether the method can be used on a row. The others stay as they are.
    """

    logprobs: Floats
    examples: Ints
    applies: Flags


@dataclass(frozen=True, slots=True, eq=False)
class Extra:
    """What methods need of a task next to its log-probabilities; each method needs at most one of these.

    Attributes:
        lengths: [R, E, C] of the options, in bytes or tokens.
        premises: [R, E, C] the options' log-probabilities without the example.
        probes: answers to prompts that show the prior.
    """

    lengths: Floats | None = None
    premises: Floats | None = None
    probes: Probes | None = None


NO_EXTRA = Extra()


def fold_of_examples(task: str, examples: Sequence[str], folds: int, seed: int = 0) -> Ints:
    """[E] the fold of each example, from 0: folds of equal size, the same for all wordings and demonstration seeds.

    Examples are ranked by a hash of seed, task and id, so that the folds do not depend on their order.
    """

    def rank(example: str) -> bytes:
        return hashlib.blake2b(f"folds\0{seed}\0{task}\0{example}".encode(), digest_size=16).digest()

    order = sorted(range(len(examples)), key=lambda place: rank(examples[place]))
    found = np.empty(len(examples), dtype=np.intp)
    found[order] = np.arange(len(examples)) % folds
    return found


def cross_fitted(
    values: OptionValues, method: str, *, folds: int = DEFAULT_FOLDS, seed: int = 0, extra: Extra = NO_EXTRA
) -> Floats:
    """[R, E, C] corrected log-probabilities; what corrects an example is estimated on the examples of other folds.

    Every row is corrected by itself. No label is used. An example that was not read stays at minus infinity.

    Args:
        values: a task at one number of demonstrations.
        method: a name in `calibration.methods.METHODS`.
        folds: how many parts the examples are divided into; at most as many as there are examples.
        seed: of the division.
        extra: what the method needs next to the log-probabilities.

    Raises:
        UsageError: no such method, fewer than two folds, or `extra` lacks what the method needs.
        NotEnoughDataError: there are fewer than two examples.
    """
    of = calibration_method(method)
    if of.fit is None:
        return _each_option(values, of, extra)
    if folds < 2:
        raise UsageError("too few folds", expected="2 or more", got=str(folds), where="--folds")
    if len(values.examples) < 2:
        raise NotEnoughDataError(
            f"{values.task}: calibration needs two examples, one to correct and one to fit the correction on",
            got=str(len(values.examples)),
        )
    fold = fold_of_examples(values.task, values.examples, min(folds, len(values.examples)), seed)
    corrected = values.logprobs
    for part in _parts(values, of, extra):
        start: Floats | None = None
        for number in range(int(fold.max()) + 1):
            bias = start = part.bias(of, fold != number, start)
            places = np.flatnonzero(fold == number)
            chosen = np.ix_(part.rows, places)
            corrected[chosen] = without_bias(corrected[chosen], part.classes[places], bias)
    return _unread_as_before(values, corrected)


def fitted_on(
    fit: OptionValues, to: OptionValues, method: str, *, extra: Extra = NO_EXTRA, extra_to: Extra = NO_EXTRA
) -> Floats:
    """[R, E, C] the log-probabilities of `to`, corrected by what all examples of `fit` show.

    Args:
        fit: the examples that biases are estimated on.
        to: the examples that are corrected, with the rows of `fit`.
        method: a name in `calibration.methods.METHODS`.
        extra: what the method needs of `fit`.
        extra_to: what methods without a fit need of `to`.

    Raises:
        UsageError: as `cross_fitted`; or the rows differ.
    """
    of = calibration_method(method)
    if of.fit is None:
        return _each_option(to, of, extra_to)
    biases = biases_of(fit, method, extra=extra)
    if (fit.wordings, fit.seeds, fit.groups) != (to.wordings, to.seeds, to.groups):
        raise UsageError("the examples to fit on and those to correct have different wordings")
    corrected = to.logprobs
    for row, bias in enumerate(biases):
        mine = _in_order_of(to.class_names[row], fit.class_names[row], bias, to.wordings[row])
        corrected[row] = without_bias(corrected[row], to.classes[row], mine)
    return _unread_as_before(to, corrected)


def biases_of(values: OptionValues, method: str, *, extra: Extra = NO_EXTRA) -> list[Floats]:
    """[K] of each row the bias of its classes, estimated on all examples.

    Raises:
        UsageError: as `cross_fitted`, or the method has no bias of classes.
    """
    of = calibration_method(method)
    if of.fit is None:
        raise UsageError(f"the method {method} has no bias of classes", where="--method")
    found = [np.zeros(len(names)) for names in values.class_names]
    for part in _parts(values, of, extra):
        for row, bias in zip(part.rows, part.bias(of, np.ones(len(values.examples), dtype=bool), None), strict=True):
            found[row] = bias
    return found


class _Part(NamedTuple):
    """Rows whose options have the same classes in every example.

    Attributes:
        rows: their places.
        classes: [E, C].
        evidence: [rows, N, C] the log-probabilities that show the bias: of the run's own examples, or of probes.
        evidence_classes: [N, C].
        weights: [rows, N] 0 for an example that was not read.
        examples: [N] which example each is made of; -1 for none.
        num_classes: K.
    """

    rows: Ints
    classes: Ints
    evidence: Floats
    evidence_classes: Ints
    weights: Floats
    examples: Ints
    num_classes: int

    def bias(self, of: CalibrationMethod, may_see: Flags, start: Floats | None) -> Floats:
        """[rows, K] the bias that some examples [E] show."""
        assert of.fit is not None
        sees = np.where(self.examples < 0, True, may_see[np.maximum(self.examples, 0)])
        return of.fit(self.evidence, self.evidence_classes, self.num_classes, self.weights * sees, start)


def _parts(values: OptionValues, of: CalibrationMethod, extra: Extra) -> Iterator[_Part]:
    """The rows in parts that are small enough to be fast."""
    if of.needs.asks_model and extra.probes is None:
        raise UsageError(f"the method {of.name} needs {of.needs}", where="--method")
    probes = extra.probes if of.needs.asks_model else None
    same: dict[tuple[int, bytes], list[int]] = {}
    for row, names in enumerate(values.class_names):
        if probes is None or probes.applies[row]:
            same.setdefault((len(names), values.classes[row].tobytes()), []).append(row)
    examples = len(values.examples)
    at_once = max(1, _VALUES_AT_ONCE // max(1, values.values[0].size))
    for (count, _), rows in same.items():
        for first in range(0, len(rows), at_once):
            some = np.array(rows[first : first + at_once], dtype=np.intp)
            classes = values.classes[some[0]]
            if probes is None:
                some_values = values.values[some]
                logprobs = log_shares(some_values, values.has_option)
                weights = (~_is_unread(some_values, values.has_option)).astype(np.float64)
                yield _Part(some, classes, logprobs, classes, weights, np.arange(examples), count)
            else:
                logprobs = probes.logprobs[some][..., :count]
                own = np.broadcast_to(np.arange(count), logprobs.shape[1:])
                is_asked = np.array(np.isfinite(logprobs).any(axis=-1), dtype=np.float64)
                yield _Part(some, classes, logprobs, own, is_asked, probes.examples, count)


def _each_option(values: OptionValues, of: CalibrationMethod, extra: Extra) -> Floats:
    """The correction by methods that are not fitted: each option has its own."""
    needed = extra.lengths if of.needs.is_length else extra.premises
    if needed is None:
        raise UsageError(f"the method {of.name} needs {of.needs}", where="--method")
    correct = per_length if of.needs.is_length else without_premise
    return _unread_as_before(values, log_shares(correct(values.values, needed), values.has_option))


def _is_unread(values: Floats, has_option: Flags) -> Flags:
    """[..., E] where no option has any probability."""
    return np.isneginf(np.where(has_option, values, -np.inf).max(axis=-1))


def _unread_as_before(values: OptionValues, corrected: Floats) -> Floats:
    corrected[_is_unread(values.values, values.has_option)] = -np.inf
    return corrected


def _in_order_of(names: tuple[str, ...], known: tuple[str, ...], bias: Floats, wording: str) -> Floats:
    if names == known:
        return bias
    place = {name: number for number, name in enumerate(known)}
    if lacking := [name for name in names if name not in place]:
        raise UsageError(
            f"{wording}: the option '{lacking[0]}' is not among those that the correction was fitted on",
            expected=f"one of: {', '.join(known)}",
        )
    return bias[[place[name] for name in names]]
