"""Whether the bounds of a chosen wording hold, how tight they are, and how biased its value is.

    python -m benchmarks.selection.bounds [--replicates 200]

Prints a line per setting: how often "at least x" holds for the chosen wording and x itself, for the simultaneous bound
(`choose`), for one that ignores the choice (`naive`), for Bonferroni's, and for a bound on a half of the examples that
chose on the other half; how often the set of possibly best wordings holds the best one; and by how much the observed
and the corrected values of the chosen wording are too high.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy import stats

from benchmarks.selection.answers import draw_answers
from phraseproof.analysis.selection.candidates import Block, Candidates
from phraseproof.analysis.selection.choice import choose_among

SIZES = ((5, 30), (50, 30), (5, 100), (20, 100), (50, 100), (50, 500))
KINDS = {"equal": (0.0, 0.3), "equal, 93% right": (0.0, 1.5), "different": (0.2, 0.3)}


def exact(right: float, count: int, level: float) -> float:
    return float(stats.beta.ppf(level, right, count - right + 1)) if right > 0 else 0.0


def replicate(random: np.random.Generator, wordings: int, examples: int, spread: float, centre: float) -> list[float]:
    scores, truth = draw_answers(random, wordings, examples, spread=spread, centre=centre)
    found = choose_among(Candidates(("",) * wordings, (Block("", 0, scores, 1.0),)), resamples=500)
    best, right = found.best, scores[found.best].sum()
    order = random.permutation(examples)
    one, other = order[: examples // 2], order[examples // 2 :]
    half = int(np.argmax(scores[:, one].mean(axis=1)))
    bounds = (
        float(found.at_least[best]),
        exact(right, examples, 0.05),
        exact(right, examples, 0.05 / wordings),
        exact(scores[half, other].sum(), len(other), 0.05),
    )
    values = (truth[best], truth[best], truth[best], truth[half])
    held = [float(bound <= value) for bound, value in zip(bounds, values, strict=True)]
    kept = float(found.maybe_best[np.argmax(truth)])
    return [*held, *bounds, kept, found.values[best] - truth[best], found.corrected - truth[best]]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--replicates", type=int, default=200)
    count = parser.parse_args().replicates
    print("| wordings x examples | kind | choose | naive | Bonferroni | half | best kept | observed | corrected |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|")
    random = np.random.default_rng(1)
    for wordings, examples in SIZES:
        for kind, (spread, centre) in KINDS.items():
            found = 100 * np.mean([replicate(random, wordings, examples, spread, centre) for _ in range(count)], axis=0)
            pairs = " | ".join(f"{held:.0f}, {bound:.1f}" for held, bound in zip(found[:4], found[4:8], strict=True))
            print(
                f"| {wordings} x {examples} | {kind} | {pairs} | {found[8]:.0f} | {found[9]:+.1f} | {found[10]:+.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
