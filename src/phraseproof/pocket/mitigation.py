"""The mitigation that is tried on the pocket models: its training pairs and its settings."""

from __future__ import annotations

from collections.abc import Sequence

from phraseproof.alignment.pairs import ParaphraseSet, pairs_from_task
from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.instructions.collections import instructions_for, load_collection
from phraseproof.pocket.lexicon import FILLERS
from phraseproof.pocket.negation import NEGATION
from phraseproof.pocket.wordings import KINDS
from phraseproof.tasks import load_tasks

KEPT_OUT = ("destination", "weight")
"""Attributes that alignment never asks about, in any kind: what happens to them tells of forgetting and transfer."""

NEUTRAL_START = " ".join(FILLERS[:10])
"""The text that a soft prompt starts from: words that the model has learned to pass over."""

SETTINGS = AlignmentSettings(
    method="pt+kl",
    init=NEUTRAL_START,
    learning_rate=1e-2,
    max_steps=60,
    held_out_fraction=0.0,
)
"""As the demo and the card have it; chosen on validation wordings."""


def mitigation_pairs(
    per_task: int = 12, *, kinds: Sequence[str] = KINDS, negations: bool = False
) -> list[ParaphraseSet]:
    """Training questions of the tasks that are aligned, in observed wordings, each with the paraphrase collection's.

    Args:
        per_task: pairs of each of the 6 tasks of a kind.
        kinds: of tasks; the others are kept out.
        negations: with the negation collection's wordings as well, for methods that push those away.
    """
    names = ("observed", "paraphrase", NEGATION)
    observed, paraphrases, negated = (load_collection(f"pocket-{name}") for name in names)
    pairs: list[ParaphraseSet] = []
    for task in load_tasks(["pocket"]):
        kind, _, attribute = task.name.removeprefix("pocket/").partition("-")
        if kind in kinds and attribute not in KEPT_OUT:
            pairs += pairs_from_task(
                task,
                instructions_for(observed, task),
                instructions_for(paraphrases, task),
                limit=per_task,
                negations=instructions_for(negated, task) if negations else (),
            )
    return pairs
