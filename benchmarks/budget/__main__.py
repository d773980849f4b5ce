"""How well a share of the grid gives the distribution over wordings: errors and coverage, simulated and on whole runs.

    python -m benchmarks.budget --simulate 20x500,50x2000 --share 5 --repeats 20
    python -m benchmarks.budget --run runs/grids/pocket --share 5,10,20 --repeats 20 [--covariates]

For each grid, at the 5%, 25%, 50%, 75% and 95% quantiles over wordings: mean absolute errors of the estimates in
percentage points (`ours`), the errors that the estimates expect (`expected`), the lowest errors with knowledge of a
simulated grid's model except for its wordings' mean and spread (`but spread`), or of all of it (`bound`; bound.py), and
the errors of the raw means' quantiles (`raw`); how often the 95% intervals contain the true value; the mean's bias; and
the CPU time of one estimate.

Simulated grids follow the Rasch model (`plain`), or deviate from it: a third of the log-odds' variance is an
interaction of wording and example (`mixed`), examples are of two kinds, known and guessed (`two-sided`), or wordings
are: two in three are always right, the others guess one of four, each in its own way (`two-kinds`). Answers of `graded`
grids are scores between 0 and 1 (a beta distribution with a third of the variance).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from benchmarks.budget.bound import draw_knowing, known
from phraseproof.analysis.estimators.rasch import Grid
from phraseproof.analysis.estimators.sample_size import expected_errors
from phraseproof.analysis.estimators.sampled_grid import estimate_grid
from phraseproof.analysis.estimators.task_estimates import QUANTILES
from phraseproof.analysis.estimators.wording_features import wording_features
from phraseproof.evaluation.budget import choose_cells
from phraseproof.store.queries import load_run

KINDS = ("plain", "mixed", "two-sided", "two-kinds", "graded")
BOUNDED = ("plain", "mixed", "two-sided", "two-kinds")


class Whole(NamedTuple):
    name: str
    scores: Any  # [wordings, examples]
    texts: list[str]


def simulated(wordings: int, examples: int, kind: str, repeats: int) -> Iterator[Whole]:
    for seed in range(repeats):
        draw = np.random.default_rng([seed, wordings, examples])
        ability = 0.6 + 0.4 * draw.standard_normal((wordings, 1))
        difficulty = 1.5 * draw.standard_normal(examples)
        if kind == "two-sided":
            difficulty = np.where(draw.random(examples) < 0.6, -3.0, 1.5) + 0.3 * draw.standard_normal(examples)
        odds = ability - difficulty
        if kind == "mixed":
            odds = odds + 1.1 * draw.standard_normal(odds.shape)
        right = draw.random(odds.shape) < special.expit(odds)
        if kind == "two-kinds":
            habits = draw.dirichlet(np.full(4, 0.4), wordings)
            guesses = np.stack([draw.choice(4, examples, p=habit) for habit in habits])
            right = (draw.random((wordings, 1)) < 2 / 3) | (guesses == draw.integers(0, 4, examples))
        if kind == "graded":
            chance = np.clip(special.expit(odds), 1e-3, 1 - 1e-3)
            right = draw.beta(2 * chance, 2 * (1 - chance))
        yield Whole(f"{kind} {wordings}x{examples}", np.asarray(right, dtype=float), [])


def of_run(path: Path) -> Iterator[Whole]:
    """Each task of a whole run, its groups of wordings together."""
    run = load_run(path)
    run.require_whole()
    texts = run.wording_texts()
    rows: dict[str, dict[str, Any]] = {}
    for cell, table in run.read_cells(["example_id", "score"]):
        columns = table.to_pydict()
        rows.setdefault(cell.task, {})[cell.instruction] = np.array(columns["score"])
    for task, by_wording in rows.items():
        scores = np.stack(list(by_wording.values()))
        found = [texts.get((task, instruction), "") for instruction in by_wording]
        yield Whole(f"{task} {scores.shape[0]}x{scores.shape[1]}", scores, found)


class Trial(NamedTuple):
    errors: Any
    expected: Any
    learning: Any
    bound: Any
    raw_errors: Any
    mean_error: float
    held: Any
    cpu_s: float


def trial(whole: Whole, share: float, seed: int, *, covariates: bool, kind: str = "") -> Trial:
    """One budget on one grid; `kind` is how it was made, where that is known."""
    shape = whole.scores.shape
    seen = np.zeros(shape)
    for row, chosen in enumerate(choose_cells(shape[0], shape[1], int(np.ceil(share * whole.scores.size)), seed)):
        seen[row, chosen] = 1
    features = wording_features(whole.texts) if covariates else np.zeros((shape[0], 0))
    grid = Grid(whole.scores * seen, seen, np.zeros(shape[0], dtype=np.int64), features)
    before = time.process_time()
    draws = np.percentile(drawn := estimate_grid(grid, seed=seed), QUANTILES, axis=1)
    cpu_s = time.process_time() - before
    truth = np.percentile(whole.scores.mean(axis=1), QUANTILES)
    raw = np.percentile(grid.scores.sum(axis=1) / seen.sum(axis=1), QUANTILES)
    low, high = np.percentile(draws, [2.5, 97.5], axis=1)
    held = (low - 1e-9 <= truth) & (truth <= high + 1e-9)
    mean_error = float(drawn.mean() - whole.scores.mean())
    expected = np.array(list(expected_errors(drawn).values()))
    bounds = np.full((2, len(truth)), np.nan)
    for place, learns in enumerate((True, False)):
        if kind in BOUNDED and (kind != "two-kinds" or not learns):
            of_model = draw_knowing(grid.scores, seen, known(kind, learns=learns), seed)
            bounds[place] = np.median(np.percentile(of_model, QUANTILES, axis=1), axis=1) - truth
    return Trial(draws.mean(axis=1) - truth, expected, bounds[0], bounds[1], raw - truth, mean_error, held, cpu_s)


def show(name: str, share: float, trials: list[Trial]) -> None:
    def points(values: Any) -> str:
        means = np.mean(np.abs(values), axis=0)
        return " ".join("    -" if np.isnan(value) else f"{100 * value:5.1f}" for value in means)

    errors = points([each.errors for each in trials])
    expected = points([each.expected for each in trials])
    learning, bound = points([each.learning for each in trials]), points([each.bound for each in trials])
    raw = points([each.raw_errors for each in trials])
    held = " ".join(f"{value:4.2f}" for value in np.mean([each.held for each in trials], axis=0))
    bias = 100 * np.mean([each.mean_error for each in trials])
    cpu_s = np.median([each.cpu_s for each in trials])
    parts = [errors, expected, learning, bound, raw, held, f"{bias:+5.2f}", f"{cpu_s:5.1f}"]
    print(f"{name:<34} {100 * share:4.0f}% | {' | '.join(parts)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.budget", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--simulate", help="grids as WORDINGSxEXAMPLES, with commas")
    parser.add_argument("--kinds", default="plain", help=f"some of: {', '.join(KINDS)}")
    parser.add_argument("--run", type=Path, help="a run without a budget")
    parser.add_argument("--share", default="5", help="percentages, with commas")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--covariates", action="store_true", help="with the wordings' texts (--run)")
    asked = parser.parse_args()
    heads = [f"{name:^29}" for name in ("ours at 5 25 50 75 95%", "expected", "but spread", "bound", "raw")]
    columns = " | ".join([*heads, f"{'held by 95% intervals':^24}"])
    print(f"{'grid (wordings x examples)':<34} share | {columns} |  bias | CPU s")
    for share in (float(part) / 100 for part in asked.share.split(",")):
        for size in asked.simulate.split(",") if asked.simulate else ():
            wordings, examples = map(int, size.split("x"))
            for kind in asked.kinds.split(","):
                grids = enumerate(simulated(wordings, examples, kind, asked.repeats))
                trials = [trial(whole, share, seed, covariates=False, kind=kind) for seed, whole in grids]
                show(f"{kind} {size}", share, trials)
        for whole in of_run(asked.run) if asked.run else ():
            trials = [trial(whole, share, seed, covariates=asked.covariates) for seed in range(asked.repeats)]
            show(whole.name + (" covariates" if asked.covariates else ""), share, trials)


if __name__ == "__main__":
    main()
