"""Searches with known answers of models, without any training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.analysis.option_values import OptionValues
from phraseproof.hardening.candidates import Candidate
from phraseproof.hardening.costs import TrainingCost
from phraseproof.hardening.judged_runs import JudgedRuns, judge_runs
from phraseproof.hardening.search import MethodSearch, Refitted, Searched
from phraseproof.hardening.search_plan import SearchInput, plan_search
from phraseproof.hardening.search_settings import SearchSettings
from phraseproof.hardening.training_pairs import TrainingPairs
from phraseproof.hardening.workplace import Training
from phraseproof.instructions.collections import Collection
from phraseproof.store.queries import load_run
from support.harden_data import make_task, make_wordings
from support.option_grids import simulated, store_values

LABEL = "lora at 0.001"


def with_more_skill(of: OptionValues, by: float) -> OptionValues:
    """The answers of a model that knows more: the right option's value is higher."""
    return replace(of, values=of.values + by * np.eye(of.values.shape[2])[of.targets])


def judged(folder: Path, *, skill: float, seeds: int = 1, prior: float = 1.5, name: str = "test") -> JudgedRuns:
    """The report of two tasks on which training added this skill."""
    tasks = [
        replace(
            simulated(np.random.default_rng(n), wordings=8, examples=80, options=3, skill=2.0, prior=prior),
            task=f"t{n}",
        )
        for n in (1, 2)
    ]
    base = load_run(store_values(folder / name / "base", *tasks))
    trained = [
        load_run(
            store_values(folder / name / str(seed), *(with_more_skill(of, skill * (1 + seed / 10)) for of in tasks))
        )
        for seed in range(seeds)
    ]
    return judge_runs(name, base, {LABEL: trained}, calibration="prior-matching", seed=0)


def method_search(folder: Path, *, skill: float, seeds: int = 1) -> MethodSearch:
    """A search whose winner has this skill on test, and none on unseen tasks."""
    given = SearchInput(
        [make_task("t1", 40), make_task("t2", 40)], [Collection("mine", make_wordings(12))], [make_task("u", 40)]
    )
    settings = SearchSettings(("pt", "lora"), seeds=tuple(range(seeds)))

    def training(candidate: Candidate, seed: int) -> Training:
        return Training(candidate, seed, folder / candidate.name, True, TrainingCost(60, 960, 41_000), 12.5)

    pairs = TrainingPairs((), {"t1": ("mine/w0",), "t2": ("mine/w1",)}, ("mine/w5",))
    candidates = [Candidate(name, 1e-3, AlignmentSettings(learning_rate=1e-3)) for name in ("pt", "lora")]
    return MethodSearch(
        settings,
        plan_search(given, settings),
        tuple(
            Searched(each, pairs, (training(each, 0),), (score,))
            for each, score in zip(candidates, (0.4, 0.6), strict=True)
        ),
        0.35,
        (Refitted(candidates[1], pairs, tuple(training(candidates[1], seed) for seed in range(seeds))),),
        judged(folder, skill=skill, seeds=seeds),
        judged(folder, skill=0.0, seeds=seeds, name="unseen"),
        None,
    )
