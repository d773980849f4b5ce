"""Short instruction tunings of tiny models: examples of several lengths, and settings that are quick."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from phraseproof.tuning.examples import TuningExample
from phraseproof.tuning.settings import TuningSettings
from phraseproof.tuning.trainer import TuningResult, run_tuning
from support import tiny_models
from support.tiny_trainings import CPU

FAMILIES = {"t5": tiny_models.tiny_t5, "llama": tiny_models.tiny_llama}

THINGS = ("river", "mountain", "city", "planet", "moon", "star", "water", "stone", "bread", "glass")

EXAMPLES = [
    TuningExample(
        instruction="Which letter is correct?" if index % 3 else f"Choose the letter of the {thing}.",
        input=f"Question: {'the ' * index}{thing}?" if index % 3 else "",
        output=" ".join("ABCD"[(index + place) % 4] for place in range(1 + index % 4)),
        source=f"example {index + 1}",
    )
    for index, thing in enumerate(THINGS)
]

BRIEF = TuningSettings(
    learning_rate=1e-3,
    epochs=2,
    examples_per_step=4,
    examples_per_pass=2,
    warmup_ratio=0.3,
    weight_decay=0.1,
    save_every=2,
)


def tune_tiny(model: Path, out: Path, *, data: Any = None, validation: Any = None, **changes: Any) -> TuningResult:
    """A training of a model folder with the settings `BRIEF`, changed as named."""
    observer = changes.pop("observer", None)
    settings = dataclasses.replace(BRIEF, **changes)
    return run_tuning(
        str(model), data or EXAMPLES, out, settings, validation=validation, model_options=CPU, observer=observer
    )
