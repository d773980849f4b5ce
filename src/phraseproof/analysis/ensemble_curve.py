"""Accuracy against cost: what ensembles of k wordings give, judged on examples that their choice did not see.

Everything that is fitted (which members, and the calibration of each) is fitted on the examples of the other folds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import numpy as np

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.calibrated import fitted_on, fold_of_examples
from phraseproof.analysis.ensemble_points import ALL, NONE, WAYS, EnsembleCurve, EnsemblePoint, Way
from phraseproof.analysis.ensembles import Ballots, How, chosen_members, read_logprobs
from phraseproof.analysis.estimators.held_out import fold_variance, mean_gain, mean_score, of_one_choice
from phraseproof.analysis.grids import Floats, Ints
from phraseproof.analysis.option_values import Flags, OptionValues
from phraseproof.calibration.methods import METHODS, Needs
from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError
from phraseproof.store.columns import column_values

if TYPE_CHECKING:
    from phraseproof.store.queries import Run

DEFAULT_SIZES: Final = (1, 2, 3, 5, ALL)
CALIBRATIONS: Final = (NONE, *(name for name, method in METHODS.items() if method.needs is Needs.NOTHING))
"""How members can be calibrated: with what a run stores."""

Key: TypeAlias = tuple[int, Way]
"""A size and a way: what tells ensembles of one calibration apart."""

_CHOSEN: Final[tuple[Way, ...]] = ("best", "greedy")
_FEWEST_EXAMPLES = 10
_DRAWS = 200
_FOLDS = 5


@dataclass(frozen=True, slots=True)
class EnsembleSettings:
    """What is computed.

    Attributes:
        how: how members are combined.
        sizes: numbers of members; `ALL` for all wordings. Sizes that a task has too few wordings for are left out.
        calibration: a method of `CALIBRATIONS`; other than `none`, the same ensembles of calibrated members are added.
        folds: parts of the examples; each part is judged with what was chosen and fitted on the others.
        seed: of the folds and of random members.
        draws: random choices of members, where there are more ways to choose.
    """

    how: How = "mean_probability"
    sizes: tuple[int, ...] = DEFAULT_SIZES
    calibration: str = NONE
    folds: int = _FOLDS
    seed: int = 0
    draws: int = _DRAWS


def ensemble_curve(of: OptionValues, settings: EnsembleSettings, *, tokens: Mapping[str, float] | None = None
                   ) -> EnsembleCurve:  # fmt: skip
    """Judge ensembles of the wordings of a task. A wording with two seeds of demonstrations is two members.

    Args:
        tokens: the mean number of prompt tokens by the identity of a cell.

    Raises:
        NotEnoughDataError: fewer than two wordings or ten examples.
    """
    of = of.take(_distinct(of))
    if len(of.wordings) < 2:
        raise NotEnoughDataError(f"{of.task}: an ensemble takes two wordings or more", got="1")
    if len(of.examples) < _FEWEST_EXAMPLES:
        raise NotEnoughDataError(
            f"{of.task}: choosing wordings on some examples and judging them on others",
            expected=f"{_FEWEST_EXAMPLES} examples or more",
            got=str(len(of.examples)),
        )
    judge = _Judge(of, settings, [(tokens or {}).get(identity) or None for identity in of.identities])
    points = [*judge.points(NONE)]
    if settings.calibration != NONE:
        points += judge.points(settings.calibration)
    return EnsembleCurve(Level.TASK, of.task, of.category, len(of.wordings), len(of.examples), tuple(points))


def prompt_tokens(run: Run) -> dict[str, float]:
    """The mean number of prompt tokens by the identity of a cell; 0 where they are not stored."""
    return {
        cell.identity: float(np.mean(column_values(table["prompt_tokens"]))) if len(table) else 0.0
        for cell, table in run.read_cells(("prompt_tokens",))
    }


class _Judged(NamedTuple):
    """Scores of one kind of ensemble.

    Attributes:
        scores: [M, E] of each example, under the M random choices, or under what was chosen on the other folds.
        pairs: [F, F] the mean score of the first fold's examples, under what was chosen without both folds.
    """

    scores: Floats
    pairs: Floats

    @property
    def left_out(self) -> Floats:
        """[F] the cross-fitted mean without each fold."""
        folds = len(self.pairs)
        return (self.pairs.sum(axis=0) - np.diagonal(self.pairs)) / (folds - 1)


class _Judge:
    """One task: its folds, and what every ensemble is compared with."""

    def __init__(self, of: OptionValues, settings: EnsembleSettings, tokens: Sequence[float | None]) -> None:
        self.of, self.settings = of, settings
        self.tokens = np.array([np.nan if each is None else each for each in tokens])
        self.folds = fold_of_examples(of.task, of.examples, settings.folds, settings.seed)
        self.everyone = np.arange(len(of.wordings))
        self.sizes = sorted({size for size in settings.sizes if 0 < size < len(of.wordings)})
        draw = np.random.default_rng(settings.seed)
        self.sets: dict[Key, Ints] = {
            (size, "random"): _draw_members(len(of.wordings), size, settings.draws, draw) for size in self.sizes
        }
        if {ALL, len(of.wordings)} & set(settings.sizes):
            self.sets[ALL, "all"] = self.everyone[None]
        self.plain = Ballots.of(read_logprobs(of), settings.how)
        singles = np.stack([self.plain.scores([row], of.credits) for row in range(len(of.wordings))])
        self.mean_single = self._fixed(singles.mean(axis=0, keepdims=True))
        self.best_single = self._judged(NONE, [(1, "best")], {})[1, "best"]

    def points(self, calibration: str) -> Iterator[EnsemblePoint]:
        """Every ensemble of members that are calibrated in one way."""
        chosen: list[Key] = [(size, way) for size in self.sizes for way in _CHOSEN if size > 1 or way == "best"]
        judged = self._judged(calibration, chosen, self.sets)
        final = self._choose(self._ballots(calibration, np.ones(len(self.folds), dtype=bool)), self.of.credits, chosen)
        final |= {key: sets[0] for key, sets in self.sets.items() if key[1] == "all"}
        for key in sorted(judged, key=lambda key: (key[0] or np.inf, WAYS.index(key[1]))):
            yield self._point(key, calibration, judged[key], final.get(key))

    def _judged(self, calibration: str, keys: Sequence[Key], sets: Mapping[Key, Ints]) -> dict[Key, _Judged]:
        """Ensembles that are judged on the folds that they were not fitted on: without one fold, without each pair.

        Args:
            keys: ensembles whose members are chosen.
            sets: ensembles whose members no example decides.
        """
        count = self.settings.folds
        given = {key: np.zeros((len(members), len(self.folds))) for key, members in sets.items()}
        found = {key: _Judged(np.zeros((1, len(self.folds))), np.zeros((count, count))) for key in keys}
        for first, second in combinations_with_replacement(range(count), 2):
            fit = (self.folds != first) & (self.folds != second)
            ballots = self._ballots(calibration, fit)
            chosen = self._choose(ballots.take_examples(np.flatnonzero(fit)), self.of.credits[fit], keys)
            for fold, other in {(first, second), (second, first)}:
                test = np.flatnonzero(self.folds == fold)
                held_out, option_credits = ballots.take_examples(test), self.of.credits[test]
                for key, members in chosen.items():
                    judged = held_out.scores(members, option_credits)
                    found[key].pairs[fold, other] = judged.mean()
                    if fold == other:
                        found[key].scores[0, test] = judged
                if fold == other:
                    for key, several in sets.items():
                        for number, members in enumerate(several):
                            given[key][number, test] = held_out.scores(members, option_credits)
        return found | {key: self._fixed(each) for key, each in given.items()}

    def _fixed(self, judged: Floats) -> _Judged:
        of_fold = [float(judged[:, self.folds == fold].mean()) for fold in range(self.settings.folds)]
        return _Judged(judged, np.repeat(np.array(of_fold)[:, None], len(of_fold), axis=1))

    def _choose(self, ballots: Ballots, option_credits: Floats, keys: Sequence[Key]) -> dict[Key, Ints]:
        """The members of ensembles, chosen on some examples."""
        found: dict[Key, Ints] = {}
        for by in ("best", "greedy"):
            sizes = [size for size, way in keys if way == by]
            if sizes:
                order = chosen_members(ballots, option_credits, max(sizes), by=by)
                found |= {(size, by): order[:size] for size in sizes}
        return found

    def _ballots(self, calibration: str, fit: Flags) -> Ballots:
        """The ballots of all wordings on all examples, each calibrated on the examples `fit`."""
        if calibration == NONE:
            return self.plain
        calibrated = fitted_on(self.of.take_examples(np.flatnonzero(fit)), self.of, calibration)
        return Ballots.of(calibrated, self.settings.how)

    def _point(self, key: Key, calibration: str, judged: _Judged, members: Ints | None) -> EnsemblePoint:
        size, way = key
        count = size or len(self.everyone)
        over = {"all": "over examples", "random": "over examples and one random choice of wordings"}
        method = over.get(way, "over examples, chosen on others")
        name = f"{way} {count}"
        is_the_best = size == 1 and way == "best" and calibration == NONE
        tokens = float(count * self.tokens.mean() if members is None else self.tokens[members].sum())
        means = judged.scores.mean(axis=1)

        def found(of_examples: Callable[[Floats], Finding]) -> Finding:
            if way != "random":
                return of_examples(judged.scores[0])
            order, last = np.argsort(means, kind="stable"), len(means) - 1
            low, high = order[math.floor(0.025 * last)], order[math.ceil(0.975 * last)]
            parts = (judged.scores.mean(axis=0), judged.scores[low], judged.scores[high])
            return of_one_choice(*map(of_examples, parts))

        def gain(reference: _Judged) -> Finding:
            is_chosen = way in _CHOSEN or reference is self.best_single
            jackknife = fold_variance(judged.left_out - reference.left_out) if is_chosen else 0.0
            return found(
                lambda scores: mean_gain(name, scores - reference.scores[0], jackknife=jackknife, method=method)
            )

        jackknife = fold_variance(judged.left_out) if way in _CHOSEN else 0.0
        return EnsemblePoint(
            size,
            way,
            calibration,
            float(count),
            None if np.isnan(tokens) else tokens,
            found(lambda scores: mean_score(name, scores, jackknife=jackknife, method=method)),
            float(means.std(ddof=1)) if way == "random" else None,
            gain(self.mean_single),
            None if is_the_best else gain(self.best_single),
            () if members is None else tuple(self.of.wordings[row] for row in members),
        )


def _distinct(of: OptionValues) -> list[int]:
    """The rows without those of a wording that serves in a second group."""
    found: dict[tuple[str, str], int] = {}
    for row, key in enumerate(zip(of.wordings, of.identities, strict=True)):
        found.setdefault(key, row)
    return list(found.values())


def _draw_members(wordings: int, size: int, draws: int, draw: np.random.Generator) -> Ints:
    """[M, size] all sets of wordings where there are few, else random ones."""
    if math.comb(wordings, size) <= draws:
        return np.array(list(combinations(range(wordings), size)), dtype=np.intp)
    return np.stack([draw.permutation(wordings)[:size] for _ in range(draws)]).astype(np.intp)
