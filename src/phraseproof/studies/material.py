"""Which tasks and wordings a study uses where the user names none: those of the model's family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.instructions.collections import TASK_DESIGNER, own_collections, shipped_collections
from phraseproof.instructions.families import AUTO, family_of
from phraseproof.pocket.mitigation import KEPT_OUT, SETTINGS, TRAINING_TASKS
from phraseproof.pocket.tuning import SETTINGS as TUNING
from phraseproof.pocket.wordings import KINDS
from phraseproof.tuning.settings import TuningSettings

OBSERVED = "observed"
UNOBSERVED = "unobserved"


@dataclass(frozen=True, slots=True)
class Material:
    """The tasks and collections of a family of models.

    Attributes:
        tasks: with options.
        observed, unobserved: collections of wordings for these tasks.
        closer_tasks: of the closer look.
        closer: its groups of wordings, in the paper's order.
        text_tasks: whose answers are texts.
        text_observed, text_unobserved: collections of wordings for those.
        limit: the maximum number of examples per task; `None` for all.
        paraphrase_sources: collections of paraphrases of the observed wordings, by source.
        few_shot_tasks: of studies with demonstrations.
        draws: how many draws of demonstrations.
        sizes: models of the family in several sizes, where they are shipped.
        aligned_tasks: on which aligned models are evaluated; empty for `tasks`.
        aligned_limit: the maximum number of examples per task there.
        training_tasks: whose demonstrations alignments are trained on.
        paraphrases: collections of paraphrases of the observed wordings; none where observed wordings are paired with
            each other.
        negations: collections of observed wordings with the opposite meaning.
        pairs_per_task: how many training pairs there are per task; `None` for a share of a total.
        alignment: the settings of alignments, those of the paper unless they do not suit the model.
        tuning: the settings of instruction tunings, likewise.
        bases: untuned models of the family, where they are shipped.
        tuned_and_untuned: a tuned model and an untuned one of the same size, where they are shipped.
        forgotten_tasks: of `forgetting`, other than `training_tasks`.
        forgetting_limit: of `forgetting`, the maximum number of examples per task; `None` for a share of a total.
        tuned_on: the collections that a tuning on the study's own data, or on Alpaca's, makes observed.
    """

    tasks: tuple[str, ...]
    observed: tuple[str, ...]
    unobserved: tuple[str, ...]
    closer_tasks: tuple[str, ...]
    closer: Mapping[str, tuple[str, ...]]
    text_tasks: tuple[str, ...]
    text_observed: tuple[str, ...]
    text_unobserved: tuple[str, ...]
    limit: int | None = None
    paraphrase_sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])
    few_shot_tasks: tuple[str, ...] = ("mmlu", "bbl")
    draws: int = 10
    sizes: tuple[str, ...] = ()
    aligned_tasks: tuple[str, ...] = ()
    aligned_limit: int | None = None
    training_tasks: tuple[str, ...] = ("mmlu", "bbl")
    paraphrases: tuple[str, ...] = ()
    negations: tuple[str, ...] = ()
    pairs_per_task: int | None = None
    alignment: AlignmentSettings = AlignmentSettings(learning_rate=5e-4, held_out_fraction=0.0)
    tuning: TuningSettings = field(default_factory=TuningSettings)
    bases: tuple[str, ...] = ()
    tuned_and_untuned: tuple[str, str] | None = None
    forgotten_tasks: tuple[str, ...] = ("mmlu",)
    forgetting_limit: int | None = None
    tuned_on: tuple[str, ...] = ("alpaca",)


_CLOSER_TASKS = (
    "bbl/intent_recognition",
    "bbl/empirical_judgments",
    "bbl/conceptual_combinations",
    "bbl/language_identification",
    "bbl/logical_sequence",
    "bbl/crash_blossom",
    "bbl/epistemic_reasoning",
)

_POCKET = Material(
    tasks=("pocket",),
    observed=(AUTO,),
    unobserved=("pocket-test",),
    closer_tasks=("pocket",),
    closer={
        "closest": ("pocket-closest",),
        "incorrect": ("pocket-incorrect",),
        "collected": ("pocket-test",),
        "negated": ("pocket-negated",),
        "nonsensical": ("pocket-nonsensical",),
    },
    text_tasks=("everyday/notes", "everyday/phrases"),
    text_observed=("everyday-observed",),
    text_unobserved=("everyday-unobserved",),
    limit=25,
    paraphrase_sources={
        "other-words": ("pocket-paraphrase",),
        "longer": ("pocket-validation",),
        "known": ("pocket-observed",),
    },
    few_shot_tasks=("pocket/choose-maker", "pocket/label-maker", "pocket/has-maker"),
    draws=5,
    sizes=("pocket/tiny", "pocket", "pocket/medium"),
    # Two attributes that training pairs ask for, and one that they do not.
    aligned_tasks=tuple(f"pocket/{kind}-{about}" for kind in KINDS for about in ("maker", "buyer", "destination")),
    aligned_limit=10,
    training_tasks=TRAINING_TASKS,
    paraphrases=("pocket-paraphrase",),
    negations=("pocket-negation",),
    pairs_per_task=12,
    alignment=SETTINGS,
    tuning=TUNING,
    bases=("pocket/tiny-base", "pocket/tiny-base-long"),
    tuned_and_untuned=("pocket/tiny", "pocket/tiny-base"),
    forgotten_tasks=tuple(f"pocket/{kind}-{about}" for kind in KINDS for about in KEPT_OUT),
    forgetting_limit=4,
    tuned_on=("pocket-observed",),
)


def material_of(model: str) -> Material:
    """The tasks and wordings for a model.

    The paper's benchmarks, with the wordings that the model's family was tuned on (`auto`) as observed. The paper's
    own collected wordings are used where they were imported, else the shipped ones; the task designer's prompt
    counts as unobserved, as in the paper.

    Args:
        model: its name, hub id or folder.
    """
    family = family_of(model)
    if family is not None and family.name == "pocket":
        return _POCKET
    known = {*own_collections(), *shipped_collections()}
    collected = "paper-unobserved" if "paper-unobserved" in known else "composed"

    def closer(kind: str) -> tuple[str, ...]:
        return (f"paper-{kind}" if f"paper-{kind}" in known else f"closer-look-{kind}",)

    return Material(
        tasks=("mmlu", "bbl"),
        observed=(AUTO,),
        unobserved=(collected, TASK_DESIGNER),
        closer_tasks=_CLOSER_TASKS,
        closer={
            "closest": closer("closest"),
            "incorrect": closer("incorrect"),
            "collected": (collected,),
            "task_designer": (TASK_DESIGNER,),
            "negated": closer("negated"),
            "nonsensical": closer("nonsensical"),
        },
        text_tasks=("cnn_dailymail", "xsum", "mediasum", "wmt19_fr_de"),
        text_observed=(AUTO,),
        text_unobserved=("composed",),
    )
