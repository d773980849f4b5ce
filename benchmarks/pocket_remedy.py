"""The remedy on the pocket's model: base, untrained prefix, PT, PT+KL, FT and FT+KL over several seeds.

Gains over the base model, question by question and wording by wording. Seeds are averaged first, and the interval is
the crossed bootstrap over wordings and questions of `phraseproof compare`; so it tells of other wordings and questions,
not of other base models. `--wordings pocket-validation` chooses settings, `pocket-test` reports. With `--out` a killed
benchmark goes on where it was. About a minute a method and seed on one core.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.alignment.soft_prompt import SoftPrompt
from phraseproof.alignment.trainer import align
from phraseproof.analysis.grids import TaskGrid, load_grids
from phraseproof.analysis.paired import compare_runs
from phraseproof.core import Finding
from phraseproof.evaluation.evaluate import evaluate
from phraseproof.instructions.collections import load_collection
from phraseproof.models import ModelOptions
from phraseproof.pocket.remedy import KEPT_OUT, SETTINGS, remedy_pairs

UNTRAINED = "untrained"
SPEAKER = "speaker"
"""Not a training: the same wordings with a speaker named in front, whom the model was taught to follow in any words."""

OBSERVED, UNOBSERVED = "observed", "unobserved"
COLUMNS = (OBSERVED, UNOBSERVED, "tasks kept out", "Pocket-QA", "Pocket-MC", "Pocket-BC")
Grids = tuple[TaskGrid, ...]


def measure(
    model: str, adapter: Path | None, wordings: str, out: Path, limits: tuple[int, int], *, before: str = ""
) -> Grids:
    """Scores under observed and unobserved wordings.

    Args:
        limits: questions of each task under observed and unobserved wordings.
        before: is put in front of every wording.
    """
    found: list[TaskGrid] = []
    for group, name, limit in zip((OBSERVED, UNOBSERVED), ("pocket-observed", wordings), limits, strict=True):
        options = ModelOptions(adapter=adapter)
        collection = load_collection(name)
        asked = tuple(replace(item, ask=f"{before}{item.ask}") for item in collection.instructions)
        named = replace(collection, instructions=asked)
        run = evaluate(model, "pocket", {group: named}, out / group, limit=limit, model_options=options)
        # A wording goes by its name here, so that it stays the same one behind a speaker.
        found += [replace(grid, keys=grid.wordings) for grid in load_grids(run)]
    return tuple(found)


def untrained_prefix(model: str, settings: AlignmentSettings, folder: Path) -> Path:
    """An adapter as training would begin with it."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from phraseproof.models.pocket import folder as pocket_folder

    path = str(pocket_folder(model)) if model.startswith("pocket") else model
    network = AutoModelForCausalLM.from_pretrained(path)
    prompt = SoftPrompt.create(
        network,
        n=settings.num_tokens,
        placement=settings.placement,
        init=settings.init,
        seed=settings.seed,
        tokenizer=AutoTokenizer.from_pretrained(path),
    )
    folder.mkdir(parents=True, exist_ok=True)
    prompt.save(folder, path)
    return folder


def averaged(runs: Sequence[Grids]) -> Grids:
    """The mean over seeds of every score."""
    found: list[TaskGrid] = []
    for same in zip(*runs, strict=True):
        scores = np.mean([grid.scores for grid in same if grid.scores is not None], axis=0)
        found.append(replace(same[0], scores=scores, means=scores.mean(axis=1), answers=None))
    return tuple(found)


def in_points(gain: Finding) -> str:
    if gain.low is None or gain.high is None:
        return f"{100 * gain.estimate:+.1f}"
    return f"{100 * gain.estimate:+.1f} ({100 * gain.low:+.1f} to {100 * gain.high:+.1f})"


def of_group(grids: Grids, group: str) -> Grids:
    return tuple(grid for grid in grids if grid.groups[0] == group)


def told(name: str, before: Grids, after: Grids) -> str:
    """A row of the table: gains of one over another, on unobserved wordings also where alignment never was, by kind."""
    (observed,) = compare_runs(of_group(before, OBSERVED), of_group(after, OBSERVED))
    first, second = of_group(before, UNOBSERVED), of_group(after, UNOBSERVED)
    (unobserved,) = compare_runs(first, second)
    (kept_out,) = compare_runs(*([grid for grid in run if is_kept_out(grid)] for run in (first, second)))
    kinds = {row.name: row.all for row in unobserved.categories}
    cells = [observed.overall.all, unobserved.overall.all, kept_out.overall.all, *(kinds[kind] for kind in COLUMNS[3:])]
    return f"| {name} | {' | '.join(map(in_points, cells))} |"


def is_kept_out(grid: TaskGrid) -> bool:
    return grid.task.rpartition("-")[2] in KEPT_OUT


def mean_percent(grids: Sequence[TaskGrid]) -> float:
    return round(100 * float(np.mean([grid.means.mean() for grid in grids])), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="pocket")
    parser.add_argument("--methods", default="untrained,pt,pt+kl,ft,ft+kl")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--learning-rate", type=float, default=SETTINGS.learning_rate)
    parser.add_argument("--ft-learning-rate", type=float, default=3e-4)
    parser.add_argument("--max-steps", type=int, default=SETTINGS.max_steps)
    parser.add_argument("--placement", default="input", choices=["input", "layers"])
    parser.add_argument("--init", default=SETTINGS.init)
    parser.add_argument("--wordings", default="pocket-validation")
    parser.add_argument("--limit", type=int, default=10, help="questions of each task, under unobserved wordings")
    parser.add_argument("--observed-limit", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=12, help="pairs of each task")
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()
    home = options.out or Path(tempfile.mkdtemp())
    limits = (options.observed_limit, options.limit)
    pairs = remedy_pairs(options.pairs)
    base = measure(options.model, None, options.wordings, home / "base", limits)
    unobserved = of_group(base, UNOBSERVED)
    means_of_base = {
        OBSERVED: mean_percent(of_group(base, OBSERVED)),
        options.wordings: mean_percent(unobserved),
        "tasks kept out": mean_percent([grid for grid in unobserved if is_kept_out(grid)]),
    }
    print(json.dumps({"base, percent": means_of_base}), flush=True)
    print(f"| | {' | '.join(COLUMNS)} |\n|{'---|' * (len(COLUMNS) + 1)}", flush=True)
    means: dict[str, Grids] = {}
    for method in options.methods.split(","):
        runs: list[Grids] = []
        if method == SPEAKER:
            runs = [measure(options.model, None, options.wordings, home / SPEAKER, limits, before="Nora asks: ")]
        fixed = method == UNTRAINED and options.init != "random-vocabulary"
        for seed in range(0 if runs else 1 if fixed else options.seeds):
            settings = replace(
                SETTINGS,
                method="pt" if method == UNTRAINED else method,
                learning_rate=options.ft_learning_rate if method.startswith("ft") else options.learning_rate,
                max_steps=options.max_steps,
                placement=options.placement,
                init=options.init,
                seed=seed,
            )
            folder = home / f"{method}-{seed}"
            if method == UNTRAINED:
                model, adapter = options.model, untrained_prefix(options.model, settings, folder)
            else:
                trained = align(options.model, pairs, folder, settings)
                adapted = trained.kind == "adapter"
                model, adapter = (options.model, folder) if adapted else (str(folder), None)
            runs.append(measure(model, adapter, options.wordings, home / f"{method}-{seed}-run", limits))
            if options.seeds > 1 and method != UNTRAINED:
                print(told(f"{method}, seed {seed}", base, runs[-1]), flush=True)
        means[method] = averaged(runs)
        print(told(f"**{method}**", base, means[method]), flush=True)
    for one, other in (("pt+kl", "pt"), ("ft+kl", "ft"), ("pt+kl", "ft")):
        if one in means and other in means:
            print(told(f"{one} minus {other}", means[other], means[one]), flush=True)


if __name__ == "__main__":
    main()
