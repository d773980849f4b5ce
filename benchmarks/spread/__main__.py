"""`python -m benchmarks.spread RUN...`: the tables of docs/real-model.md, from run folders of a real model.

The runs are made by `phraseproof evaluate` (the commands are in docs/real-model.md); nothing here calls a model.
"""

from __future__ import annotations

import argparse

import numpy as np

from phraseproof.analysis.calibrated import cross_fitted
from phraseproof.analysis.causes.run import run_causes
from phraseproof.analysis.causes.sentence import cause_sentence
from phraseproof.analysis.ensembles import combine
from phraseproof.analysis.option_values import OptionValues, load_option_values, scores
from phraseproof.analysis.reductions.judging import JudgedTask
from phraseproof.analysis.reductions.recommendation import recommend
from phraseproof.reduction.reduce import CALIBRATION, Reduction, reduce
from phraseproof.store.queries import load_run

ASIDE = 0.5


def main() -> None:
    """Print a table of spreads, the sentences on causes, and a table of what `reduce` recommends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", metavar="RUN")
    paths: list[str] = parser.parse_args().runs
    runs = [load_run(path) for path in paths]

    print("| task (options) | examples | best constant answer | accuracy over wordings | each calibrated | "
          "together, calibrated |\n|---|---|---|---|---|---|")  # fmt: skip
    reductions = [reduce(run, aside=ASIDE) for run in runs]
    whole = [reduce(run) for run in runs]
    for run, reduction in zip(runs, whole, strict=True):
        judged = {task.task: task for task in reduction.tasks}
        for values in load_option_values(run):
            if values.task in judged:
                print(_spread(values, judged[values.task]))

    print("\n| task | why the wordings differ |\n|---|---|")
    for run in runs:
        for cause in run_causes(run).tasks:
            print(f"| {cause.task} | {cause_sentence(cause)} |")

    print(f"\n| task | recommended on {1 - ASIDE:.0%} of the examples | on the others: before | after | gain |\n"
          "|---|---|---|---|---|")  # fmt: skip
    for reduction in reductions:
        for task in reduction.tasks:
            print(_recommended(reduction, task))
        for note in reduction.notes:
            print(f"<!-- {note} -->")


def _spread(values: OptionValues, task: JudgedTask) -> str:
    calibrated = cross_fitted(values, CALIBRATION)
    options = values.has_option.sum(axis=1)
    count = f"{options.min()}" if options.min() == options.max() else f"{options.min()} to {options.max()}"
    together = scores(combine(calibrated)[None], values)
    columns = [
        f"{values.task} ({count})",
        f"{len(values.examples)}",
        f"{100 * task.majority:.1f}",
        _mean_and_std(scores(values.values, values)),
        _mean_and_std(scores(calibrated, values)),
        f"{100 * together.mean():.1f}",
    ]
    return f"| {' | '.join(columns)} |"


def _mean_and_std(each: np.ndarray) -> str:
    means = 100 * each.mean(axis=1)
    return f"{means.mean():.1f} ± {means.std(ddof=1):.1f}"


def _recommended(reduction: Reduction, task: JudgedTask) -> str:
    found = reduction.confirmed.get((task.task, task.num_fewshot))
    if found is None:
        reason = "nothing: no skill is shown" if "do not show" in recommend(task).sentence else "nothing"
        return f"| {task.task} | {reason} | | | |"
    gain = f"{100 * found.gain:+.1f} ({100 * found.low:+.1f} to {100 * found.high:+.1f})"
    return f"| {task.task} | {found.way} | {100 * found.before:.1f} | {100 * found.after:.1f} | {gain} |"


if __name__ == "__main__":
    main()
