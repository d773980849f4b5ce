"""How often the intervals of `analysis.statistics` contain the true value, on answers drawn from a known model.

    python -m benchmarks.statistics.coverage [--replicates 1000]

Right and wrong answers follow a crossed logistic model: an effect of the wording (normal, or skewed: few bad wordings
among many good ones), of the example, and of their interaction. Two groups of wordings, the second 0.4 log-odds
worse, answer the same examples. Prints a line per setting: the share of the given 95% intervals that contain the true
value.
"""

from __future__ import annotations

import argparse

import numpy as np

from phraseproof.analysis.grids import TaskGrid
from phraseproof.analysis.score_table import ScoreTable
from phraseproof.analysis.statistics import robustness

SETTINGS = ((5, 100), (10, 100), (10, 1000), (20, 200), (40, 200), (50, 200), (100, 500))
WORDING, EXAMPLE, INTERACTION, CENTRE, WORSE = 0.6, 1.5, 0.5, 0.6, 0.4
NAMES = ("mean", "std", "std_beyond_chance", "worst", "best", "range", "q05", "q25", "q50", "q75", "q95",
         "pairwise_flips", "kappa", "flips")  # fmt: skip
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(61)


def accuracy(of_wording: np.ndarray) -> np.ndarray:
    """A wording's accuracy on infinitely many examples, from its effect."""
    odds = CENTRE + of_wording[:, None] + np.hypot(EXAMPLE, INTERACTION) * _NODES
    return (1 / (1 + np.exp(-odds))) @ _WEIGHTS / _WEIGHTS.sum()


def effects(random: np.random.Generator, count: int, *, skewed: bool) -> np.ndarray:
    return WORDING * (1 - random.exponential(1.0, count)) if skewed else random.normal(0, WORDING, count)


def answers(random: np.random.Generator, of_wording: np.ndarray, of_example: np.ndarray) -> np.ndarray:
    odds = CENTRE + of_wording[:, None] + of_example + random.normal(0, INTERACTION, (len(of_wording), len(of_example)))
    return (random.random(odds.shape) < 1 / (1 + np.exp(-odds))).astype(np.intp)


def population(skewed: bool, wordings: int, examples: int) -> dict[str, float]:
    """The true values of the intervals, from many draws."""
    random = np.random.default_rng(1)
    true = accuracy(effects(random, 200_000, skewed=skewed))
    found = {"mean": float(true.mean()), "std_beyond_chance": float(true.std())}
    worse = accuracy(effects(random, 200_000, skewed=skewed) - WORSE)
    found["difference"] = float(worse.mean() - true.mean())
    means = [
        answers(random, effects(random, wordings, skewed=skewed), random.normal(0, EXAMPLE, examples)).mean(axis=1)
        for _ in range(1500)
    ]
    found["std"] = float(np.sqrt(np.mean([each.var(ddof=1) for each in means])))
    # Of wordings measured on so many examples: each mean less the common effect of the examples.
    centred = np.concatenate([each - each.mean() for each in means]) * np.sqrt(wordings / (wordings - 1))
    for name, level in (("q05", 0.05), ("q25", 0.25), ("q50", 0.5), ("q75", 0.75), ("q95", 0.95)):
        found[name] = found["mean"] + float(np.quantile(centred, level))
    of_wording, of_example = effects(random, 2000, skewed=skewed), random.normal(0, EXAMPLE, 4000)
    table = answers(random, of_wording, of_example)
    right = table.mean(axis=0)
    found["pairwise_flips"] = float(np.mean(2 * right * (1 - right))) * 2000 / 1999
    overall = table.mean()
    found["kappa"] = 1 - found["pairwise_flips"] / (2 * overall * (1 - overall))
    return found


def coverage(wordings: int, examples: int, replicates: int, *, skewed: bool) -> dict[str, float]:
    """By statistic the share of intervals that contain the true value; statistics without intervals are absent."""
    truth = population(skewed, wordings, examples)
    held = dict.fromkeys((*NAMES, "difference"), 0)
    given = dict.fromkeys(held, 0)
    random = np.random.default_rng(0)
    for number in range(replicates):
        of_wording = effects(random, 2 * wordings, skewed=skewed)
        of_wording[wordings:] -= WORSE
        table = answers(random, of_wording, random.normal(0, EXAMPLE, examples))
        names = tuple(f"w{row}" for row in range(2 * wordings))
        groups = ("first",) * wordings + ("second",) * wordings
        grid = TaskGrid("t", "c", 0, groups, names, names, table.mean(axis=1),
                        tuple(map(str, range(examples))), ScoreTable(table), table)  # fmt: skip
        (found,) = robustness([grid], seed=number, resamples=1000)
        true = accuracy(of_wording[:wordings])
        tried = {"worst": true.min(), "best": true.max(), "range": np.ptp(true)}
        findings = {**found.overall.groups["first"].findings, "difference": found.overall.differences["second"]}
        for name in held:
            finding, value = findings[name], {**truth, **tried}.get(name)
            if value is not None and finding.low is not None and finding.high is not None:
                given[name] += 1
                held[name] += finding.low <= value <= finding.high
    return {name: count / given[name] for name, count in held.items() if given[name]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=1000)
    replicates = parser.parse_args().replicates
    for skewed in (False, True):
        for wordings, examples in SETTINGS:
            found = coverage(wordings, examples, replicates, skewed=skewed)
            line = "  ".join(f"{name} {100 * share:.0f}" for name, share in found.items())
            print(f"{'skewed' if skewed else 'normal'}, {wordings} wordings, {examples} examples: {line}", flush=True)


if __name__ == "__main__":
    main()
