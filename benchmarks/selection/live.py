"""How good the wording is that a search under a budget of calls finds, on simulated and on stored grids.

    python -m benchmarks.selection.live [--replicates 200] [--run runs/NAME ...]

Prints a line per grid and number of calls per wording: for each strategy how often it finds a best wording, and the
regret: the accuracy of the best wording less that of the one it finds, in points. A stored grid is replayed: its
examples are drawn in random order, and the truth is each wording's accuracy on all of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.selection.answers import draw_answers
from phraseproof.analysis.grids import load_grids
from phraseproof.analysis.selection.search import Search, Strategy, least_calls
from phraseproof.store.queries import load_run

CALLS = (6, 10, 20, 40)
SIMULATED = ((10, 300, 0.2), (30, 300, 0.2), (50, 500, 0.2), (30, 300, 0.5))

Draw = Callable[[], tuple[np.ndarray, np.ndarray]]


def search(strategy: Strategy, scores: np.ndarray, calls: int) -> int:
    found = Search(strategy, len(scores), scores.shape[1], calls)
    while (batch := found.next_batch()) is not None:
        found.add(batch, scores[batch.wordings, batch.first : batch.last])
    return found.best


def report(name: str, draw: Draw, replicates: int) -> None:
    wordings, examples = draw()[0].shape
    for each in CALLS:
        if each > examples:
            continue
        cells = []
        for strategy in Strategy:
            if each * wordings < least_calls(strategy, wordings):
                cells.append("")
                continue
            regrets = []
            for _ in range(replicates):
                scores, truth = draw()
                regrets.append(truth.max() - truth[search(strategy, scores, each * wordings)])
            cells.append(f"{100 * np.mean(np.array(regrets) < 1e-9):.0f}%, {100 * np.mean(regrets):.1f}")
        print(f"| {name} | {each} | {' | '.join(cells)} |", flush=True)


def replayed(random: np.random.Generator, scores: np.ndarray) -> Draw:
    truth = scores.mean(axis=1)
    return lambda: (scores[:, random.permutation(scores.shape[1])], truth)


def simulated(random: np.random.Generator, wordings: int, examples: int, spread: float) -> Draw:
    return lambda: draw_answers(random, wordings, examples, spread=spread, centre=0.3)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--replicates", type=int, default=200)
    parser.add_argument("--run", type=Path, action="append", default=[])
    asked = parser.parse_args()
    print(f"| grid | calls per wording | {' | '.join(Strategy)} |")
    print("|---|---:|" + "---:|" * len(Strategy))
    for wordings, examples, spread in SIMULATED:
        name = f"{wordings} x {examples}, Std {spread:g}"
        report(name, simulated(np.random.default_rng(1), wordings, examples, spread), asked.replicates)
    for path in asked.run:
        for grid in load_grids(load_run(path)):
            if grid.scores is not None and len(grid.wordings) > 1:
                name = f"{grid.task}, {len(grid.wordings)} x {len(grid.examples)}"
                report(name, replayed(np.random.default_rng(1), grid.scores), asked.replicates)


if __name__ == "__main__":
    main()
