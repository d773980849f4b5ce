"""`python -m benchmarks.remedies.seeds`: all methods with several training seeds, in trainings that are kept as files.

`train` trains what is missing, seed after seed, and adds a file for every method and seed to `--outcomes`: what the
model answered on unseen wordings and examples, on unseen tasks and on MMLU (`benchmarks.remedies.outcomes`). A training
that was stopped is continued; processes with different seeds may run at once. `table` reads the files, and needs
neither model nor data.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.remedies.outcomes import Outcomes, read_record, write_outcomes
from benchmarks.remedies.protocol import (
    AS_IT_IS_FILE,
    CALIBRATION,
    MAX_PAIRS,
    METHODS,
    MODEL,
    OTHER_RATES,
    SEED,
    ProtocolMethod,
    protocol_hash,
    ranking_set,
    search_plan,
)
from benchmarks.remedies.seeds_table import tables
from phraseproof.analysis.option_values import load_option_values
from phraseproof.analysis.reductions.ways import AS_IT_IS
from phraseproof.hardening.lessons import Lessons
from phraseproof.hardening.search_plan import SearchPlan
from phraseproof.hardening.workplace import Training, Workplace
from phraseproof.identity import content_hash
from phraseproof.installed import versions
from phraseproof.models import ModelOptions

OUTCOMES = Path(__file__).parent / "outcomes"
_PACKAGES = ("phraseproof", "torch", "transformers", "peft")


class Trainer:
    """Trains and measures what the protocol asks for.

    Args:
        data_dir: the benchmarks' published files.
        work: receives runs and trainings.
        outcomes: the folder of the files.
    """

    def __init__(self, data_dir: Path, work: Path, outcomes: Path) -> None:
        self._plan: SearchPlan = search_plan(data_dir)
        self._place = Workplace(MODEL, ModelOptions(), work, prompt_format="auto", observers=(None, None))
        self._lessons = Lessons(self._place, ranking_set(self._plan), max_pairs=MAX_PAIRS, seed=SEED)
        self._outcomes = outcomes
        self._protocol = protocol_hash(self._plan)

    def measure_base(self) -> None:
        """Measure the model as it is, if there is no file of it."""
        path = self._outcomes / AS_IT_IS_FILE
        if not self._is_there(path):
            self._write(path, {"method": AS_IT_IS}, None)

    def train(self, method: ProtocolMethod, seed: int) -> None:
        """Train and measure a method, if there is no file of it."""
        path = self._outcomes / method.file_name(seed)
        if self._is_there(path):
            return
        pairs = self._lessons.pairs(self._plan.training, method.candidate).pairs
        training = self._place.train(method.candidate, seed, pairs)
        record = {
            "method": method.name,
            "written": method.written,
            "rate": method.rate,
            "seed": seed,
            **training.cost._asdict(),
            "seconds": round(training.seconds, 1),
            "pairs": content_hash([pair.identity(with_options=True) for pair in pairs]),
        }
        self._write(path, record, training)
        print(f"{method.name}, seed {seed}: {training.seconds:.0f} s, {path.name}", flush=True)

    def _write(self, path: Path, record: Mapping[str, object], training: Training | None) -> None:
        runs = {on.name: self._place.measure(on, training) for on in self._plan.reported}
        record = {**record, "protocol": self._protocol, "versions": versions(_PACKAGES)}
        path.parent.mkdir(parents=True, exist_ok=True)
        write_outcomes(
            path, Outcomes(record, {name: load_option_values(run) for name, run in runs.items()}), CALIBRATION
        )

    def _is_there(self, path: Path) -> bool:
        if not path.exists():
            return False
        if (found := read_record(path)["protocol"]) != self._protocol:
            raise SystemExit(
                f"{path}: of another protocol ({found}, here {self._protocol}). Give another folder with --outcomes, "
                "and another one with --work"
            )
        return True


def planned(methods: Sequence[str], seeds: Sequence[int]) -> Iterator[tuple[ProtocolMethod, int]]:
    """All trainings in their order: seeds outermost, other rates of soft prompts after the first seed.

    Args:
        methods: names of some of them; all where it is empty.
        seeds: of the trainings.
    """
    known = {each.name: each for each in (*METHODS, *OTHER_RATES)}
    if unknown := sorted(set(methods) - known.keys()):
        raise SystemExit(f"--methods: {unknown[0]!r} is not one of: {', '.join(known)}")
    for place, seed in enumerate(seeds):
        for each in (*METHODS, *(OTHER_RATES if place == 0 or methods else ())):
            if not methods or each.name in methods:
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
    train.add_argument("--work", type=Path, required=True, help="receives runs and trainings")
    table.add_argument("--tasks", action="store_true", help="also the accuracy on every task")
    given = parser.parse_args()
    if given.command == "table":
        for line in tables(given.outcomes, by_task=given.tasks):
            print(line)
        return
    methods = [name for name in given.methods.split(",") if name]
    trainings = list(planned(methods, [int(seed) for seed in given.seeds.split(",")]))
    trainer = Trainer(given.data_dir, given.work, given.outcomes)
    trainer.measure_base()
    for method, seed in trainings:
        trainer.train(method, seed)


if __name__ == "__main__":
    main()
