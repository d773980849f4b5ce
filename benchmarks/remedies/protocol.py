"""The protocol of `benchmarks.remedies.seeds`, decided before its trainings: sets, methods and budget.

Tasks, splits and wordings are those of `benchmarks.remedies`, with fewer examples and wordings to measure on, so that a
training with its measurements takes some twelve minutes of one slow core.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.remedies.__main__ import CHECK, COLLECTIONS, FURTHER, TASKS, UNSEEN, wordings_of
from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.analysis.reductions.run import CALIBRATION
from phraseproof.core import Task
from phraseproof.hardening.candidates import Candidate, candidates_of
from phraseproof.hardening.lessons import teaching_set
from phraseproof.hardening.search_plan import MeasuredSet, SearchInput, SearchPlan, plan_search
from phraseproof.hardening.search_settings import SearchSettings
from phraseproof.identity import content_hash
from phraseproof.tasks import load_tasks

MODEL = "smollm2"
MAX_PAIRS = 60
"""Training pairs of a task, at most."""
RANKED = 20
"""Training examples of a task by which references are chosen."""
LIMIT = 20
"""Test examples of a task."""
MOST_WORDINGS: Mapping[str, int] = {"test": 5, "unseen": 4, "check": 4}
"""The first wordings of a task in each set."""
STEPS = 240
LORA_RATE, PROMPT_RATE = 1e-3, 3e-3
SEED = 0
"""Of splits and samples."""


def search_plan(data_dir: Path) -> SearchPlan:
    """The sets of `benchmarks.remedies`, with the first wordings of each task in those that are measured."""

    def tasks(names: tuple[str, ...]) -> list[Task]:
        return load_tasks(list(names), data_dir=data_dir)

    given = SearchInput(
        tasks(TASKS),
        wordings_of(TASKS, COLLECTIONS, data_dir),
        tasks(UNSEEN),
        tasks(CHECK),
        wordings_of((*UNSEEN, *CHECK), FURTHER, data_dir),
    )
    settings = SearchSettings(("lora+paft+choice",), limit=LIMIT, validation_limit=LIMIT, refit=False, seed=SEED)
    plan = plan_search(given, settings)
    few = {on.name: _first(on) for on in plan.reported}
    return plan._replace(test=few["test"], unseen=few["unseen"], check=few["check"])


def _first(on: MeasuredSet) -> MeasuredSet:
    return on._replace(wordings={task: items[: MOST_WORDINGS[on.name]] for task, items in on.wordings.items()})


def ranking_set(plan: SearchPlan) -> MeasuredSet:
    """Training examples and training wordings by which references are chosen: a part of what teachers answer."""
    return teaching_set(plan.training, RANKED, SEED)


class ProtocolMethod(NamedTuple):
    """One row of the tables.

    Attributes:
        name: in tables.
        written: as `harden --methods` writes it, with the shape of a step.
        steps: of the optimizer.
        rate: the learning rate.
        uses_labels: whether it is trained on labels.
        seeds: how many are planned, from 0.
    """

    name: str
    written: str
    steps: int
    rate: float
    uses_labels: bool = True
    seeds: int = 5

    @property
    def candidate(self) -> Candidate:
        """What is trained."""
        alignment = AlignmentSettings(max_steps=self.steps, held_out_fraction=0.0)
        (found,) = candidates_of([self.written], {"": (self.rate,)}, alignment, seed=SEED)
        return found

    def file_name(self, seed: int) -> str:
        """Of the file with what was measured after the training with a seed."""
        return f"{re.sub('[^a-z0-9]+', '-', self.name)}-seed-{seed}.parquet"


def protocol_hash(plan: SearchPlan) -> str:
    """Differs between outcomes that cannot be compared. Methods and budgets are in the record of each training."""
    sets = [plan.training, *plan.reported]
    examples = [sorted(task.examples, key=lambda each: each.id) for on in sets for task in on.tasks]
    return content_hash([MODEL, [on.identity for on in sets], examples, MAX_PAIRS, RANKED, CALIBRATION, SEED])


AS_IT_IS_FILE = "as-it-is.parquet"
_TWO_EXAMPLES = ":gradient_accumulation=2"
_TWO_WORDINGS = ":gradient_accumulation=1:paraphrases_per_batch=1"


def _method(name: str, shape: str, *, rate: float = LORA_RATE, **others: Any) -> ProtocolMethod:
    return ProtocolMethod(name, f"{name}{shape}", STEPS, rate, **others)


METHODS = (
    _method("lora+paft+choice", _TWO_EXAMPLES),
    _method("lora+paft", _TWO_EXAMPLES),
    _method("lora", _TWO_WORDINGS),
    _method("lora+kl", _TWO_WORDINGS),
    _method("pt", _TWO_WORDINGS, rate=PROMPT_RATE),
    _method("pt+kl", _TWO_WORDINGS, rate=PROMPT_RATE),
    _method("lora+majority", f":labels=none{_TWO_WORDINGS}", uses_labels=False),
    _method("lora+paft+choice@ensemble", _TWO_EXAMPLES, uses_labels=False),
)
"""All methods have the same number of steps, and of prompts in a step: two examples in one wording each, where the
method draws one wording; else one example under its reference and one other wording."""

OTHER_RATES = tuple(
    _method("pt", _TWO_WORDINGS, rate=rate, seeds=1)._replace(name=f"pt at {rate:g}") for rate in (1e-2, 3e-2)
)
"""Soft prompts at other rates, with one seed."""
