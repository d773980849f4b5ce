"""`python -m benchmarks.remedies.seeds`: all methods with several training seeds, in trainings that are kept as files.

`train` trains what is missing, seed after seed, and adds a file for every method and seed to `--outcomes`: what the
model answered on unseen wordings and examples, on unseen tasks and on MMLU (`benchmarks.remedies.outcomes`). A training
that was stopped is continued; processes with different seeds may run at once. `table` reads the files, and needs
neither model nor data, but for the accuracy by what a wording asks for, which needs the data.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.remedies.protocol import METHODS, OTHER_RATES, ProtocolMethod
from benchmarks.remedies.seeds_table import tables

OUTCOMES = Path(__file__).parent / "outcomes"


def planned(methods: Sequence[str], seeds: Sequence[int]) -> Iterator[tuple[ProtocolMethod, int]]:
    """All trainings in their order: seeds outermost, other rates with the first one only.

    Args:
        methods: names of some of them, with every seed; all where it is empty.
        seeds: of the trainings.
    """
    known = {each.name: each for each in (*METHODS, *OTHER_RATES)}
    if unknown := sorted(set(methods) - known.keys()):
        raise SystemExit(f"--methods: {unknown[0]!r} is not one of: {', '.join(known)}")
    for seed in seeds:
        for each in (*METHODS, *OTHER_RATES):
            if each.name in methods if methods else seed < each.seeds:
                yield each, seed


def main() -> None:
    """Train, or print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    train, table = commands.add_parser("train", help="train what is missing"), commands.add_parser("table")
    for each in (train, table):
        each.add_argument("--outcomes", type=Path, default=OUTCOMES, help="the folder of the files")
    train.add_argument("--methods", default="", help="separated by commas; all by default")
    train.add_argument("--seeds", default="0,1,2,3,4", help="separated by commas")
    train.add_argument("--data-dir", type=Path, required=True, help="the benchmarks' published files")
    table.add_argument("--data-dir", type=Path, help="the same; then also the accuracy by what a wording asks for")
    train.add_argument("--work", type=Path, required=True, help="receives runs and trainings")
    table.add_argument("--tasks", action="store_true", help="also the accuracy on every task")
    given = parser.parse_args()
    if given.command == "table":
        forms = None
        if given.data_dir is not None:
            from benchmarks.remedies.seed_trainings import answer_forms  # loads torch, which other tables do not need

            forms = answer_forms(given.data_dir)
        for line in tables(given.outcomes, by_task=given.tasks, forms=forms):
            print(line)
        return
    methods = [name for name in given.methods.split(",") if name]
    trainings = list(planned(methods, [int(seed) for seed in given.seeds.split(",")]))
    from benchmarks.remedies.seed_trainings import Trainer  # as above

    trainer = Trainer(given.data_dir, given.work, given.outcomes)
    trainer.measure_base()
    for method, seed in trainings:
        trainer.train(method, seed)


if __name__ == "__main__":
    main()
