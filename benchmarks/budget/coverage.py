"""How often the intervals of a budget hold what the whole run gives, for every figure that `table` prints.

    python -m benchmarks.budget.coverage RUN [RUN ...] --share 5,10,20,50 --repeats 20 [--means]

Each RUN is a whole one. Per repeat another choice of cells is made, and `estimate_run` and `over_tasks` see only those.
Printed per run and share, for rows of tasks and rows over tasks: the share of the intervals that hold the truth, the
mean absolute error and the mean error in points, and the mean width of the intervals, of means, Stds, differences of
groups and quantiles over wordings. Levels over tasks are categories and Overall.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from phraseproof.analysis.estimators import budget
from phraseproof.analysis.estimators.budget import estimate_run
from phraseproof.analysis.estimators.task_estimates import TaskEstimate, over_tasks
from phraseproof.core import Cell, Finding
from phraseproof.evaluation.budget import choose_cells
from phraseproof.store.queries import Run, load_run

if TYPE_CHECKING:
    import pyarrow as pa

KINDS = ("mean", "Std", "difference", "quantiles")


@dataclass
class SampledRun:
    """What `estimate_run` reads of a run, with a share of each task's cells."""

    path: Path
    groups: tuple[str, ...]
    cells: list[tuple[Cell, pa.Table]]
    share: float
    seed: int

    def read_cells(self, columns: Sequence[str]) -> Iterator[tuple[Cell, pa.Table]]:
        assert set(columns) <= {"example_id", "score"}
        planes: dict[tuple[str, int], list[tuple[Cell, pa.Table]]] = {}
        for cell, table in self.cells:
            planes.setdefault((cell.task, cell.num_fewshot), []).append((cell, table))
        for members in planes.values():
            examples = len(members[0][1])
            count = max(len(members), math.ceil(self.share * len(members) * examples - 1e-9))
            chosen = choose_cells(len(members), examples, count, self.seed)
            yield from ((cell, table.take(rows)) for (cell, table), rows in zip(members, chosen, strict=True))

    def wording_texts(self) -> dict[tuple[str, str], str]:
        return {}


def figures(estimates: Sequence[TaskEstimate]) -> dict[tuple[str, str, str], Finding]:
    """Every estimate by kind, level and name."""
    found: dict[tuple[str, str, str], Finding] = {}
    for level, tasks in (("tasks", estimates), ("over tasks", over_tasks(estimates))):
        for task in tasks:
            where = f"{task.task}/{task.num_fewshot}"
            for group in task.groups:
                found["mean", level, f"{where}/{group.group}"] = group.mean
                if group.std is not None:
                    found["Std", level, f"{where}/{group.group}"] = group.std
                for percent, finding in group.quantiles.items():
                    found["quantiles", level, f"{where}/{group.group}/{percent}"] = finding
            for finding in task.differences:
                found["difference", level, f"{where}/{finding.name}"] = finding
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--share", default="5,10,20,50")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--means", action="store_true", help="means and differences alone, without drawing a posterior")
    asked = parser.parse_args()
    kinds = KINDS
    if asked.means:
        kinds = ("mean", "difference")
        budget.kept_or_drawn = lambda grid, *_: np.zeros((2, len(grid.scores)))
    print("run, share, level | kind: intervals that hold of all, mean absolute error, mean error, mean width (points)")
    for path in asked.runs:
        run = load_run(path)
        run.require_whole()
        cells = list(run.read_cells(["example_id", "score"]))
        with tempfile.TemporaryDirectory() as folder:
            whole = SampledRun(Path(folder), tuple(run.groups), cells, 1.0, 0)
            truth = figures(estimate_run(cast("Run", whole)))
            for share in (float(part) / 100 for part in asked.share.split(",")):
                trials = [
                    figures(estimate_run(cast("Run", SampledRun(Path(folder), whole.groups, cells, share, seed))))
                    for seed in range(asked.repeats)
                ]
                show(f"{path.name} {100 * share:g}%", truth, trials, kinds)


def show(
    name: str,
    truth: dict[tuple[str, str, str], Finding],
    trials: Sequence[dict[tuple[str, str, str], Finding]],
    kinds: Sequence[str],
) -> None:
    for level in ("tasks", "over tasks"):
        parts: list[str] = []
        for kind in kinds:
            keys = [key for key in truth if key[:2] == (kind, level)]
            if not keys:
                continue
            pairs = [(trial[key], truth[key].estimate) for trial in trials for key in keys if key in trial]
            held = [(found.low or 0) - 1e-9 <= true <= (found.high or 0) + 1e-9 for found, true in pairs]
            errors = 100 * np.array([found.estimate - true for found, true in pairs])
            width = 100 * float(np.mean([(found.high or 0) - (found.low or 0) for found, _ in pairs]))
            parts.append(
                f"{kind} {100 * np.mean(held):5.1f}% of {len(held)}, {np.abs(errors).mean():4.1f}, "
                f"{errors.mean():+5.2f}, {width:4.1f}"
            )
        print(f"{name:<18} {level:<10} | {' | '.join(parts)}", flush=True)


if __name__ == "__main__":
    main()
