"""Does fine-tuning forget? Alignment on some kinds of tasks, short and long, and what becomes of the kind left out.

The paper's fine-tuning (its Tables 7 and figures 9 and 10) loses on everything that it was not tuned on. Here all pairs
are of `--kinds`; a row for each method, learning rate and number of steps shows those kinds and the other, under
observed wordings and others. Use `--wordings pocket-validation` to choose, `pocket-test` to report. With `--out` a
stopped benchmark continues. A thousand steps of fine-tuning take three minutes on one core.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.pocket.measures import (
    OBSERVED,
    UNOBSERVED,
    Column,
    asked,
    averaged,
    gain,
    header,
    in_points,
    is_kept_out,
    mean_percent,
    measure,
    row,
)
from phraseproof.alignment.trainer import train
from phraseproof.core import Task
from phraseproof.pocket.mitigation import SETTINGS, mitigation_pairs
from phraseproof.tasks import load_tasks


def columns_for(kinds: list[str], tasks: list[Task]) -> list[Column]:
    """What is reported: the kinds that were aligned, those that were not, and the attributes that never were."""
    aligned = {task.category for task in tasks if task.name.removeprefix("pocket/").partition("-")[0] in kinds}
    return [
        Column("aligned kinds, observed", OBSERVED, lambda grid: grid.category in aligned),
        Column("unobserved", UNOBSERVED, lambda grid: grid.category in aligned),
        Column("attributes kept out, observed", OBSERVED, lambda grid: grid.category in aligned and is_kept_out(grid)),
        Column("other kinds, observed", OBSERVED, lambda grid: grid.category not in aligned),
        Column("other kinds, unobserved", UNOBSERVED, lambda grid: grid.category not in aligned),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="pocket")
    parser.add_argument("--kinds", default="choose,label", help="kinds that pairs are made of: choose, label, has")
    parser.add_argument("--tried", default="ft:3e-4,ft:2e-5,pt+kl:1e-2", help="methods with their learning rates")
    parser.add_argument("--steps", default="60,300,1000")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--wordings", default="pocket-validation")
    parser.add_argument("--limit", type=int, default=6, help="questions of each task, under unobserved wordings")
    parser.add_argument("--observed-limit", type=int, default=12)
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()
    home: Path = options.out or Path(tempfile.mkdtemp())
    kinds = options.kinds.split(",")
    everything = asked(options.wordings, limit=options.limit, observed_limit=options.observed_limit, closer_look=False)
    columns = columns_for(kinds, load_tasks(["pocket"]))
    pairs = mitigation_pairs(kinds=kinds)
    base = measure(options.model, None, everything, home / "base.npz")
    print(json.dumps({"base, percent": {each.name: round(mean_percent(base, each), 1) for each in columns}}))
    print(header([each.name for each in columns]), flush=True)
    for method, _, rate in (tried.partition(":") for tried in options.tried.split(",")):
        for steps in map(int, options.steps.split(",")):
            runs = []
            for seed in range(options.seeds):
                name = f"{method}-{rate}-{steps}-{seed}"
                settings = replace(SETTINGS, method=method, learning_rate=float(rate), max_steps=steps, seed=seed)
                found = train(options.model, pairs, home / name, settings)
                model, adapter = (options.model, home / name) if found.kind == "adapter" else (str(home / name), None)
                runs.append(measure(model, adapter, everything, home / f"{name}.npz"))
            after = averaged(runs)
            cells = [in_points(gain(base, after, each)) for each in columns]
            print(row(f"{method}, {rate}, {steps} steps", cells), flush=True)


if __name__ == "__main__":
    main()
