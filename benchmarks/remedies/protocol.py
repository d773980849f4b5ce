"""The protocol of `benchmarks.remedies.seeds`, decided before its trainings: sets, methods and budget.

Tasks, splits and wordings are those of `benchmarks.remedies`, with fewer examples and wordings to measure on, so that a
training with its measurements takes ten to twenty minutes of one slow core.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

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

    def file_name(self, seed: int) -> str:
        """Of the file with what was measured after the training with a seed."""
        return f"{re.sub('[^a-z0-9]+', '-', self.name)}-seed-{seed}.parquet"

    def require_made(self, record: Mapping[str, Any], protocol: str, where: Path) -> None:
        """End the program unless a file's record is of this method and protocol: others cannot be compared."""
        made = tuple(record[name] for name in ("protocol", "written", "rate", "steps"))
        if made != (expected := (protocol, self.written, self.rate, self.steps)):
            raise SystemExit(f"{where}: of {made}, not of {expected}: give other folders with --outcomes and --work")


AS_IT_IS_FILE = "as-it-is.parquet"
_TWO_EXAMPLES = ":gradient_accumulation=2"
_TWO_WORDINGS = ":gradient_accumulation=1:paraphrases_per_batch=1"
_FOUR_WORDINGS = ":gradient_accumulation=1:paraphrases_per_batch=3"


def _method(name: str, shape: str, *, steps: int = STEPS, rate: float = LORA_RATE, **others: Any) -> ProtocolMethod:
    return ProtocolMethod(name, f"{name}{shape}", steps, rate, **others)


METHODS = (
    _method("lora+paft+choice", _TWO_EXAMPLES),
    _method("lora+paft", _TWO_EXAMPLES),
    _method("lora", _TWO_WORDINGS),
    _method("lora+kl", _TWO_WORDINGS),
    _method("pt", _TWO_WORDINGS, rate=PROMPT_RATE),
    _method("pt+kl", _TWO_WORDINGS, rate=PROMPT_RATE),
    _method("lora+majority", f":labels=none{_FOUR_WORDINGS}", steps=STEPS // 2, uses_labels=False),
    _method("lora+paft+choice@ensemble", _TWO_EXAMPLES, uses_labels=False),
)
"""All methods have the same number of prompts. A step has two of them: two examples in one wording each, where the
method draws one wording; else one example under its reference and one other wording. A majority needs more than two
voters: its steps, half as many, have one example in four wordings."""

OTHER_RATES = tuple(
    _method("pt", _TWO_WORDINGS, rate=rate, seeds=1)._replace(name=f"pt at {rate:g}") for rate in (1e-2, 3e-2)
)
"""Soft prompts at other rates, with one seed."""
