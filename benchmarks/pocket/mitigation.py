"""Every alignment method on a pocket model, over several seeds: its gains, and its effect on a "not".

`--wordings pocket-validation` chooses settings (`--rates` tries several), `pocket-test` reports, and adds the closer
look: the paper's Tables 7, 16 and 17 in small. Rows are gains over the base model (measures.py). With `--out` a stopped
benchmark continues. A method and seed take half a minute on one core.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.pocket.measures import (
    GAINS,
    LOOKED_AT,
    RULE_NEGATED,
    Grids,
    asked,
    averaged,
    gain,
    header,
    in_points,
    mean_percent,
    measure,
    over_seeds,
    row,
)
from phraseproof.alignment.methods import METHODS
from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.alignment.soft_prompt import SoftPrompt
from phraseproof.alignment.trainer import train
from phraseproof.pocket.mitigation import SETTINGS, mitigation_pairs

UNTRAINED = "untrained"
SPEAKER = "speaker"
"""Not a training: the same wordings after the name of a speaker; the model was trained to follow that speaker in any
words."""

RATES: Mapping[str, Mapping[str, float]] = {
    "pocket": {"ft": 3e-4, "ft+kl": 3e-4},
    "pocket/small-t5": {"ft": 9e-5, "ft+kl": 9e-5},
}
"""Learning rates that differ from the mitigation's. docs/pocket.md says how all were chosen, on validation wordings."""

COMPARED = (("pt+kl", "pt"), ("ft+kl", "ft"), ("pt+kl", "ft"), ("pt+contrastive", "pt+kl"), ("joint", "pt+kl"))
"""Pairs of methods to compare, the first minus the second, if both are tried."""


def untrained_prefix(model: str, settings: AlignmentSettings, folder: Path) -> Path:
    """An adapter as training would begin with it."""
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

    from phraseproof.models.pocket import folder as pocket_folder

    path = str(pocket_folder(model)) if model.startswith("pocket") else model
    family = AutoModelForSeq2SeqLM if AutoConfig.from_pretrained(path).is_encoder_decoder else AutoModelForCausalLM
    prompt = SoftPrompt.create(
        family.from_pretrained(path),
        n=settings.num_tokens,
        placement=settings.placement,
        init=settings.init,
        seed=settings.seed,
        tokenizer=AutoTokenizer.from_pretrained(path),
    )
    folder.mkdir(parents=True, exist_ok=True)
    prompt.save(folder, path)
    return folder


def trained(model: str, settings: AlignmentSettings, pairs: int, folder: Path) -> tuple[str, Path | None]:
    """Train on the mitigation's pairs; the model's name and adapter, to measure it by.

    Args:
        pairs: of each task.
    """
    data = mitigation_pairs(pairs, negations=METHODS[settings.method].needs_negations)
    found = train(model, data, folder, settings)
    return (model, folder) if found.kind == "adapter" else (str(folder), None)


class Benchmark:
    """Measures one model, before and after training, on the same questions; results are stored in the folder `home`."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.model: str = options.model
        self.pairs: int = options.pairs
        self.home: Path = options.out or Path(tempfile.mkdtemp())
        self.reporting = options.wordings != "pocket-validation"
        self._ask = partial(
            asked,
            options.wordings,
            limit=options.limit,
            observed_limit=options.observed_limit,
            closer_look=self.reporting,
        )
        self.everything = self._ask()
        self.base = self._measured("base", self.model, None)

    def runs(self, method: str, settings: Sequence[AlignmentSettings], name: str) -> list[Grids]:
        """The results of a method, one for each of the settings, which differ in their seeds."""
        if method == SPEAKER:
            return [measure(self.model, None, self._ask(before="Nora asks: "), self.home / "speaker.npz")]
        if method == UNTRAINED:
            folder = untrained_prefix(self.model, settings[0], self.home / UNTRAINED)
            return [self._measured(UNTRAINED, self.model, folder)]
        found: list[Grids] = []
        for each in settings:
            model, adapter = trained(self.model, each, self.pairs, self.home / f"{name}-{each.seed}")
            found.append(self._measured(f"{name}-{each.seed}", model, adapter))
        return found

    def _measured(self, name: str, model: str, adapter: Path | None) -> Grids:
        return measure(model, adapter, self.everything, self.home / f"{name}.npz")


class Tried(NamedTuple):
    """The results of a method: its name for readers, and a measurement for each seed."""

    name: str
    runs: list[Grids]


def gains(name: str, before: Sequence[Grids], after: Sequence[Grids]) -> str:
    """A row of the first table; its last cell says the second one's gain once more, over seeds."""
    first, second = averaged(before), averaged(after)
    cells = [in_points(gain(first, second, column)) for column in GAINS]
    return row(name, [*cells, over_seeds(before, after, GAINS[1]) if len(after) > 1 else ""])


def try_all(benchmark: Benchmark, options: argparse.Namespace) -> dict[str, Tried]:
    """Every method, at every learning rate that is asked for, with its row printed as soon as it is known."""
    found: dict[str, Tried] = {}
    for method in options.methods.split(","):
        known = RATES.get(options.model, {}).get(method, SETTINGS.learning_rate)
        for rate in [float(rate) for rate in options.rates.split(",")] if options.rates else [known]:
            plain = "pt" if method in {UNTRAINED, SPEAKER} else method
            settings = replace(SETTINGS, method=plain, learning_rate=rate, max_steps=options.max_steps)
            seeds = [replace(settings, seed=seed) for seed in range(options.seeds)]
            name = f"{method}-{rate:g}" if options.rates else method
            tried = Tried(f"{method}, {rate:g}" if options.rates else method, benchmark.runs(method, seeds, name))
            for seed, run in enumerate(tried.runs if options.every_seed else ()):
                print(gains(f"{tried.name}, seed {seed}", [benchmark.base], [run]), flush=True)
            print(gains(tried.name, [benchmark.base], tried.runs), flush=True)
            found[name] = tried
    return found


def print_tables(benchmark: Benchmark, options: argparse.Namespace) -> None:
    """The base, gains of every method over it, differences between methods; then the closer look."""
    closer = [each for each in LOOKED_AT if benchmark.reporting or each.group == RULE_NEGATED]
    base = {each.name: round(mean_percent(benchmark.base, each), 1) for each in (*GAINS, *closer)}
    print(json.dumps({"base, percent": base}), flush=True)
    print(header([*(each.name for each in GAINS), "unobserved, over seeds"]), flush=True)
    found = try_all(benchmark, options)
    for one, other in COMPARED:
        if one in found and other in found:
            print(gains(f"{one} minus {other}", found[other].runs, found[one].runs), flush=True)
    print(f"\n{header([each.name for each in closer])}")
    for tried in found.values():
        after = averaged(tried.runs)
        print(row(tried.name, [in_points(gain(benchmark.base, after, each)) for each in closer]), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="pocket")
    parser.add_argument("--methods", default="untrained,speaker,pt+kl,pt,ft+kl,ft,pt+contrastive,negation,joint")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rates", default="", help="learning rates to choose from, with commas")
    parser.add_argument("--max-steps", type=int, default=SETTINGS.max_steps)
    parser.add_argument("--wordings", default="pocket-validation")
    parser.add_argument("--limit", type=int, default=5, help="questions of each task, under unobserved wordings")
    parser.add_argument("--observed-limit", type=int, default=3, help="the same under all others")
    parser.add_argument("--pairs", type=int, default=12, help="pairs of each task")
    parser.add_argument("--every-seed", action="store_true", help="a row for every seed, too")
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()
    print_tables(Benchmark(options), options)


if __name__ == "__main__":
    main()
