"""How good the wording is that a search under a budget of calls finds, on simulated and on stored grids.

    python -m benchmarks.selection.live [--replicates 400] [--run runs/NAME ...]

Prints a line per grid and number of calls per wording: for each strategy how often it finds a best wording, and the
regret: the accuracy of the best wording less that of the one it finds, in points. A stored grid is replayed: its
examples are drawn in random order, and the truth is each wording's accuracy on all of them. The wordings are shuffled,
since of equal ones a search takes the first. All strategies search the same grids. The last lines are means over grids.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
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


def report(name: str, draw: Draw, replicates: int) -> dict[int, np.ndarray]:
    """Print the lines of a grid; by the number of calls per wording the regret of every strategy."""
    found: dict[int, np.ndarray] = {}
    for each in CALLS:
        regrets: list[list[float]] = []
        for _ in range(replicates):
            scores, truth = draw()
            wordings, examples = scores.shape
            if each > examples or each * wordings < max(least_calls(strategy, wordings) for strategy in Strategy):
                break
            regrets.append([truth.max() - truth[search(strategy, scores, each * wordings)] for strategy in Strategy])
        if regrets:
            found[each] = 100 * np.array(regrets).mean(axis=0)
            best = 100 * np.mean(np.array(regrets) < 1e-9, axis=0)
            cells = (f"{share:.0f}%, {regret:.1f}" for share, regret in zip(best, found[each], strict=True))
            print(f"| {name} | {each} | {' | '.join(cells)} |", flush=True)
    return found


def report_mean(name: str, grids: Sequence[Mapping[int, np.ndarray]]) -> None:
    for each in CALLS:
        if regrets := [grid[each] for grid in grids if each in grid]:
            mean = " | ".join(f"{regret:.1f}" for regret in np.mean(regrets, axis=0))
            print(f"| mean of {len(regrets)} {name} grids | {each} | {mean} |", flush=True)


def shuffled(random: np.random.Generator, scores: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = random.permutation(len(truth))
    return scores[order], truth[order]


def replayed(random: np.random.Generator, scores: np.ndarray) -> Draw:
    truth = scores.mean(axis=1)
    return lambda: shuffled(random, scores[:, random.permutation(scores.shape[1])], truth)


def simulated(random: np.random.Generator, wordings: int, examples: int, spread: float) -> Draw:
    return lambda: draw_answers(random, wordings, examples, spread=spread, centre=0.3)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--replicates", type=int, default=400)
    parser.add_argument("--run", type=Path, action="append", default=[])
    asked = parser.parse_args()
    print(f"| grid | calls per wording | {' | '.join(Strategy)} |")
    print("|---|---:|" + "---:|" * len(Strategy))
    drawn, stored = [], []
    for wordings, examples, spread in SIMULATED:
        name = f"{wordings} x {examples}, Std {spread:g}"
        drawn.append(report(name, simulated(np.random.default_rng(1), wordings, examples, spread), asked.replicates))
    for path in asked.run:
        for grid in load_grids(load_run(path)):
            if grid.scores is not None and len(grid.wordings) > 1:
                name = f"{grid.task}, {len(grid.wordings)} x {len(grid.examples)}"
                stored.append(report(name, replayed(np.random.default_rng(1), grid.scores), asked.replicates))
    report_mean("simulated", drawn)
    report_mean("stored", stored)


if __name__ == "__main__":
    main()
