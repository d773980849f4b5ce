"""One pocket model, trained in many ways on many training sets, and measured on wordings that no training saw."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from benchmarks.pocket.changed_pairs import with_wrong_labels
from benchmarks.pocket.measures import (
    UNOBSERVED,
    Asked,
    Column,
    Grids,
    gain_over_all,
    in_points,
    mean_percent,
    measure,
    questions,
)
from phraseproof.alignment.pairs import ParaphraseSet
from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.alignment.trainer import train
from phraseproof.instructions.collections import load_collection
from phraseproof.pocket.mitigation import SETTINGS, mitigation_pairs

TEST = Column("test wordings", UNOBSERVED)
INCORRECT = Column("incorrect wordings", "incorrect")


class Way(NamedTuple):
    """A way to train: its name in tables, and its settings but for rate and seed."""

    name: str
    settings: AlignmentSettings

    @property
    def uses_labels(self) -> bool:
        return self.settings.labels == "given"


def way(name: str, method: str = "pt+kl", *, lambda_: float = SETTINGS.lambda_) -> Way:
    return Way(name, replace(SETTINGS, method=method, lambda_=lambda_))


PT, PT_KL = way("PT", "pt"), way("PT+KL")
KL = Way("KL alone", replace(SETTINGS, labels="none"))
LORA, LORA_KL = way("LoRA", "lora"), way("LoRA+KL", "lora+kl")


class Data(NamedTuple):
    """Training pairs by seed.

    Attributes:
        name: of the folder of their trainings.
        pairs: made from a seed.
        wrong: the share of validation labels that is wrong.
    """

    name: str
    pairs: Callable[[int], Sequence[ParaphraseSet]]
    wrong: float = 0.0


class Laboratory:
    """Trains one model in many ways and measures it; adapters and choices are kept in the folder `home`."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.model: str = options.model
        self.home: Path = options.out or Path(tempfile.mkdtemp())
        self.steps: int = options.max_steps
        self.seeds = range(options.seeds)
        self.search_seeds = range(options.search_seeds)
        self.rates = [float(rate) for rate in options.rates.split(",")]
        self.clean_pairs = mitigation_pairs(options.pairs)
        self.per_task: int = options.pairs
        self.clean = Data("clean", lambda _: self.clean_pairs)
        last = slice(-options.validation_limit, None)  # so that test questions are others
        self.asked = {
            f"validation-{options.validation_limit}": questions(UNOBSERVED, load_collection("pocket-validation"), last),
            f"test-{options.limit}": questions(UNOBSERVED, load_collection("pocket-test"), slice(options.limit)),
            f"incorrect-{options.limit}": questions(
                INCORRECT.group, load_collection("pocket-incorrect"), slice(options.limit)
            ),
        }
        self._validation, self._test, self._incorrect = self.asked
        self.base = self._measured("base", None, self._test)
        self.base_incorrect = self._measured("base", None, self._incorrect)

    def rate_of(self, method: Way, data: Data) -> float:
        """The rate with the highest accuracy on validation wordings, the lowest of equal ones."""
        accuracy = {rate: self._validation_accuracy(method, data, rate) for rate in self.rates}
        chosen = max(self.rates, key=lambda rate: (accuracy[rate], -rate))
        self.note(f"{data.name}, {method.name}: {accuracy} on validation wordings, chosen {chosen:g}")
        return chosen

    def _validation_accuracy(self, method: Way, data: Data, rate: float) -> float:
        found: list[float] = []
        for seed in self.search_seeds:
            labels = with_wrong_labels(self.asked[self._validation], data.wrong, seed)
            found.append(mean_percent(self._trained(method, data, rate, seed, self._validation, labels), TEST))
        return round(sum(found) / len(found), 2)

    def runs(self, method: Way, data: Data, rate: float) -> list[Grids]:
        """Measurements on test wordings, one for each seed."""
        return [self._trained(method, data, rate, seed, self._test) for seed in self.seeds]

    def runs_incorrect(self, method: Way, data: Data, rate: float) -> list[Grids]:
        """The same under wordings that ask for another attribute, scored by the question of the reference."""
        return [self._trained(method, data, rate, seed, self._incorrect) for seed in self.seeds]

    def _trained(
        self, method: Way, data: Data, rate: float, seed: int, asked: str, labels: Sequence[Asked] = ()
    ) -> Grids:
        folder = self.home / data.name / f"{method.name}-{rate:g}-{seed}"
        kept = folder.with_name(f"{folder.name}-{asked}.npz")
        if not kept.exists():
            settings = replace(method.settings, learning_rate=rate, max_steps=self.steps, seed=seed)
            train(self.model, data.pairs(seed), folder, settings)
        return measure(self.model, folder, labels or self.asked[asked], kept)

    def _measured(self, name: str, adapter: Path | None, asked: str) -> Grids:
        return measure(self.model, adapter, self.asked[asked], self.home / f"{name}-{asked}.npz")

    @property
    def base_percent(self) -> float:
        return mean_percent(self.base, TEST)

    @staticmethod
    def incorrect(runs: Sequence[Grids]) -> float:
        """How often incorrect wordings get the answer to the reference's question, in percent."""
        return sum(mean_percent(each, INCORRECT) for each in runs) / len(runs)

    def gain(self, runs: Sequence[Grids], before: Sequence[Grids] | None = None) -> str:
        return in_points(gain_over_all(before or [self.base], runs, TEST))

    @staticmethod
    def note(text: str) -> None:
        print(f"<!-- {text} -->", flush=True)
