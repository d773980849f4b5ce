"""The alignment of the pocket models: its training pairs and its settings."""

from __future__ import annotations

from collections.abc import Sequence

from phraseproof.alignment.pairs import ParaphraseSet, pairs_from_task
from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.instructions.collections import instructions_for, load_collection
from phraseproof.pocket.lexicon import ATTRIBUTES, FILLERS
from phraseproof.pocket.negation import NEGATION
from phraseproof.pocket.wordings import KINDS
from phraseproof.tasks import load_tasks

KEPT_OUT = ("destination", "weight")
"""Attributes that no training pair asks for, in any kind. Their accuracy shows forgetting and transfer."""

TRAINING_TASKS = tuple(
    f"pocket/{kind}-{attribute}" for kind in KINDS for attribute in ATTRIBUTES if attribute not in KEPT_OUT
)
"""The tasks that training pairs are made of."""

NEUTRAL_START = " ".join(FILLERS[:10])
"""The initial text of a soft prompt: words that the model has learned to ignore."""

SETTINGS = AlignmentSettings(
    method="pt+kl",
    init=NEUTRAL_START,
    learning_rate=1e-2,
    max_steps=60,
    held_out_fraction=0.0,
)
"""The settings of the demo and of docs/pocket.md, chosen on validation wordings."""


def mitigation_pairs(
    per_task: int = 12, *, kinds: Sequence[str] = KINDS, negations: bool = False
) -> list[ParaphraseSet]:
    """Paraphrase sets from training questions, in observed wordings and in those of `pocket-paraphrase`.

    Args:
        per_task: the number of sets per task. Each kind has 6 tasks, because two attributes are kept out.
        kinds: the kinds of tasks to use.
        negations: whether to add the wordings of `pocket-negation`, for the methods `negation` and `joint`.
    """
    names = ("observed", "paraphrase", NEGATION)
    observed, paraphrases, negated = (load_collection(f"pocket-{name}") for name in names)
    pairs: list[ParaphraseSet] = []
    for task in load_tasks(TRAINING_TASKS):
        if task.name.removeprefix("pocket/").partition("-")[0] in kinds:
            pairs += pairs_from_task(
                task,
                instructions_for(observed, task),
                instructions_for(paraphrases, task),
                limit=per_task,
                negations=instructions_for(negated, task) if negations else (),
            )
    return pairs
