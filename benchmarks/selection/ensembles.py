"""Whether the intervals of ensembles hold, of wordings as they are and of calibrated ones.

    python -m benchmarks.selection.ensembles [--grids 200] [--examples 60] [--calibration batch]

Prints a line per design: how often the intervals of accuracies, of gains over a mean wording and of gains over the best
wording hold what the same ensembles give on 2,000 other examples (mean over the ways to choose, and the lowest).
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy.special import log_softmax

from phraseproof.analysis.calibrated import fitted_on, fold_of_examples
from phraseproof.analysis.ensemble_curve import CALIBRATIONS, EnsembleSettings, ensemble_curve
from phraseproof.analysis.ensemble_points import ALL, NONE, EnsemblePoint
from phraseproof.analysis.ensembles import Ballots, chosen_members, read_logprobs
from phraseproof.analysis.grids import Floats
from phraseproof.analysis.option_values import OptionValues
from phraseproof.core import Finding

FOLDS, WORDINGS, OTHERS = 5, 6, 2000
SKILLS = {"no skill": 0.0, "skill": 1.5}
SHARES = {"balanced": (1 / 3, 1 / 3, 1 / 3), "80% in one class": (0.8, 0.1, 0.1)}
NUMBERS = ("accuracy", "gain", "over best")


def world(seed: int, *, skill: float, shares: Sequence[float]) -> Callable[[int], OptionValues]:
    """A population of examples: wordings with priors and skills of their own, and what all of them have in common."""
    rng = np.random.default_rng(seed)
    count = len(shares)
    prior = rng.normal(size=(WORDINGS, 1, count))
    strength = skill * rng.uniform(0.3, 1.5, (WORDINGS, 1, 1))

    def draw(examples: int) -> OptionValues:
        right = rng.choice(count, size=examples, p=shares)
        shared = 0.7 * rng.normal(size=(examples, count))
        noise = 0.7 * rng.normal(size=(WORDINGS, examples, count))
        values = np.asarray(log_softmax(prior + strength * np.eye(count)[right] + shared + noise, axis=-1))
        classes = np.broadcast_to(np.arange(count), values.shape).astype(np.intp)
        return OptionValues(
            "t",
            "C",
            0,
            groups=("g",) * WORDINGS,
            wordings=tuple(f"c/w{row}" for row in range(WORDINGS)),
            seeds=(0,) * WORDINGS,
            identities=tuple(f"i{row}" for row in range(WORDINGS)),
            examples=tuple(f"e{place}" for place in range(examples)),
            values=values,
            has_option=np.ones(values.shape[1:], dtype=bool),
            credits=np.eye(count)[right],
            classes=classes,
            class_names=(tuple(f"option {place + 1}" for place in range(count)),) * WORDINGS,
            by_position=(True,) * WORDINGS,
            scoring="loglikelihood",
        )

    return draw


class Truth:
    """What the ensembles that were fitted without each fold give on other examples."""

    def __init__(self, of: OptionValues, others: OptionValues, seed: int) -> None:
        fold = fold_of_examples(of.task, of.examples, FOLDS, 0)
        self.trains = [of.take_examples(np.flatnonzero(fold != number)) for number in range(FOLDS)]
        self.others, self.random = others, np.random.default_rng(seed).permutation(WORDINGS)
        self._ballots: dict[str, list[tuple[Ballots, Ballots]]] = {}
        plain = Ballots.of(others.logprobs)
        self.mean_single = float(np.mean([plain.scores([row], others.credits).mean() for row in range(WORDINGS)]))
        self.best_single = self.accuracy(1, "best", NONE)

    def ballots(self, calibration: str) -> list[tuple[Ballots, Ballots]]:
        """Of each fold those of the examples that it is fitted on, and of other examples."""
        if calibration not in self._ballots:
            self._ballots[calibration] = [
                (
                    Ballots.of(self._values(each, each, calibration)),
                    Ballots.of(self._values(each, self.others, calibration)),
                )
                for each in self.trains
            ]
        return self._ballots[calibration]

    @staticmethod
    def _values(fit: OptionValues, to: OptionValues, calibration: str) -> Floats:
        return read_logprobs(to) if calibration == NONE else fitted_on(fit, to, calibration)

    def accuracy(self, size: int, way: str, calibration: str) -> float:
        found: list[float] = []
        for train, (fit, to) in zip(self.trains, self.ballots(calibration), strict=True):
            if way == "random":
                members = self.random[:size]
            elif way == "all":
                members = np.arange(WORDINGS)
            else:
                members = chosen_members(fit, train.credits, size, by="best" if way == "best" else "greedy")
            found.append(float(to.scores(members, self.others.credits).mean()))
        return float(np.mean(found))


def holds(finding: Finding, value: float) -> bool:
    """Whether an interval holds a value."""
    assert finding.low is not None
    assert finding.high is not None
    return finding.low <= value <= finding.high


def grid(seed: int, skill: float, shares: Sequence[float], settings: EnsembleSettings, *, examples: int,
         others: int = OTHERS) -> Iterator[tuple[str, EnsemblePoint, bool]]:  # fmt: skip
    """Of every interval of one grid what it is about, the point, and whether it holds the truth."""
    draw = world(seed, skill=skill, shares=shares)
    of = draw(examples)
    truth = Truth(of, draw(others), seed)
    for point in ensemble_curve(of, settings).points:
        true = truth.accuracy(*point.key)
        yield "accuracy", point, holds(point.accuracy, true)
        yield "gain", point, holds(point.gain, true - truth.mean_single)
        if point.gain_over_best is not None:
            yield "over best", point, holds(point.gain_over_best, true - truth.best_single)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--grids", type=int, default=200)
    parser.add_argument("--examples", type=int, default=60)
    parser.add_argument("--calibration", choices=CALIBRATIONS, default="batch")
    parser.add_argument("--details", action="store_true", help="Print a line per way as well.")
    asked = parser.parse_args()
    settings = EnsembleSettings(sizes=(1, 3, ALL), calibration=asked.calibration, draws=20)
    print("| members | skill | classes | accuracy | gain | over best |")
    print("|---|---|---|---:|---:|---:|")
    for skill_name, skill in SKILLS.items():
        for shares_name, of_classes in SHARES.items():
            hits: dict[str, dict[str, dict[str, list[bool]]]] = defaultdict(
                lambda: defaultdict(lambda: defaultdict(list))
            )
            for seed in range(asked.grids):
                for number, point, is_held in grid(seed, skill, of_classes, settings, examples=asked.examples):
                    hits[point.calibration][number][f"{point.size or 'all'} {point.way}"].append(is_held)
            for calibration, by_number in hits.items():
                means = {number: [100 * np.mean(each) for each in by_number[number].values()] for number in NUMBERS}
                cells = " | ".join(f"{np.mean(each):.1f}, {min(each):.1f}" for each in means.values())
                print(f"| {calibration} | {skill_name} | {shares_name} | {cells} |", flush=True)
                if asked.details:
                    for number in NUMBERS:
                        shares = {way: f"{100 * np.mean(each):.1f}" for way, each in by_number[number].items()}
                        print("   ", number, shares)


if __name__ == "__main__":
    main()
